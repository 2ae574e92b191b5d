"""Runs somebody's command and keeps out of its way."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
SIGNALLED: Final = 128
"""What a shell answers: 128 + n for a command that signal n ended."""
_PASSED_ON: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit status as a shell gives it, CPU seconds of it and its children.

    ``error``: why it could not be started, one line.
    """

    status: int
    cpu_seconds: float | None
    error: str = ""


def run_command(command: Sequence[str]) -> Ended:
    """Run it with our own standard streams; signals that we get are passed on to it.

    Ctrl-C reaches it from the terminal itself, so that one is only ignored here.
    """
    try:
        process = subprocess.Popen(list(command))  # noqa: S603 - the user's own command
    except OSError as error:
        status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        return Ended(status, None, f"{command[0]}: {error.strerror}")
    with _passing_on(process.pid):
        _, waited, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(waited)
    process.returncode = code
    return Ended(SIGNALLED - code if code < 0 else code, usage.ru_utime + usage.ru_stime)


@contextmanager
def _passing_on(pid: int) -> Iterator[None]:
    def hand_on(number: int, _: FrameType | None) -> None:
        os.kill(pid, number)

    before = {number: signal.signal(number, hand_on) for number in _PASSED_ON}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
