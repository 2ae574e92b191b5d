"""Progress with the time left: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from wattmark_cli.display import duration

LINE_SECONDS: Final = 5.0


class Reporter(Protocol):
    """Takes news of a long piece of work."""

    def tell(self, text: str, fraction: float, seconds_left: float) -> None:
        """``text``: what happens; ``fraction`` of all, 0 to 1; ``seconds_left`` of all."""
        ...


@contextmanager
def reporting() -> Iterator[Reporter]:
    """A reporter on standard error, which fits what that is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=1.0, left="?")

    def tell(self, text: str, fraction: float, seconds_left: float) -> None:
        self._bar.update(
            self._task, description=text, completed=fraction, left=duration(seconds_left)
        )


class _Lines:
    def __init__(self) -> None:
        self._text = ""
        self._next = 0.0

    def tell(self, text: str, fraction: float, seconds_left: float) -> None:
        now = time.monotonic()
        if text == self._text and now < self._next:
            return
        self._text, self._next = text, now + LINE_SECONDS
        sys.stderr.write(f"{fraction:4.0%}  {text:<34} {duration(seconds_left)} left\n")
        sys.stderr.flush()
