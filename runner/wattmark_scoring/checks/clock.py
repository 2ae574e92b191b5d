"""Whose clock stamped the window, and did a clock jump in it?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.window_facts import WindowFacts

LIMIT_SECONDS: Final = 0.05
"""As much as the exporter takes for a jump, with which its counters begin a new epoch."""


def check(name: str) -> list[Check]:
    """Times that a client gave cannot be checked: its clock may be off, or its stamps late."""
    if name != "client":
        return []
    text = "the client gave the window's times; let the runner stamp them (open, then close)"
    return [Check("clock", Verdict.WARNED, None, None, "", text)]


def jumps(facts: WindowFacts) -> Iterator[Check]:
    """The wall clock was stepped, or the machine slept: fails. Not made where it was not noted."""
    values = {
        "clock step": ("step of the wall clock", facts.clock_step_seconds),
        "suspended": ("time for which the machine slept", facts.suspended_seconds),
    }
    for name, (text, seconds) in values.items():
        if seconds is not None:
            yield against_limit(name, abs(seconds), LIMIT_SECONDS, "s", text, fail=LIMIT_SECONDS)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check`` and ``jumps``."""
    yield from check(measured.window.clock)
    yield from jumps(measured.data.facts)


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
        "clock step": Words(
            Question.MACHINE, "steps of the clock", "The wall clock was stepped by {found}",
            remedy="Let the clock be slewed, not stepped, and measure again",
        ),
        "suspended": Words(
            Question.MACHINE, "sleep of the machine", "The machine slept for {found}",
            remedy="Keep it awake while it measures",
        ),
    },
    limits=(
        Limit("clock", "the runner stamped the window"),
        Limit("clock step, suspended", "the wall clock is not stepped and the machine does not"
              " sleep: 0.05 s", "beyond"),
    ),
    of_window=of_window,
)  # fmt: skip
