"""The last minutes of samples, kept in memory for collectors that come back."""

import secrets
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Final, NamedTuple

from wattmark_core.units import seconds_to_ns

KEEP_SECONDS: Final = 600.0
MOST_LINES: Final = 100_000
"""About 12 MiB; a host with many devices keeps less than ten minutes."""


@dataclass(frozen=True, slots=True)
class Page:
    """``chunks``: whole lines, each with its line feed. ``lost``: lines that came after the cursor
    and are gone."""

    chunks: list[bytes]
    cursor: str
    lost: int


class _Chunk(NamedTuple):
    last: int
    lines: int
    time_ns: int
    data: bytes


class Ring:
    """Chunks of lines, numbered by line from 1. A cursor is ``INSTANCE:SEQ``, SEQ being the last
    line that was handed out; the instance is another one after each start."""

    def __init__(
        self,
        *,
        keep_seconds: float = KEEP_SECONDS,
        most_lines: int = MOST_LINES,
        instance: str = "",
    ) -> None:
        self.instance = instance or secrets.token_hex(8)
        self._keep_ns = seconds_to_ns(keep_seconds)
        self._most_lines = most_lines
        self._chunks: deque[_Chunk] = deque()
        self._last = 0
        self._held = 0
        self._lock = Lock()

    def append(self, data: bytes, lines: int, time_ns: int) -> None:
        """Keep ``lines`` lines from ``time_ns`` (any clock that never goes back)."""
        with self._lock:
            self._last += lines
            self._held += lines
            self._chunks.append(_Chunk(self._last, lines, time_ns, data))
            while self._chunks and self._overdue(self._chunks[0], time_ns):
                self._held -= self._chunks.popleft().lines

    def _overdue(self, oldest: _Chunk, time_ns: int) -> bool:
        return self._held > self._most_lines or time_ns - oldest.time_ns > self._keep_ns

    def after(self, cursor: str) -> Page:
        """What came after ``cursor``; everything if it is empty or of another instance."""
        with self._lock:
            gone = self._last - self._held
            seen = self._sequence(cursor)
            if seen is None:
                seen, lost = 0, (gone if cursor else 0)
            else:
                lost = max(0, gone - seen)
            chunks: list[bytes] = []
            for chunk in reversed(self._chunks):  # the cost is that of the answer
                if chunk.last <= seen:
                    break
                chunks.append(chunk.data)
            chunks.reverse()
            return Page(chunks, f"{self.instance}:{self._last}", lost)

    def _sequence(self, cursor: str) -> int | None:
        instance, _, sequence = cursor.rpartition(":")
        if instance != self.instance or not (sequence.isascii() and sequence.isdigit()):
            return None
        return int(sequence) if int(sequence) <= self._last else None
