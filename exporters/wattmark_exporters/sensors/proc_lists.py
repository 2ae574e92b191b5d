"""PROC/meminfo, diskstats and net/dev: what their lines mean, each line by itself.

A line that cannot be read is left out by name, and takes nothing else with it. Names are bytes, and
come out printable.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from wattmark_core.printable import printable, quoted
from wattmark_exporters.readings import LeftOut
from wattmark_exporters.sensors.files import integer

MOST_BYTES: Final = 1 << 52
"""No machine has more memory: the physical addresses of x86-64 and Arm have 52 bits. "Unlimited"
of a control group (2^63 less a page) comes out above it, whether in bytes or in kB."""
_SECTOR_BYTES: Final = 512
"""Unit of PROC/diskstats whatever the disk's own sector (Documentation/admin-guide/iostats)."""
_MOST_SECTORS: Final = (1 << 63) // _SECTOR_BYTES
"""The block layer counts bytes of a disk in 63 bits (``loff_t``)."""
_NAME_BYTES: Final = 15
"""IFNAMSIZ less its NUL (include/uapi/linux/if.h)."""
_NET_FIELDS: Final = 16
"""Numbers after an interface's name (net/core/net-procfs.c)."""
_DISK_FIELDS: Final = frozenset({14, 18, 20})
"""Major, minor, name and 11 numbers; 15 since Linux 4.18, 17 since 5.5."""
_CONTAINER_ENDS: Final = b"veth"
"""A container's end of a bridge: comes and goes, and the bridge counts the same bytes."""
_PATH: Final = re.compile(r"(nvme\d+)c\d+(n\d+)")
"""One way to a namespace of NVMe that can be reached on several (drivers/nvme/host/multipath.c)."""
_HEADS: Final = 2


class Traffic(NamedTuple):
    """Bytes in and out since boot, of a disk (read, written) or an interface (received, sent)."""

    name: str
    into: int
    out: int


def memory(
    meminfo: bytes, path: object, usual_bytes: float | None = None
) -> Iterator[tuple[str, float] | LeftOut]:
    """Fields of measurement ``memory``, as far as they can be known.

    Available memory is never more than there is. Of two that say so one is left out: the total, if
    it is less than what is free, or not the ``usual_bytes`` read before; else what is available.
    """
    text = b"\n" + meminfo
    total, available = (_kibibytes(text, name) for name in (b"MemTotal", b"MemAvailable"))
    if total == 0:
        total = "no machine has none: 0 kB"
    if isinstance(total, int) and isinstance(available, int) and available > total:
        free = _kibibytes(text, b"MemFree")
        if (isinstance(free, int) and free > total) or usual_bytes not in {None, total * 1024.0}:
            total = f"it is less than what is free or available: {total} kB"
        else:
            available = f"it is more than there is: {available} kB of {total} kB"
    for name, value in (("MemTotal", total), ("MemAvailable", available)):
        if isinstance(value, str):
            yield LeftOut(f"{name} of {path}", value)
    if isinstance(total, int):
        yield "total_bytes", total * 1024.0
    if isinstance(available, int):
        yield "available_bytes", available * 1024.0
    if isinstance(total, int) and isinstance(available, int):
        yield "used_bytes", (total - available) * 1024.0


def disks(diskstats: bytes, path: object, whole: Callable[[bytes], str]) -> list[Traffic | LeftOut]:
    """Traffic of the disks; ``whole`` gives the name of one that counts, empty for any other.

    A path of NVMe multipath is left out, quietly, once its head counts: since Linux 6.4 both do.
    """
    given = _unique(_disks(diskstats, path, whole), "disk", path)
    ways = {
        one.name: match[1] + match[2] for one in given
        if isinstance(one, Traffic) and "c" in one.name and (match := _PATH.fullmatch(one.name))
    }  # fmt: skip
    if not ways:
        return given
    heads = {one.name for one in given if isinstance(one, Traffic) and one.into + one.out}
    return [
        one for one in given if isinstance(one, LeftOut) or ways.get(one.name) not in heads
    ]  # fmt: skip


