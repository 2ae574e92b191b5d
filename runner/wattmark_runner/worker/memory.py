"""How much memory this process may still take."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

SYSFS: Final = Path("/sys/fs/cgroup")
PROCFS: Final = Path("/proc/self/cgroup")


def available_bytes() -> int:
    """The least that the machine, the process's own limit and its control groups leave."""
    left = [psutil.virtual_memory().available, *_left_by_limit(), *left_in_groups()]
    return max(0, min(left))


def _left_by_limit() -> Iterator[int]:
    """Of a workload's ``memory_bytes``, or what else limits the data of this process."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        yield limit - psutil.Process().memory_info().data


def left_in_groups(sysfs: Path = SYSFS, own: Path = PROCFS) -> Iterator[int]:
    """Of each group of version 2 with a limit that the process is in, as in a container.

    Files that were read are kept in memory until there is need of it: they count as free.
    """
    lines = own.read_text(encoding="utf-8").splitlines() if own.exists() else []
    for line in lines:
        if not line.startswith("0::/"):
            continue
        group = sysfs / line.removeprefix("0::/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(sysfs):
                yield from _left(folder)


def _left(folder: Path) -> Iterator[int]:
    try:
        limit = (folder / "memory.max").read_text(encoding="utf-8").strip()
        used = int((folder / "memory.current").read_text(encoding="utf-8"))
        stat = (folder / "memory.stat").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return  # the machine's root group, or one that is seen only outside the container
    if limit != "max":
        yield int(limit) - used + int(stat[stat.index("inactive_file") + 1])
