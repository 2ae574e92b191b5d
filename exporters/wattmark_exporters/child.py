"""A child process that answers one line with one line, and what it writes besides."""

import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from signal import SIGKILL, Signals
from threading import Thread
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_core.printable import printable
from wattmark_exporters import foreign
from wattmark_exporters.wire import decode, encode

log = logging.getLogger(__name__)

MOST_BYTES: Final = 8 << 20
"""Of one answer."""
END_SECONDS: Final = 0.5
LOG_SECONDS: Final = 10.0
MOST_LOG_LINES: Final = 20
"""Of what the child writes so many lines are kept each ``LOG_SECONDS``."""
MOST_LOG_CHARACTERS: Final = 300
_CHUNK_BYTES: Final = 65536
_FLOOD_PAUSE_SECONDS: Final = 0.2


class Child:
    """``python -m MODULE IN OUT PARENT …``: its ends of two pipes, and who started it. Not
    thread-safe: its sensor's thread calls it."""

    def __init__(self, module: str, name: str, *arguments: str) -> None:
        self._name = name
        theirs_in, self._commands = os.pipe2(os.O_CLOEXEC)
        self._results, theirs_out = os.pipe2(os.O_CLOEXEC)
        numbers = map(str, (theirs_in, theirs_out, os.getpid()))
        words = [sys.executable, "-m", module, *numbers, *arguments]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=(theirs_in, theirs_out), process_group=0,
            )  # fmt: skip
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._poll = select.poll()
        self._poll.register(self._results, select.POLLIN)
        self._rest = b""
        self._closed = False
        Thread(target=self._log, name=f"output {name}", daemon=True).start()

    def ask(self, seconds: float, call: str, *arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its answer, as ``answer``."""
        if self._closed:
            raise SensorFailed(self._ended())
        try:
            os.write(self._commands, encode({"call": call, "with": arguments}))
        except OSError as error:
            raise SensorFailed(self._ended()) from error
        return self.answer(seconds)

    def answer(self, seconds: float) -> dict[str, Any]:
        """The next answer. Raises what it says; ``SensorFailed`` if the process has ended, or does
        not answer in time: then it is ended."""
        line = self._line(time.monotonic() + seconds, seconds)
        try:
            answer = decode(line)
        except ValueError as error:
            self.end()
            raise SensorFailed("its process does not answer in JSON; it was ended") from error
        _raise(answer)
        return answer

    def end(self) -> None:
        """Let it go, or end it."""
        if self._closed:
            return
        self._closed = True
        os.close(self._commands)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._kill()
        self._process.wait()
        os.close(self._results)

    def _kill(self) -> None:
        """End the process and those that it has left behind: they are of its group."""
        with suppress(OSError):
            os.killpg(self._process.pid, SIGKILL)

    def _line(self, end: float, seconds: float) -> bytes:
        while b"\n" not in self._rest:
            if self._closed:
                raise SensorFailed(self._ended())
            if not self._poll.poll(max(0.0, end - time.monotonic()) * 1000):
                if self._process.poll() is not None:  # another holds its end of the pipe
                    raise SensorFailed(self._ended())
                self._kill()
                self.end()
                raise SensorFailed(f"it did not answer for {seconds:.0f} s; its process was ended")
            part = os.read(self._results, _CHUNK_BYTES)
            self._rest += part
            if not part:
                raise SensorFailed(self._ended())
            if len(self._rest) > MOST_BYTES:
                self._kill()
                self.end()
                raise SensorFailed(f"an answer has over {MOST_BYTES >> 20} MiB; it was ended")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _ended(self) -> str:
        self.end()
        status = self._process.returncode
        if status < 0:
            with suppress(ValueError):
                return f"its process was ended by {Signals(-status).name}"
        return f"its process has ended with status {status}"

    def _log(self) -> None:
        """Pass on what it writes, some lines at a time: a flood waits in its own pipe."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it is a pipe
        rest, lines, left, began = b"", 0, 0, time.monotonic()
        with output:
            while chunk := os.read(output.fileno(), _CHUNK_BYTES):
                if time.monotonic() - began > LOG_SECONDS:
                    self._tell_left(left)
                    lines, left, began = 0, 0, time.monotonic()
                *whole, rest = (rest + chunk).split(b"\n")
                kept = whole[: MOST_LOG_LINES - lines]
                for line in kept:
                    text = printable(line)[:MOST_LOG_CHARACTERS]
                    log.info("sensor %s writes: %s", self._name, text)
                lines += len(kept)
                left += len(whole) - len(kept)
                rest = rest[:_CHUNK_BYTES]
                if left:
                    time.sleep(_FLOOD_PAUSE_SECONDS)
        self._tell_left(left)

    def _tell_left(self, lines: int) -> None:
        if lines:
            log.info("sensor %s writes: … %d more lines", self._name, lines)


def _raise(answer: Mapping[str, Any]) -> None:
    if "refused" in answer:
        raise ConfigurationError(foreign.text(answer["refused"]))
    if "absent" in answer:
        reason, remedy, found = answer["absent"]
        raise SensorAbsent(foreign.text(reason), foreign.text(remedy), found=bool(found))
    if "failed" in answer:
        raise SensorFailed(foreign.text(answer["failed"]))
