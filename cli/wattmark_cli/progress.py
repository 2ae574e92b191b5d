"""Progress with the time left: a bar on a terminal, a line now and then elsewhere.

It is shown while energy is measured, on the machine that is measured, so it has to cost nothing:
rich's bar, drawn ten times a second, took 12 ms of CPU time a second, three times what exporter,
collector and runner take together.
"""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from wattmark_core.figures import duration
from wattmark_core.printable import printable

LINE_SECONDS: Final = 5.0
TEXT_WIDTH: Final = 34
CLEAR: Final = "\r\x1b[2K"


class Reporter(Protocol):
    """Shows the progress of a long piece of work."""

    def report(self, text: str, fraction: float, seconds_left: float) -> None:
        """``text``: what happens; ``fraction`` of all, 0 to 1; ``seconds_left`` of all."""
        ...


@contextmanager
def reporting() -> Iterator[Reporter]:
    """A reporter on standard error, which fits what that is."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    try:
        yield _Bar()
    finally:
        sys.stderr.write(CLEAR)
        sys.stderr.flush()


class _Bar:
    """One line that is written over and leaves the cursor at its start, for the next line."""

    def report(self, text: str, fraction: float, seconds_left: float) -> None:
        end = f"{fraction:4.0%}  {duration(seconds_left)} left"
        room = max(0, shutil.get_terminal_size().columns - TEXT_WIDTH - len(end) - 3)
        bar = "━" * round(fraction * room)
        text = printable(text)
        sys.stderr.write(f"{CLEAR}{text:<{TEXT_WIDTH}.{TEXT_WIDTH}} {bar:<{room}} {end}\r")
        sys.stderr.flush()


class _Lines:
    def __init__(self) -> None:
        self._text = ""
        self._next = 0.0

    def report(self, text: str, fraction: float, seconds_left: float) -> None:
        now = time.monotonic()
        if text == self._text and now < self._next:
            return
        self._text, self._next = text, now + LINE_SECONDS
        text = printable(text)
        sys.stderr.write(f"{fraction:4.0%}  {text:<{TEXT_WIDTH}} {duration(seconds_left)} left\n")
        sys.stderr.flush()
