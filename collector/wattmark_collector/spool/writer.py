"""The segment that grows at the end of the spool."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wattmark_collector.spool.files import Segment, segment_path, sync_folder
from wattmark_collector.spool.record import Record, pack
from wattmark_core.errors import StoreError


class Pending:
    """What one thread appends. ``done`` once the outcome is known; ``error`` if it failed."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.data = [pack(record) for record in records]
        self.size = sum(map(len, self.data))
        self.done = False
        self.error: StoreError | None = None

    def resolve(self, error: StoreError | None) -> None:
        """Report the outcome to the thread that waits."""
        self.error = error
        self.done = True


@dataclass(slots=True)
class SegmentWriter:
    """At most one open file. All methods raise ``OSError`` when the disk refuses."""

    folder: Path
    number: int
    segment: Segment | None = None
    _file: int = -1

    def begin(self) -> Segment:
        """The open segment, or a new one."""
        if self.segment is None:
            self.number += 1
            path = segment_path(self.folder, self.number)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self.segment = Segment(self.number, path)
            sync_folder(self.folder)
        return self.segment

    def write(self, data: bytes) -> None:
        """Put bytes at the segment's end, on the disk."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)

    def undo(self) -> None:
        """Take away what a failed write has left. What comes next goes into a new segment: after
        a failed fsync it is unknown what this one holds beyond its size."""
        if self.segment is not None:
            with suppress(OSError):  # else the next start cuts it off
                os.ftruncate(self._file, self.segment.size)
                if not self.segment.size:
                    self.segment.path.unlink()
            self.end()

    def end(self) -> None:
        """Close the segment; the next record opens another."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self.segment = -1, None
