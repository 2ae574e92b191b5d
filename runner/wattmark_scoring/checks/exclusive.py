"""Did the window have its time for itself?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(overlapping: bool) -> Check:
    """Another window of the host shares the time: measured, but not attributable."""
    verdict = Verdict.INVALID if overlapping else Verdict.VALID
    text = "another window shares its time" if overlapping else "no other window shares its time"
    return Check("exclusive", verdict, float(overlapping), 0.0, "", text)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.window.overlapping)


CHECK: Final = CheckFamily(
    words={
        "exclusive": Words(
            Question.MACHINE, "no other window",
            remedy="Measure one thing at a time on a host",
            states={
                Verdict.VALID: ("alone", "No other window shared the time"),
                Verdict.INVALID: ("shared", "Another window of the host shared the time, so what it"
                                  " cost cannot be told apart"),
            },
        ),
    },
    limits=(Limit("exclusive", "no other window of the host shares the time", "otherwise"),),
    of_window=of_window,
)  # fmt: skip
