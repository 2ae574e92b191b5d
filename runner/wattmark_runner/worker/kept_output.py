"""A program's output in a file that has an end: its beginning, its end, and how much lies between.

A file keeps the bytes as they came; whoever shows them makes them printable.
"""

import contextlib
import fcntl
import logging
import os
import re
import threading
import time
from io import FileIO
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

MOST_BYTES: Final = 10_000_000
"""Of a run's log."""
HEAD_BYTES: Final = 5_000_000
TAIL_BYTES: Final = 2_500_000
"""At least so much of the end is kept, and at most ``MOST_BYTES - HEAD_BYTES``."""
READ_BYTES: Final = 262_144
FLOOD_SECONDS: Final = 0.02
"""Of rest between two reads, once the beginning is kept: a program that prints more than 13 MB/s
waits, as it would for a slow terminal, and the service has its CPU time for other things."""
LEFT_OUT: Final = b"\n[wattmark: %16d bytes of output left out here]\n"
_MARK: Final = re.compile(rb"\n\[wattmark: +(\d+) bytes of output left out here\]\n")


class KeptFile:
    """The file at ``path``, to which output is appended; ``left_out``: bytes that are not kept."""

    def __init__(self, path: Path) -> None:
        self._file = _opened(path)
        self.size = self._file.seek(0, os.SEEK_END)
        self._file.seek(HEAD_BYTES)
        mark = _MARK.match(self._file.read(len(LEFT_OUT % 0)) or b"")
        self.left_out = int(mark[1]) if mark else 0
        self._tail_start = HEAD_BYTES + (len(mark[0]) if mark else 0)

    def append(self, output: bytes) -> None:
        """Add output, at most ``READ_BYTES`` of it. On a full disk it is left out, and counted."""
        try:
            self._file.seek(self.size)
            written = self._file.write(output)
            self.size += written
            self.left_out += len(output) - written  # the disk was full in the middle of it
            if self.size > MOST_BYTES - READ_BYTES:
                self._shorten()
        except OSError:
            self.left_out += len(output)

    def close(self) -> None:
        """The file is as it is to stay."""
        self._file.close()

    def _shorten(self) -> None:
        self._file.seek(self.size - TAIL_BYTES)
        tail = self._file.read(TAIL_BYTES)
        tail = tail[tail.find(b"\n") + 1 :]  # from the beginning of a line, if there is one
        self.left_out += self.size - self._tail_start - len(tail)
        mark = LEFT_OUT % self.left_out
        self._file.seek(HEAD_BYTES)
        self._file.write(mark + tail)
        self._tail_start = HEAD_BYTES + len(mark)
        self.size = self._tail_start + len(tail)
        self._file.truncate(self.size)


def _opened(path: Path) -> FileIO:
    """The file, or on a full disk one that keeps nothing: the program is to go on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path.open("r+b", buffering=0)
    except OSError as error:
        log.warning("%s: %s; what the program prints is not kept", path, error.strerror)
        return Path(os.devnull).open("r+b", buffering=0)


class KeptOutput:
    """Reads a pipe, in a thread of its own, into the file at ``path``, to the pipe's end.

    ``writing``: the end that a program is to have; close it once it has been started.
    """

    def __init__(self, path: Path) -> None:
        self._file = KeptFile(path)
        self._start = self._file.size
        self.path = path
        self._reading, self.writing = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a user has so many pages for pipes
            fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, READ_BYTES)
        self._thread = threading.Thread(target=self._read, name="wattmark-output", daemon=True)
        self._thread.start()

    @property
    def start(self) -> int:
        """The size of the file before."""
        return min(self._start, self._file.size)

    def started(self) -> None:
        """The program has its end of the pipe; this process lets go of it."""
        os.close(self.writing)

    def join(self, seconds: float) -> None:
        """Wait for the end of the output. A process that left the group may hold it open."""
        self._thread.join(seconds)

    def _read(self) -> None:
        with os.fdopen(self._reading, "rb", buffering=0) as pipe:
            while output := pipe.read(READ_BYTES):
                self._file.append(output)
                if self._file.size > HEAD_BYTES:
                    time.sleep(FLOOD_SECONDS)
        self._file.close()
