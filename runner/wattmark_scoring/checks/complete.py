"""Does every counter of the boundary cover the window?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.boundary import BoundaryEnergy
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(energy: BoundaryEnergy) -> Check:
    """All counters of the boundary speak for the whole window, within one epoch each."""
    verdict = Verdict.VALID if energy.complete else Verdict.INVALID
    message = energy.reason or "every counter covers the window within one epoch"
    return Check("complete", verdict, energy.joules, None, "J", message)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.energy)


CHECK: Final = CheckFamily(
    words={
        "complete": Words(
            Question.SENSOR, "energy of the whole window",
            remedy="See that the exporter runs throughout, then measure again",
            states={
                Verdict.VALID: ("whole", "Every counter covers the windows"),
                Verdict.INVALID: ("not whole", "A counter does not cover the window: {message}"),
            },
        ),
    },
    limits=(
        Limit("complete", "every counter of the boundary covers the window in one epoch, and does"
              " not stand still²", "otherwise"),
    ),
    of_window=of_window,
)  # fmt: skip
