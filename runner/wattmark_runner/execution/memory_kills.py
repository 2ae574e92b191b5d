"""Was a process killed because memory ran out, and which limit was that?

The kernel counts what it kills for memory: for each control group in ``memory.events`` (version 2,
Documentation/admin-guide/cgroup-v2.rst) or ``memory.oom_control`` (version 1,
cgroup-v1/memory.rst; since Linux 4.13), and for the whole machine in ``/proc/vmstat``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from wattmark_core.printable import printable

COUNT: Final = "oom_kill"
LIMITS: Final = {
    "memory.events": ("memory.max",), "memory.oom_control": ("memory.limit_in_bytes",)
}  # fmt: skip
NO_LIMIT: Final = 2**62
"""Version 1 writes none as the largest whole number of pages, some 2^63 bytes."""


@dataclass(frozen=True, slots=True)
class MemoryKills:
    """The counters around a process when it was begun: afterwards they cannot be found."""

    root: Path
    counts: dict[Path, int]

    @classmethod
    def of(cls, pid: int, root: Path = Path("/")) -> Self:
        """``root``: where /proc and /sys lie."""
        paths = list(_counters(pid, root)) or [root / "proc/vmstat"]
        return cls(
            root, {path: kills for path in paths if (kills := _value(path, COUNT)) is not None}
        )

    def explained(self) -> str:
        """At which limit one of those around it was killed since, in words; empty if none was, or
        it is not known. Groups count what is killed in them at any limit, the machine's, too; the
        innermost with a limit of its own had it."""
        killed = [
            path for path, before in self.counts.items()
            if (_value(path, COUNT) or before) > before
        ]  # fmt: skip
        for path in killed:
            for name in LIMITS.get(path.name, ()):
                text = _text(path.with_name(name)).strip()
                if text.isdecimal() and int(text) < NO_LIMIT:
                    group = printable(str(path.parent.relative_to(self.root / "sys/fs/cgroup")))
                    return f"memory ran out: {int(text)} bytes, {name} of control group /{group}"
        if not killed:
            return ""
        kib = _value(self.root / "proc/meminfo", "MemTotal:")
        return "memory ran out" + (f": all {kib * 1024} bytes of the machine's" if kib else "")


def _counters(pid: int, root: Path) -> Iterator[Path]:
    """The groups' files with counters, the process's own group's first."""
    for line in _text(root / f"proc/{pid}/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            for top in (root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"):
                yield from _upwards(top, name, "memory.events")
        elif "memory" in controllers.split(","):
            yield from _upwards(root / "sys/fs/cgroup/memory", name, "memory.oom_control")


def _upwards(top: Path, name: str, file: str) -> Iterator[Path]:
    """From the group to where the hierarchy is mounted; in a container the group may be seen there
    alone."""
    folder = top / name.lstrip("/")
    for place in (folder, *folder.parents):
        if place.is_relative_to(top) and (place / file).is_file():
            yield place / file


def _value(path: Path, name: str) -> int | None:
    """Of the line ``NAME VALUE``."""
    for line in _text(path).splitlines():
        words = line.split()
        if words[:1] == [name] and len(words) > 1 and words[1].isdecimal():
            return int(words[1])
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
