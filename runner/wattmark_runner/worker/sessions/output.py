"""What a program prints, each line with the instant at which it came."""

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Final

from wattmark_core.clock import SystemClock

LINE_BYTES: Final = 65536
LINES: Final = 1000
"""The most lines that wait; then the program waits, as it would for a full pipe."""
POLL_SECONDS: Final = 0.1
TAIL_SECONDS: Final = 1.0


class Output:
    """Reads in a thread of its own, so that no line's stamp waits for work on the one before."""

    def __init__(self, program: subprocess.Popen[bytes], stream: IO[bytes]) -> None:
        self._program = program
        self._stream = stream
        self._lines: queue.Queue[tuple[bytes, int] | None] = queue.Queue(LINES)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def lines(self, enough: Callable[[], bool], grace: float) -> Iterator[tuple[bytes, int]]:
        """Lines and their CLOCK_BOOTTIME ns, to the end of the output.

        At most ``grace`` seconds longer once there is ``enough`` or the program has ended: a
        process that it left behind may hold the output open.
        """
        deadline: float | None = None
        while deadline is None or time.monotonic() < deadline:
            if deadline is None and (enough() or self._program.poll() is not None):
                deadline = time.monotonic() + grace
            try:
                line = self._lines.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                return
            yield line

    def close(self) -> None:
        """Let the rest go by; nobody may hold the output open any more."""
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._lines.get(timeout=POLL_SECONDS)
        self._stream.close()

    def _read(self) -> None:
        clock = SystemClock()
        while line := self._stream.readline(LINE_BYTES):
            self._lines.put((line, clock.boottime_ns()))
        self._lines.put(None)


class Tail:
    """Copies a stream into the log as it comes, and keeps its last line that is not empty."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._last = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def last(self) -> str:
        """The last line; what a program that has ended still has under way is awaited shortly."""
        self._thread.join(TAIL_SECONDS)
        return shown(self._last)

    def close(self) -> None:
        """Let the rest go by; nobody may hold the stream open any more."""
        self._thread.join()
        self._stream.close()

    def _read(self) -> None:
        while line := self._stream.readline(LINE_BYTES):
            log(line)
            self._last = line if line.strip() else self._last


def log(line: bytes) -> None:
    """Into the run's log, which is what this process prints."""
    sys.stdout.write(line.decode(errors="replace"))
    sys.stdout.flush()


def shown(line: bytes) -> str:
    """What stands on the screen of a line that a progress bar has written over and over."""
    return line.decode(errors="replace").strip().rpartition("\r")[2]
