"""How much memory this process may still take, and what sets the limit."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from wattmark_runner.worker.group_folders import groups_in, usual_mounts
from wattmark_runner.worker.limits import MemoryLimit, limits_of, memory_limits

SYSFS: Final = Path("/sys/fs/cgroup")
PROCFS: Final = Path("/proc/self/cgroup")
OF_WORKLOAD: Final = "the workload's memory_bytes, or RLIMIT_DATA"
OF_MACHINE: Final = "the machine's memory"
MEBIBYTE: Final = 2**20


def available_bytes(root: Path = Path("/")) -> int:
    """The least that the machine, the process's own limit and its control groups leave.

    ``root``: where the groups' /proc and /sys lie.
    """
    return max(0, tightest(root).left_bytes)


def tightest(root: Path = Path("/")) -> MemoryLimit:
    """What leaves the least."""
    return min(_all(root), key=lambda limit: limit.left_bytes)


def explained(root: Path = Path("/")) -> str:
    """For the message of an error that memory was short: what leaves the least, with its limit."""
    limit = tightest(root)
    left, whole = (max(0, value) / MEBIBYTE for value in (limit.left_bytes, limit.limit_bytes))
    return f"{limit.place} ({whole:,.0f} MiB) leaves {left:,.0f} MiB"


def left_in_groups(sysfs: Path = SYSFS, own: Path = PROCFS) -> Iterator[int]:
    """Of each group of either version with a limit that the process is in, as in a container.

    Files that were read are kept in memory until there is need of it: they count as free.
    """
    for limit in limits_of(groups_in("memory", own, usual_mounts(sysfs))):
        yield limit.left_bytes


def _all(root: Path) -> Iterator[MemoryLimit]:
    machine = psutil.virtual_memory()
    yield MemoryLimit(machine.total, machine.available, OF_MACHINE)
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        left = limit - psutil.Process().memory_info().data
        yield MemoryLimit(limit, left, OF_WORKLOAD)
    yield from memory_limits(root)
