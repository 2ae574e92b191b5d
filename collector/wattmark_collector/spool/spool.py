"""A queue on disk: batches in, in order, each on the disk before ``append`` returns.

Many threads append, one reads. Those that come at the same time share one fsync. When the limit is
reached the oldest segment goes. What has been read stays until ``forget``, or until its space is
needed, and is read again after a crash.
"""

import os
from collections.abc import Sequence
from errno import ENOSPC
from pathlib import Path
from threading import Lock
from typing import Final

from wattmark_collector.spool.files import Segment, lock, save_cursors, scan_folder
from wattmark_collector.spool.loss import LossLog
from wattmark_collector.spool.queue import SegmentQueue
from wattmark_collector.spool.reader import Waiting, read_waiting
from wattmark_collector.spool.record import Damage, Record
from wattmark_collector.spool.writer import Pending, SegmentWriter
from wattmark_core.errors import StoreError

DEFAULT_BYTES: Final = 1 << 30
SEGMENT_BYTES: Final = 4 << 20
SEGMENTS_AT_LEAST: Final = 16


class Spool:
    """The spool in ``folder``, of at most ``limit_bytes`` of segments.

    Raises ``ConfigurationError`` if the folder cannot be used or another process has it.
    """

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.loss = LossLog(folder, limit_bytes)
        self.segment_bytes = min(SEGMENT_BYTES, max(1, limit_bytes // SEGMENTS_AT_LEAST))
        self._held = lock(folder)
        segments, cursors, self.damaged_bytes = scan_folder(folder)
        last = max((segment.number for segment in segments), default=0)
        self._queue = SegmentQueue(segments, cursors, self.loss)
        self._writer = SegmentWriter(folder, last)
        self._pending: list[Pending] = []
        self._pending_lock = Lock()
        self._committing = Lock()

    def cursor(self, target: str) -> str:
        """The cursor last written for ``target``; empty if none."""
        return self._queue.cursor(target)

    @property
    def waiting_bytes(self) -> int:
        """What is not in the store yet."""
        return self._queue.waiting_bytes()

    @property
    def waiting_since_ns(self) -> int | None:
        """When the oldest that waits was written, or the record before it; None if nothing does."""
        return self._queue.waiting_since_ns()

    def append(self, records: Sequence[Record]) -> None:
        """Put records on the disk, all or none. Raises ``StoreError`` if they are not on it."""
        mine = Pending(records)
        with self._pending_lock:
            self._pending.append(mine)
        with self._committing:  # the first thread commits for all that wait
            if not mine.done:
                self._commit_pending()
        if mine.error is not None:
            raise mine.error

    def next(self, most_lines: int, seconds: float) -> Waiting | None:
        """The oldest records that wait, up to ``most_lines``, or one if it is larger; None if none
        came within ``seconds``. They are in hand until ``sent`` or ``give_back``."""
        while span := self._queue.first(seconds):
            waiting = read_waiting(*span, most_lines)
            if not isinstance(waiting, Damage):
                return waiting if self._queue.take(waiting) else None
            self.damaged_bytes += self._queue.skip(span[0], waiting)
        return None

    def sent(self, waiting: Waiting) -> bool:
        """It is in the store; does a later segment wait?"""
        behind = self._queue.sent(waiting)
        self.loss.recovered(self.waiting_bytes)
        return behind

    def give_back(self, waiting: Waiting) -> None:
        """It is not in the store, and its reader ends."""
        self._queue.give_back(waiting)

    def wake(self) -> None:
        """End the wait of ``next``."""
        self._queue.wake()

    def sent_segments(self) -> list[Segment]:
        """Those that are in the store as a whole and grow no more."""
        growing = self._writer.segment
        return [segment for segment in self._queue.all_sent() if segment is not growing]

    def forget(self, segments: list[Segment]) -> None:
        """Delete what is no longer needed. Raises ``StoreError``."""
        try:
            with self._committing:
                self._delete(segments)
        except OSError as error:
            raise _refusal(self.folder, error) from error

    def close(self) -> None:
        """Close; what waits stays for the next start."""
        with self._committing:
            self._writer.end()
            self.loss.end_episode()
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    def _commit_pending(self) -> None:
        """All that wait, in order, a segment's worth at a time."""
        while group := self._take():
            try:
                refusal = self._write(group)
            except OSError as error:
                refusal = _refusal(self.folder, error)
            except BaseException:
                refusal = StoreError(f"spool {self.folder}: a batch was not written")
                raise
            finally:
                if refusal is not None:
                    self._writer.undo()
                for pending in group:
                    pending.resolve(refusal)

    def _take(self) -> list[Pending]:
        group: list[Pending] = []
        size = 0
        with self._pending_lock:
            while self._pending and (
                not group or size + self._pending[0].size < self.segment_bytes
            ):
                size += self._pending[0].size
                group.append(self._pending.pop(0))
        return group

    def _write(self, group: list[Pending]) -> StoreError | None:
        """Raises ``OSError`` if it is not on the disk; returns why it will never be."""
        data = b"".join(piece for pending in group for piece in pending.data)
        if len(data) > self.limit_bytes:
            return StoreError(
                f"spool {self.folder}: a batch of {len(data)} bytes is more than all of it may"
                f" hold ({self.limit_bytes}); raise --spool-bytes"
            )
        self._make_room(len(data))
        if self._writer.segment is not None and self._writer.segment.damaged:
            self._writer.end()
        segment = self._writer.begin()
        self._writer.write(data)
        self._queue.add(segment, group)
        if segment.size >= self.segment_bytes:
            self._writer.end()
        return None

    def _make_room(self, size: int) -> None:
        """The oldest go; of those that are in the store already nothing is lost."""
        gone = self._queue.oldest(self._queue.total_bytes() + size - self.limit_bytes)
        if self._writer.segment in gone:
            self._writer.end()
        self._delete(gone)

    def _delete(self, gone: list[Segment]) -> None:
        if not gone:
            return
        self._save_cursors()
        for segment in self._queue.drop(gone):
            segment.path.unlink(missing_ok=True)

    def _save_cursors(self) -> None:
        """On a full disk it fails, and the deletion that follows puts that right. Without cursors
        nothing is lost: the exporters' rings are read from the beginning."""
        try:
            save_cursors(self.folder, self._queue.cursors())
        except OSError as error:
            if error.errno != ENOSPC:
                raise


def _refusal(folder: Path, error: OSError) -> StoreError:
    if error.errno == ENOSPC:
        return StoreError(f"spool {folder}: no space is left on its disk; free some")
    return StoreError(f"spool {folder} cannot be written: {error.strerror}; check its disk")
