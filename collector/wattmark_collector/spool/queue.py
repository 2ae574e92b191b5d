"""What the spool holds, in order, and how far the reader has come. Threads may share it."""

from threading import Condition

from wattmark_collector.spool.files import Segment
from wattmark_collector.spool.loss import LossLog
from wattmark_collector.spool.reader import Waiting
from wattmark_collector.spool.record import Damage
from wattmark_collector.spool.writer import Pending


class SegmentQueue:
    """The segments, oldest first, and the cursors of all that was ever appended."""

    def __init__(self, segments: list[Segment], cursors: dict[str, str], loss: LossLog) -> None:
        self._segments = segments
        self._cursors = cursors
        self._loss = loss
        self._in_hand: Waiting | None = None
        self._state = Condition()

    def cursors(self) -> dict[str, str]:
        """The cursor of each target, as of the last record."""
        with self._state:
            return dict(self._cursors)

    def cursor(self, target: str) -> str:
        """The cursor last appended for ``target``; empty if none."""
        with self._state:
            return self._cursors.get(target, "")

    def waiting_bytes(self) -> int:
        """What is not in the store yet."""
        with self._state:
            return sum(segment.size - segment.sent_bytes for segment in self._segments)

    def waiting_since_ns(self) -> int | None:
        """When the oldest that waits was written, or the record before it; None if nothing does."""
        with self._state:
            if self._in_hand is not None:
                return self._in_hand.records[0].at_ns
            return next((one.at_ns for one in self._segments if not one.is_sent), None)

    def add(self, segment: Segment, group: list[Pending]) -> None:
        """What ``group`` holds is on the disk now, at the end of ``segment``."""
        with self._state:
            if segment not in self._segments:
                self._segments.append(segment)
            for pending in group:
                for record, data in zip(pending.records, pending.data, strict=True):
                    segment.add(len(data), len(record.lines), record.oldest_ns, record.latest_ns,
                                record.at_ns)  # fmt: skip
                    if record.target:
                        self._cursors[record.target] = record.cursor
            self._state.notify_all()

    def first(self, seconds: float) -> tuple[Segment, int, int] | None:
        """The oldest segment that waits, and from which byte to which; None if none came within
        ``seconds``."""
        with self._state:
            if all(segment.is_sent for segment in self._segments):
                self._state.wait(seconds)
            for segment in self._segments:
                if not segment.is_sent:
                    return segment, segment.sent_bytes, segment.size
        return None

    def take(self, waiting: Waiting) -> bool:
        """The reader has it in hand; false if its segment has gone meanwhile."""
        with self._state:
            if waiting.segment in self._segments:
                self._in_hand = waiting
        return self._in_hand is waiting

    def skip(self, segment: Segment, damage: Damage) -> int:
        """It cannot be read up to there: go on with what comes after; how many bytes that costs."""
        with self._state:
            if segment not in self._segments:
                return 0
            start, segment.damaged = segment.sent_bytes, True
            segment.sent_bytes = damage.end
            left = segment.count - segment.sent_count
            lost = left if segment.is_sent else min(damage.count, left)
            segment.sent_count += lost
            self._loss.damaged(segment.path.name, start, lost)
            return damage.end - start

    def sent(self, waiting: Waiting) -> bool:
        """It is in the store; does a later segment wait?"""
        with self._state:
            self._in_hand = None
            waiting.segment.sent_bytes = waiting.end
            waiting.segment.sent_count += waiting.count
            waiting.segment.at_ns = waiting.records[-1].at_ns
            self._end_damaged(waiting.segment)
            return bool(self._segments) and self._segments[-1] is not waiting.segment

    def _end_damaged(self, segment: Segment) -> None:
        """Count what a damaged segment held and nobody could read, now that it is known."""
        lost = segment.count - segment.sent_count
        if segment.damaged and segment.is_sent and lost:
            segment.sent_count = segment.count
            self._loss.damaged(segment.path.name, 0, lost)

    def give_back(self, waiting: Waiting) -> None:
        """It is not in the store, and the reader ends."""
        with self._state:
            self._in_hand = None
            if waiting.segment not in self._segments:
                self._loss.add(waiting.count, waiting.oldest_ns, waiting.latest_ns)

    def wake(self) -> None:
        """End the wait of ``first``."""
        with self._state:
            self._state.notify_all()

    def all_sent(self) -> list[Segment]:
        """Segments of which nothing waits."""
        with self._state:
            return [segment for segment in self._segments if segment.is_sent]

    def oldest(self, excess_bytes: int) -> list[Segment]:
        """The oldest segments, enough that at least ``excess_bytes`` become free."""
        gone: list[Segment] = []
        with self._state:
            for segment in self._segments:
                if excess_bytes <= 0:
                    break
                excess_bytes -= segment.size
                gone.append(segment)
        return gone

    def total_bytes(self) -> int:
        """The size of all segments."""
        with self._state:
            return sum(segment.size for segment in self._segments)

    def drop(self, gone: list[Segment]) -> list[Segment]:
        """Forget segments; what waits in them is lost, but for what the reader has in hand. Returns
        those that it had."""
        with self._state:
            dropped = [segment for segment in gone if segment in self._segments]
            self._segments = [segment for segment in self._segments if segment not in gone]
            for segment in dropped:
                self._count_lost(segment)
        return dropped

    def _count_lost(self, segment: Segment) -> None:
        lost = segment.count - segment.sent_count
        if self._in_hand is not None and self._in_hand.segment is segment:
            lost -= self._in_hand.count
        if lost and segment.oldest_ns is not None and segment.latest_ns is not None:
            self._loss.add(lost, segment.oldest_ns, segment.latest_ns)
