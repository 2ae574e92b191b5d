"""What a program prints: its reports with the instant at which they came, the rest into the log.

A program that prints without end costs little: what cannot be a report is passed on in blocks.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

from wattmark_core.clock import SystemClock

Report = dict[str, Any]
LINE_BYTES: Final = 65536
REPORTS: Final = 1000
"""The most reports that wait; then the program waits, as it would for a full pipe."""
POLL_SECONDS: Final = 0.1
TAIL_SECONDS: Final = 1.0


class Output:
    """Reads in a thread of its own, so that no report's stamp waits for work on the one before.

    ``report`` says what a line reports, None: nothing.
    """

    def __init__(
        self, program: subprocess.Popen[bytes], stream: IO[bytes],
        report: Callable[[bytes], Report | None],
    ) -> None:  # fmt: skip
        self._program = program
        self._stream = stream
        self._report = report
        self._last = b""
        self._reports: queue.Queue[tuple[Report, int] | None] = queue.Queue(REPORTS)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def reports(self, enough: Callable[[], bool], grace: float) -> Iterator[tuple[Report, int]]:
        """Reports and their CLOCK_BOOTTIME ns, to the end of the output.

        At most ``grace`` seconds longer once there is ``enough`` or the program has ended: a
        process that it left behind may hold the output open.
        """
        deadline: float | None = None
        while deadline is None or time.monotonic() < deadline:
            if deadline is None and (enough() or self._program.poll() is not None):
                deadline = time.monotonic() + grace
            try:
                report = self._reports.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if report is None:
                return
            yield report

    def last(self) -> str:
        """The last line of all that went into the log."""
        return shown(self._last)

    def close(self) -> None:
        """Let the rest go by; nobody may hold the output open any more."""
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._reports.get(timeout=POLL_SECONDS)
        self._stream.close()

    def _read(self) -> None:
        for block, time_ns in _blocks(self._stream):
            if b"{" not in block:
                self._pass_on(block)
                continue
            text: list[bytes] = []
            for line in _lines(block):
                report = self._report(line) if b"{" in line else None
                if report is None:
                    text.append(line)
                else:
                    self._reports.put((report, time_ns))
            self._pass_on(b"".join(text))
        self._reports.put(None)

    def _pass_on(self, text: bytes) -> None:
        if text:
            log(text)
            self._last = _last_of(text) or self._last


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
        for block, _ in _blocks(self._stream):
            log(block)
            self._last = _last_of(block) or self._last


def log(text: bytes) -> None:
    """Into the run's log, which is what this process prints."""
    sys.stdout.flush()
    left = memoryview(text)
    while left:
        left = left[os.write(sys.stdout.fileno(), left) :]


def shown(line: bytes) -> str:
    """What stands on the screen of a line that a progress bar has written over and over.

    What cannot be printed is still in it."""
    return line.decode(errors="surrogateescape").strip().rpartition("\r")[2]


def _blocks(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Whole lines, as many as have come, and when the last of them did; a line that is too long in
    parts."""
    clock = SystemClock()
    rest = b""
    while part := os.read(stream.fileno(), LINE_BYTES):
        time_ns = clock.boottime_ns()
        whole, end, after = part.rpartition(b"\n")
        if end:
            yield rest + whole + end, time_ns
            rest = after
        else:
            rest += after
        if len(rest) >= LINE_BYTES:
            yield rest, time_ns
            rest = b""
    if rest:
        yield rest, clock.boottime_ns()


def _lines(block: bytes) -> list[bytes]:
    """A carriage return ends none: a progress bar goes on in the same one."""
    *lines, last = block.split(b"\n")
    return [*(line + b"\n" for line in lines), *([last] if last else [])]


def _last_of(block: bytes) -> bytes:
    """Its last line that is not empty."""
    return block.rstrip()[-LINE_BYTES:].rpartition(b"\n")[2]
