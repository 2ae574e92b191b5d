"""Reads a segment of the spool piece by piece."""

from dataclasses import dataclass

from wattmark_collector.errors import DamagedRecord
from wattmark_collector.spool.files import Segment
from wattmark_collector.spool.record import Damage, Record, damage_at, read


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Records of one segment that wait for the store; they end at its byte ``end``."""

    segment: Segment
    end: int
    records: tuple[Record, ...]

    @property
    def count(self) -> int:
        """The number of samples."""
        return sum(len(record.lines) for record in self.records)

    @property
    def oldest_ns(self) -> int:
        """Time of the oldest sample."""
        return min(record.oldest_ns for record in self.records)

    @property
    def latest_ns(self) -> int:
        """Time of the newest sample."""
        return max(record.latest_ns for record in self.records)


def read_waiting(segment: Segment, start: int, end: int, most_lines: int) -> Waiting | Damage:
    """Records from byte ``start``, not beyond ``end``, up to ``most_lines`` or one if it is larger.
    ``Damage`` if the first cannot be read."""
    records: list[Record] = []
    lines = 0
    try:
        with segment.path.open("rb") as file:
            file.seek(start)
            try:
                while record := read(file, end):
                    lines += len(record.lines)
                    if records and lines > most_lines:
                        break
                    records.append(record)
                    start = file.tell()
            except (DamagedRecord, ValueError):
                if not records:
                    return damage_at(file, start, end)
    except OSError:
        if not records:
            return Damage(end)
    return Waiting(segment, start, tuple(records))
