"""One record of the spool: a header with lengths and check sum, what it is, and lines.

``HEAD``, then JSON (target, cursor, source, times), then line protocol. The check sum covers all
but itself. A record that cannot be read whole is ``DamagedRecord`` as a whole.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from wattmark_collector.errors import DamagedRecord

MAGIC: Final = b"WMS1"
HEAD: Final = struct.Struct("<4sIIII")
"""Magic, check sum, bytes of JSON, bytes of lines, number of lines."""


@dataclass(frozen=True, slots=True)
class Record:
    """A batch, or a part of one, on its way to the store.

    ``target`` and ``cursor`` as in ``Store.write``; empty if the batch moves no cursor. ``source``:
    the target it came from, empty if none, and ``newest_ns`` its newest sample. ``oldest_ns`` and
    ``latest_ns`` bound the times of all lines. ``at_ns``: when it was written.
    """

    lines: tuple[str, ...]
    at_ns: int
    oldest_ns: int
    latest_ns: int
    target: str = ""
    cursor: str = ""
    source: str = ""
    newest_ns: int | None = None


def pack(record: Record) -> bytes:
    """The record's bytes, head included."""
    about = json.dumps([
        record.at_ns, record.oldest_ns, record.latest_ns,
        record.target, record.cursor, record.source, record.newest_ns,
    ]).encode()  # fmt: skip
    body = "\n".join(record.lines).encode()
    sizes = len(about), len(body), len(record.lines)
    return HEAD.pack(MAGIC, _sum(sizes, about, body), *sizes) + about + body


def read(file: BinaryIO, end: int) -> Record | None:
    """The record at the file's position, which is before ``end``; None at ``end``.

    Raises ``DamagedRecord``, and ``OSError`` when the disk fails.
    """
    left = end - file.tell()
    if left <= 0:
        return None
    head = file.read(HEAD.size)
    if len(head) < HEAD.size or not head.startswith(MAGIC):
        raise DamagedRecord
    _, check, *sizes = HEAD.unpack(head)
    if sizes[0] + sizes[1] > left - HEAD.size:
        raise DamagedRecord
    about, body = file.read(sizes[0]), file.read(sizes[1])
    if _sum(tuple(sizes), about, body) != check:
        raise DamagedRecord
    at_ns, oldest_ns, latest_ns, target, cursor, source, newest_ns = json.loads(about)
    lines = tuple(body.decode().split("\n"))
    return Record(lines, at_ns, oldest_ns, latest_ns, target, cursor, source, newest_ns)


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no record, up to its byte ``end``. ``count``: the samples that
    were in them; 0 if that cannot be told."""

    end: int
    count: int = 0


def damage_at(file: BinaryIO, start: int, end: int) -> Damage:
    """How far the damage reaches that begins at byte ``start``: to the next record that can be
    read, or to ``end``. Raises ``OSError`` when the disk fails."""
    file.seek(start)
    rest = file.read(end - start)
    at = rest.find(MAGIC, 1)
    while at >= 0:
        file.seek(start + at)
        try:
            read(file, end)
        except (DamagedRecord, ValueError):
            at = rest.find(MAGIC, at + 1)
        else:
            return Damage(start + at, _count(rest, at))
    return Damage(end)


def _count(data: bytes, size: int) -> int:
    """The number of lines that a record's head gives, if that fits the ``size`` of the record."""
    if not data.startswith(MAGIC):
        return 0
    _, _, about, body, count = HEAD.unpack_from(data)
    return int(count) if HEAD.size + about + body == size else 0


def _sum(sizes: tuple[int, ...], about: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(about, zlib.crc32(struct.pack("<III", *sizes))))
