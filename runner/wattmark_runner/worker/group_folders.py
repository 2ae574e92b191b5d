"""Where the control groups of this process lie: its own, and those around it.

``/proc/self/cgroup`` names the groups, ``/proc/self/mountinfo`` says where each hierarchy can be
seen and from which of its groups on: in a container that is the container's own, or none of those
that are named (proc(5), cgroups(7)).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_runner.worker.mounts import mounted

USUAL: Final = "sys/fs/cgroup"


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is called in its hierarchy, and the folder of its files."""

    name: str
    folder: Path
    version: int


@dataclass(frozen=True, slots=True)
class Mount:
    """A hierarchy seen at ``folder``, from its group ``top`` on; version 1 has ``controllers``."""

    folder: Path
    top: str
    version: int
    controllers: frozenset[str]


def groups(controller: str, root: Path = Path("/")) -> list[Group]:
    """The process's own group first, then each around it, of whichever version has a
    ``controller``. ``root``: where /proc and /sys lie."""
    own, known = root / "proc/self/cgroup", root / "proc/self/mountinfo"
    return groups_in(controller, own, list(_mounts(known, root)) or usual_mounts(root / USUAL))


def groups_in(controller: str, own: Path, mounts: list[Mount]) -> list[Group]:
    """The same from ``/proc/self/cgroup`` and what is mounted."""
    found: list[Group] = []
    for line in _lines(own):
        parts = line.split(":", 2)
        if len(parts) != 3 or not parts[2].startswith("/"):
            continue
        number, controllers, name = parts
        version = 2 if number == "0" and not controllers else 1
        if version == 2 or controller in controllers.split(","):
            here = [mount for mount in mounts if _shows(mount, version, controller)]
            found += _around(name, here)
    return found


def usual_mounts(sysfs: Path) -> list[Mount]:
    """Where systemd mounts the hierarchies: one of version 2, or a folder for each of version 1
    and perhaps ``unified``."""
    whole = [Mount(folder, "/", 2, frozenset()) for folder in (sysfs / "unified", sysfs)]
    try:
        folders = sorted(folder for folder in sysfs.iterdir() if folder.is_dir())
    except OSError:
        folders = []
    names = [(folder, frozenset(folder.name.split(","))) for folder in folders]
    each = [Mount(folder, "/", 1, controllers) for folder, controllers in names]
    return [*(mount for mount in whole if mount.folder.is_dir()), *each]


def _shows(mount: Mount, version: int, controller: str) -> bool:
    return mount.version == version and (version == 2 or controller in mount.controllers)


def _around(name: str, mounts: list[Mount]) -> Iterator[Group]:
    """Up to where the hierarchy is mounted. A group that is not seen there lies above: the mount's
    own is the nearest around it."""
    for mount in mounts:
        below = Path(os.path.relpath(name, mount.top))
        if ".." in below.parts or not (mount.folder / below).is_dir():
            continue
        yield from _upwards(mount, below)
        return
    for mount in mounts[:1]:
        yield from _upwards(mount, Path())


def _upwards(mount: Mount, below: Path) -> Iterator[Group]:
    while True:
        folder = mount.folder / below
        name = os.path.normpath(os.path.join(mount.top, below))  # noqa: PTH118 - a group, no file
        yield Group(name, folder, mount.version)
        if below == Path() or (mount.version == 1 and not _counts_below(folder.parent)):
            return
        below = below.parent


def _counts_below(folder: Path) -> bool:
    """Version 1 before Linux 5.11 could leave the groups below out of a group's limit."""
    return _lines(folder / "memory.use_hierarchy") != ["0"]


def _mounts(path: Path, root: Path) -> Iterator[Mount]:
    for mount in mounted(path):
        if mount.kind in {"cgroup", "cgroup2"}:
            version = 2 if mount.kind == "cgroup2" else 1
            folder = root / str(mount.point).lstrip("/")
            yield Mount(folder, str(mount.top), version, frozenset(mount.options))


def _lines(path: Path) -> list[str]:
    """Names are bytes, and become paths."""
    try:
        return [os.fsdecode(line) for line in path.read_bytes().splitlines()]
    except OSError:
        return []
