"""What the control groups of this process leave it: memory, CPU time, and how it was held back.

Both versions of the interface count, alone or side by side. A limit holds for all groups below the
one that has it, so those around the process's own are read, too, as far as they can be seen.
Sources: Linux, Documentation/admin-guide/cgroup-v2.rst (``memory.max``, ``memory.high``,
``cpu.max``, ``cpu.stat``), cgroup-v1/memory.rst (``memory.limit_in_bytes``, ``memory.stat``,
``memory.use_hierarchy``), scheduler/sched-bwc.rst (``cpu.cfs_quota_us``, ``throttled_time``).
A file that is not there says nothing; one that cannot be understood is left out, and named once in
the log.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_core.printable import printable, quoted
from wattmark_runner.worker.group_folders import Group, groups

log = logging.getLogger(__name__)

NO_LIMIT: Final = 2**62
"""Version 1 writes none as the largest whole number of pages, some 2^63 bytes."""
NS: Final = 1e-9
US: Final = 1e-6
_told: set[Path] = set()


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """A limit of a group and what it leaves, bytes. ``place`` names file and group."""

    limit_bytes: int
    left_bytes: int
    place: str


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """CPU time that a group may take, as cores: of each second so many seconds."""

    cores: float
    place: str
    group: Group


def memory_limits(root: Path = Path("/")) -> list[MemoryLimit]:
    """Of each group with a limit, the process's own first. ``root``: where /proc and /sys lie."""
    return list(limits_of(groups("memory", root)))


def limits_of(around: list[Group]) -> Iterator[MemoryLimit]:
    """See ``memory_limits``. Files that were read stay in memory until there is need of it: they
    count as free."""
    least = NO_LIMIT
    for group in around:
        used, cached = _used(group)
        for limit, place in _limits(group):
            least = min(least, limit)
            left = limit if used is None else limit - used + min(cached, used)
            yield MemoryLimit(limit, left, f"{place} of control group {printable(group.name)}")
    # The least on the whole way up is known to version 1, also of groups that a container hides.
    for group in around[:1]:
        whole = _value(group.folder / "memory.stat", "hierarchical_memory_limit")
        if group.version == 1 and whole is not None and whole < least:
            used, cached = _used(group)
            left = whole if used is None else whole - used + min(cached, used)
            yield MemoryLimit(whole, left, "hierarchical_memory_limit of a control group around"
                              f" {printable(group.name)}")  # fmt: skip


def cpu_quota(root: Path = Path("/")) -> CpuQuota | None:
    """The least of all groups; None: no group has one."""
    return min(cpu_quotas(root), key=lambda quota: quota.cores, default=None)


def cpu_quotas(root: Path = Path("/")) -> list[CpuQuota]:
    """Of each group that has one."""
    found = []
    for group in groups("cpu", root):
        cores, place = _cores(group)
        if cores is not None:
            found.append(
                CpuQuota(cores, f"{place} of control group {printable(group.name)}", group)
            )
    return found


def usable_cpus(root: Path = Path("/")) -> int:
    """CPUs that the process can keep busy all the time: those it may run on, and no more than
    whole cores in its quota, for more threads would be held back part of the time."""
    allowed = len(os.sched_getaffinity(0))
    quota = cpu_quota(root)
    return allowed if quota is None else max(1, min(allowed, int(quota.cores)))


def throttled_seconds(quotas: list[CpuQuota]) -> float | None:
    """CPU time for which the groups were held back so far, over all CPUs; None: not known."""
    held = [_throttled(quota.group) for quota in quotas]
    known = [seconds for seconds in held if seconds is not None]
    return sum(known) if known and len(known) == len(held) else None


def _used(group: Group) -> tuple[int | None, int]:
    """Bytes in use, and those of them that hold files that nobody needs at the moment."""
    used, cached = "memory.current", ["inactive_file"]
    if group.version == 1:
        used, cached = "memory.usage_in_bytes", ["total_inactive_file", "inactive_file"]
    values = (_value(group.folder / "memory.stat", name) for name in cached)
    return _whole(group.folder / used), next((v for v in values if v is not None), 0)


def _limits(group: Group) -> Iterator[tuple[int, str]]:
    names = ("memory.max", "memory.high") if group.version == 2 else ("memory.limit_in_bytes",)
    for name in names:
        limit = _whole(group.folder / name)
        if limit is not None and limit < NO_LIMIT:
            yield limit, name


def _cores(group: Group) -> tuple[float | None, str]:
    if group.version == 2:
        path = group.folder / "cpu.max"
        words = _text(path).split()
        if not words or words[0] == b"max":
            return None, path.name
        quota, period = (_number(path, word) for word in (*words, b"100000")[:2])
    else:
        path = group.folder / "cpu.cfs_quota_us"
        if _text(path).strip().startswith(b"-"):
            return None, path.name
        quota, period = _whole(path), _whole(group.folder / "cpu.cfs_period_us")
    if not quota or not period:
        return None, path.name
    return quota / period, path.name


def _throttled(group: Group) -> float | None:
    name, unit = ("throttled_usec", US) if group.version == 2 else ("throttled_time", NS)
    value = _value(group.folder / "cpu.stat", name)
    return None if value is None else value * unit


def _value(path: Path, name: str) -> int | None:
    """Of the line ``NAME VALUE``; other lines do not matter."""
    for line in _text(path).splitlines():
        key, _, value = line.partition(b" ")
        if key == name.encode():
            return _number(path, value.strip())
    return None


def _whole(path: Path) -> int | None:
    """The file's one number; None: it is not there, or has none."""
    text = _text(path).strip()
    return None if text in {b"", b"max"} else _number(path, text)


def _number(path: Path, text: bytes) -> int | None:
    if text.isdigit() and len(text) <= 20:  # of 64 bits
        return int(text)
    if path not in _told:
        _told.add(path)
        log.warning("%s: no number: %s; left out", printable(str(path)), quoted(text))
    return None


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
