"""Whose clock stamped the window?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(name: str) -> list[Check]:
    """Times that a client gave cannot be checked: its clock may be off, or its stamps late."""
    if name != "client":
        return []
    text = "the client gave the window's times; let the runner stamp them (open, then close)"
    return [Check("clock", Verdict.WARNED, None, None, "", text)]


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield from check(measured.window.clock)


CHECK: Final = CheckFamily(
    words={
        "clock": Words(
            Question.SENSOR, "who stamped the windows",
            remedy="Let the runner stamp them: open a window, then close it",
            states={
                Verdict.WARNED: ("the client", "The client gave the windows' times, which cannot be"
                                 " checked"),
            },
        ),
    },
    limits=(Limit("clock", "the runner stamped the window"),),
    of_window=of_window,
)  # fmt: skip
