"""The lock of a data folder: one program at a time works on what is in it.

It is taken before anything in the folder is changed. A program that starts others for its work
hands the lock on to them: they inherit its descriptor, and the folder stays locked until the last
of them has ended (flock(2): a lock belongs to the open file, not to a process).
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError

NAME: Final = "runner.lock"
PUBLISHED: Final = "service.json"
"""What the one who has the lock serves: see ``in_use``."""
INHERITED: Final = "WATTMARK_FOLDER_LOCK"
"""The environment variable with the number of an inherited descriptor."""
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
_held: Final[dict[Path, int]] = {}
"""The folders whose lock this process has: a second descriptor of its own would be refused."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock; a process that has it already, or was started by one, goes on.

    Raises ``BlockingIOError`` at once while another process has it, ``StoreError`` where the file
    system has no locks, and ``OSError`` where the file cannot be made.
    """
    own = folder.resolve()
    if own in _held:
        yield
        return
    descriptor = _inherited(own)
    if descriptor is None:
        descriptor = _taken(own)
        (own / PUBLISHED).unlink(missing_ok=True)  # left by one that was killed
    _held[own] = descriptor
    try:
        yield
    finally:
        del _held[own]
        os.close(descriptor)


def check_unlocked(folder: Path) -> None:
    """Raise ``BlockingIOError`` while another process has the lock. Makes nothing."""
    if folder.resolve() in _held:
        return
    with suppress(FileNotFoundError):
        descriptor = os.open(folder / NAME, os.O_RDWR)
        try:
            _take(descriptor, folder)
        finally:
            os.close(descriptor)


def handed_on(folder: Path) -> tuple[list[int], dict[str, str]]:
    """Descriptors and environment that a process needs to be started under our lock."""
    descriptor = _held.get(folder.resolve())
    if descriptor is None:
        return [], {}
    return [descriptor], {INHERITED: str(descriptor)}


def _taken(folder: Path) -> int:
    """The descriptor of the lock's file as it is in the folder, locked."""
    while True:
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(descriptor, folder)
            if _is_in(folder, descriptor):  # who had it may have removed the file meanwhile
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _inherited(folder: Path) -> int | None:
    """The descriptor that was handed on, if it is of this folder's lock."""
    number = os.environ.pop(INHERITED, "")
    if not number.isdecimal():
        return None
    descriptor = int(number)
    try:
        if not _is_in(folder, descriptor):
            return None
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    os.set_inheritable(descriptor, False)
    return descriptor


def _is_in(folder: Path, descriptor: int) -> bool:
    try:
        there, ours = (folder / NAME).stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise StoreError(
            f"data folder {folder}: its file system has no locks ({error.strerror}); name a folder"
            " on a local disk with --data"
        ) from error
