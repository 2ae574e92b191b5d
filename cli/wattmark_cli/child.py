"""A room as a child process, on the machine and under the lock of this program.

Children run in sessions of their own, so that Ctrl-C reaches this program alone, which then ends
them in order; should it be killed, the kernel ends them (PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Final

from wattmark_core.errors import RunError
from wattmark_runner.records.folder_lock import handed_on

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
LOG_BYTES: Final = 10_000_000
"""Of a room's log, beside which the one before it is kept."""
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Child:
    """A room that runs as a process of ours. ``log``: from byte ``log_start`` on it is the room's.
    ``ready``: the URL that it printed when it was."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    log_start: int
    ready: str = ""

    def check(self) -> None:
        """Raise ``RunError`` if it has ended."""
        if self.process.poll() is not None:
            reason = self.last_line() or f"status {self.process.returncode}"
            raise RunError(f"{self.name} has ended: {reason} (log: {self.log})")

    def last_line(self) -> str:
        """The last line that it wrote into the log."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            text = file.read().decode(errors="replace")
        lines = text.strip().splitlines()
        return lines[-1] if lines else ""


@contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[Child]:
    """A module run as a child process, from its line READY on; it holds the lock of the log's
    folder with us. What it says is added to the log. Raises ``RunError`` if it does not start."""
    descriptors, variables = handed_on(log.parent)
    with _appended(log) as log_file:
        start = log_file.tell()
        process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),
            pass_fds=descriptors,
            env={**os.environ, **variables},
            text=True,
        )
    try:
        child = Child(command[0], process, log, start)
        yield replace(child, ready=_ready(child))
    finally:
        _stop(process)


def _appended(log: Path) -> IO[bytes]:
    """The log, to be added to. One that has become long makes way for a new one first."""
    try:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
        return log.open("ab")
    except OSError as error:
        raise RunError(f"log {log} cannot be written: {error.strerror}; see to its disk") from error


def die_with(parent: int) -> None:
    """Be ended with the process ``parent``, which started this one; at once if it has gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _ready(child: Child) -> str:
    process = child.process
    timer = threading.Timer(READY_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        timer.cancel()
    if not line.startswith("READY"):
        process.wait()
        raise RunError(f"{child.last_line() or f'{child.name} did not start'} (log: {child.log})")
    return line.removeprefix("READY").strip()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
