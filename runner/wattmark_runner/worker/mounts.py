"""What is mounted where, from ``/proc/self/mountinfo`` (proc(5)).

A folder that is mounted a second time has a second path, which leads around a rule for the first.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """``top`` of the file system ``device`` is seen at ``point``; ``kind`` and ``options`` are its
    file system's."""

    device: str
    top: Path
    point: Path
    kind: str
    options: tuple[str, ...]


def mounted(path: Path = MOUNTS) -> Iterator[Mounted]:
    """All mounts, the last one on top. A line that cannot be understood is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = os.fsdecode(line).partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) >= 5 and len(kind) >= 3:
            top, point = (_ESCAPED.sub(lambda m: chr(int(m[1], 8)), name) for name in fields[3:5])
            yield Mounted(fields[2], Path(top), Path(point), kind[0], tuple(kind[2].split(",")))


def other_ways(path: Path, mounts: Sequence[Mounted]) -> Iterator[Path]:
    """Where else ``path``, or a part of what lies in it, can be reached."""
    own = [mount for mount in mounts if path.is_relative_to(mount.point)]
    if not own:
        return
    # Of several at the deepest point the last lies on top.
    deepest = max(len(mount.point.parts) for mount in own)
    mount = [mount for mount in own if len(mount.point.parts) == deepest][-1]
    inner = mount.top / path.relative_to(mount.point)
    for other in mounts:
        if other is mount or other.device != mount.device:
            continue
        if inner.is_relative_to(other.top):
            way = other.point / inner.relative_to(other.top)
            if os.path.lexists(way):
                yield way
        elif other.top.is_relative_to(inner):
            yield other.point
