"""The last minutes of samples, kept in memory for collectors that come back."""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from wattmark_core.units import seconds_to_ns
from wattmark_exporters.line_format import LineFormat

KEEP_SECONDS: Final = 600.0
MOST_LINES: Final = 100_000
"""2 to 4 MiB where reads give many samples or wait for one another, up to 18 MiB where each sample
comes by itself; a host with many devices keeps less than ten minutes."""

PIECE_LINES: Final = 1000


class Chunk:
    """Samples of one series, or of several in turn: ``last`` is the number of the last one."""

    __slots__ = ("data", "format", "last", "lines", "time_ns")

    def __init__(
        self, last: int, lines: int, time_ns: int, line_format: LineFormat, data: bytes
    ) -> None:
        self.last = last
        self.lines = lines
        self.time_ns = time_ns
        self.format = line_format
        self.data = data


@dataclass(frozen=True, slots=True)
class RingPage:
    """What came after a cursor. ``lost``: lines that came after it and are gone."""

    chunks: list[Chunk]
    cursor: str
    lost: int

    @property
    def lines(self) -> int:
        """How many there are."""
        return sum([chunk.lines for chunk in self.chunks])

    def text(self) -> str:
        """The lines, each with its line feed; they are made here, on request."""
        return "".join([chunk.format.lines(chunk.data) for chunk in self.chunks])

    def pieces(self) -> Iterator[bytes]:
        """The same, encoded, in pieces of ``PIECE_LINES`` lines or a chunk that has more."""
        texts: list[str] = []
        lines = 0
        for chunk in self.chunks:
            texts.append(chunk.format.lines(chunk.data))
            lines += chunk.lines
            if lines >= PIECE_LINES:
                yield "".join(texts).encode()
                texts, lines = [], 0
        yield "".join(texts).encode()


class Ring:
    """Packed samples, numbered from 1. A cursor is ``INSTANCE:SEQ``, SEQ being the last
    sample that was handed out; the instance is another one after each start."""

    def __init__(
        self,
        *,
        keep_seconds: float = KEEP_SECONDS,
        most_lines: int = MOST_LINES,
    ) -> None:
        self.instance = os.urandom(8).hex()
        self._keep_ns = seconds_to_ns(keep_seconds)
        self._most_lines = most_lines
        self._chunks: deque[Chunk] = deque()
        self._last = 0
        self._held = 0
        self._lock = Lock()

    def append(self, line_format: LineFormat, data: bytes, lines: int, time_ns: int) -> None:
        """Keep ``lines`` packed samples from ``time_ns`` (any clock that never goes back)."""
        chunks, oldest_ns = self._chunks, time_ns - self._keep_ns
        with self._lock:
            self._last = last = self._last + lines
            self._held += lines
            chunks.append(Chunk(last, lines, time_ns, line_format, data))
            while chunks and (self._held > self._most_lines or chunks[0].time_ns < oldest_ns):
                self._held -= chunks.popleft().lines

    def after(self, cursor: str) -> RingPage:
        """What came after ``cursor``; everything if it is empty or of another instance."""
        with self._lock:
            gone = self._last - self._held
            seen = self._sequence(cursor)
            if seen is None:
                seen, lost = 0, (gone if cursor else 0)
            else:
                lost = max(0, gone - seen)
            chunks: list[Chunk] = []
            for chunk in reversed(self._chunks):  # the cost is that of the answer
                if chunk.last <= seen:
                    break
                chunks.append(chunk)
            chunks.reverse()
            return RingPage(chunks, f"{self.instance}:{self._last}", lost)

    def _sequence(self, cursor: str) -> int | None:
        instance, _, sequence = cursor.rpartition(":")
        if instance != self.instance or not (sequence.isascii() and sequence.isdigit()):
            return None
        return int(sequence) if int(sequence) <= self._last else None