def networks(net_dev: bytes, path: object) -> list[Traffic | LeftOut]:
    """Traffic of the interfaces, without containers' ends of bridges."""
    return _unique(_networks(net_dev, path), "interface", path)


def _kibibytes(text: bytes, name: bytes) -> int | str:
    """An entry's kB, or why there are none."""
    start = text.find(b"\n" + name + b":")
    if start < 0:
        return "there is no such line"
    if text.find(b"\n" + name + b":", start + 1) >= 0:
        return "there are two such lines"
    start += len(name) + 2
    end = text.find(b"\n", start)
    entry = text[start:end] if end >= 0 else text[start:]
    match entry.split():
        case [digits, b"kB"] if (number := integer(digits)) is not None:
            if number * 1024 <= MOST_BYTES:
                return number
            return f"no machine has so much memory: {number} kB"
    return f"it is no number of kB: {quoted(entry.strip())}"


def _disks(
    diskstats: bytes, path: object, whole: Callable[[bytes], str]
) -> Iterator[Traffic | LeftOut]:
    lines = diskstats.split(b"\n")
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if len(fields) < 3:
            if fields:
                yield LeftOut(f"line {number} of {path}", f"it names no disk: {quoted(line)}")
            continue
        name = whole(fields[2])
        if not name:
            continue
        whole_line = len(fields) in _DISK_FIELDS or len(fields) == _most_fields(lines)
        read, written = (integer(fields[at]) if whole_line else None for at in (5, 9))
        if read is None or written is None or max(read, written) > _MOST_SECTORS:
            yield LeftOut(f"disk {name} of {path}", f"it has no bytes: {quoted(line.strip())}")
        else:
            yield Traffic(name, read * _SECTOR_BYTES, written * _SECTOR_BYTES)


def _most_fields(lines: list[bytes]) -> int | None:
    """How many fields most lines have, if that is more than is known yet."""
    ((most, _),) = Counter(len(line.split()) for line in lines if line).most_common(1)
    return most if most > max(_DISK_FIELDS) else None


def _networks(net_dev: bytes, path: object) -> Iterator[Traffic | LeftOut]:
    for number, line in enumerate(net_dev.split(b"\n"), 1):
        words, colon, rest = line.rpartition(b":")
        fields = rest.split()
        name = words.strip()
        if not colon:
            if fields and number > _HEADS:
                yield LeftOut(f"line {number} of {path}", f"it names no interface: {quoted(line)}")
            continue
        if name.startswith(_CONTAINER_ENDS):
            continue
        if name.split() != [name] or len(name) > _NAME_BYTES:
            yield LeftOut(f"line {number} of {path}", f"it names no interface: {quoted(line)}")
            continue
        shown = printable(name)
        if b":" in name:  # dev_valid_name (net/core/dev.c) refuses it
            reason = "an alias; its bytes are those of the interface before the colon"
        elif len(fields) != _NET_FIELDS or (
            (received := integer(fields[0])) is None or (sent := integer(fields[8])) is None
        ):
            reason = f"it has no bytes: {quoted(rest.strip())}"
        else:
            yield Traffic(shown, received, sent)
            continue
        yield LeftOut(f"interface {shown} of {path}", reason)


def _unique(given: Iterator[Traffic | LeftOut], kind: str, path: object) -> list[Traffic | LeftOut]:
    """Without those whose name comes twice: which of them is which cannot be known."""
    found = list(given)
    names = [traffic.name for traffic in found if isinstance(traffic, Traffic)]
    if len(set(names)) == len(names):
        return found
    return [
        LeftOut(f"{kind} {one.name} of {path}", "two lines have this name")
        if isinstance(one, Traffic) and names.count(one.name) > 1 else one
        for one in found
    ]  # fmt: skip
