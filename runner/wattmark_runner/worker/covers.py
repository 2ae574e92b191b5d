"""Folders and files covered by mounts that only the calling process and what it starts see.

What lies under such a mount cannot be reached, while the folder around it stays as it is: files can
be made there, which Landlock alone cannot grant without granting what is private beneath it, too.
Covers hold where nothing may be mounted or unmounted any more, which Landlock sees to.

They need the right to mount or, of a process without any rights, user namespaces, and so are
refused in many containers. Sources: mount_namespaces(7), user_namespaces(7), mount(2);
``may_open_dev`` in fs/namei.c (a device node on a mount with ``nodev`` is refused with EACCES, to
root as well) and ``vfs_mknod`` (anyone may make the node 0:0, which is no device, since Linux 5.8).
"""

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from wattmark_runner.worker import capabilities

NEWNS: Final = 0x00020000
NEWUSER: Final = 0x10000000
RDONLY: Final = 1
NOSUID: Final = 2
NODEV: Final = 4
NOEXEC: Final = 8
REMOUNT: Final = 32
BIND: Final = 4096
REC: Final = 16384
SLAVE: Final = 1 << 19
MNT_DETACH: Final = 2
CLOSED: Final = NOSUID | NODEV | NOEXEC
O_PATH: Final = 0o10000000
MOST_NAMES: Final = 10_000
"""That a covered folder shows of what lies in it; those are refused, others are not there."""
DATABASE: Final = b"SQLite format 3\0"


def to_cover(hidden: Iterable[Path], wanted: Sequence[Path]) -> list[Path]:
    """Which of the private places may be covered: folders in which nothing is wanted, and files but
    for databases, beside which new files of the same secrets come and go."""
    chosen: list[Path] = []
    for path in sorted(hidden):  # a folder comes before what lies in it
        if any(path.is_relative_to(other) for other in chosen):
            continue
        if path.is_dir():
            fits = not any(place.is_relative_to(path) for place in wanted)
        else:
            fits = path.is_file() and not _of_database(path)
        if fits:
            chosen.append(path)
    return chosen


def cover(paths: Sequence[Path]) -> bool:
    """Cover all of them, for good; call it before threads are started. False: nothing is covered,
    and nothing has changed for the process."""
    if not paths:
        return False
    attempt = os.fork()  # what is refused half-way must leave nothing behind
    if attempt == 0:
        status = 1
        with contextlib.suppress(OSError):
            _cover(paths)
            status = 0
        os._exit(status)
    _, status = os.waitpid(attempt, 0)
    if status == 0:
        _cover(paths)
    return status == 0


def _cover(paths: Sequence[Path]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    had_none = not capabilities.held()
    _own_mounts(libc)
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if not path.is_dir()]
    for folder in folders:
        names = list(_below(folder))
        _mount(libc, "tmpfs", os.fsencode(folder), CLOSED)
        for path, is_folder in names:
            path.mkdir() if is_folder else _refused(path)
        _mount(libc, None, os.fsencode(folder), REMOUNT | RDONLY | CLOSED)
    if files:
        opened = [os.open(path, O_PATH | os.O_NOFOLLOW) for path in files]
        stage = files[0].parent  # covered for as long as it takes
        _mount(libc, "tmpfs", os.fsencode(stage), CLOSED)
        _refused(stage / "refused")
        for descriptor in opened:
            _mount(libc, stage / "refused", b"/proc/self/fd/%d" % descriptor, BIND)
            os.close(descriptor)
        _mount(libc, None, os.fsencode(stage), REMOUNT | RDONLY | CLOSED)
        _checked(libc.umount2(os.fsencode(stage), MNT_DETACH))
    if had_none:
        capabilities.give_up(capabilities.ALL)


def _own_mounts(libc: ctypes.CDLL) -> None:
    """Mounts of its own, which follow those of the machine; without the right to have them, in a
    user namespace in which the process is who it was. There capabilities hold for its own files
    alone, so one that has some stays where it is."""
    if capabilities.held():
        _checked(libc.unshare(NEWNS))
    else:
        user, group = os.geteuid(), os.getegid()
        _checked(libc.unshare(NEWNS | NEWUSER))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(libc, None, b"/", REC | SLAVE)


def _below(folder: Path) -> Iterator[tuple[Path, bool]]:
    """What lies in it, each folder before its own, and whether it is a folder."""
    waiting, left = [folder], MOST_NAMES
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return
                is_folder = entry.is_dir(follow_symlinks=False)
                path = Path(entry.path)
                yield path, is_folder
                if is_folder:
                    waiting.append(path)


def _refused(path: Path) -> None:
    """Something that nobody can open there."""
    os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))


def _of_database(path: Path) -> bool:
    """A database, or one of the files that it has beside it."""
    name = path.name
    for end in ("-wal", "-shm", "-journal"):
        name = name.removesuffix(end)
    try:
        with path.with_name(name).open("rb") as file:
            return file.read(len(DATABASE)) == DATABASE
    except OSError:
        return name != path.name


def _mount(libc: ctypes.CDLL, source: Path | str | None, target: bytes, flags: int) -> None:
    what = None if source is None else os.fsencode(source)
    kind = what if source == "tmpfs" else None
    _checked(libc.mount(what, target, kind, ctypes.c_ulong(flags), None))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
