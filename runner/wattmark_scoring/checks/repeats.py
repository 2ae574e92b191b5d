"""Was it measured often enough?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredRun

LEAST: Final = 3.0


def check(count: int) -> Check:
    """At least 3 repeats, else the spread is not known."""
    return against_limit("repeats", float(count), LEAST, "", "measured windows", at_least=True)


def of_run(run: MeasuredRun) -> Iterator[Check]:
    """Those that are whole and have inferences."""
    yield check(len(run.joules_per_inference))


CHECK: Final = CheckFamily(
    words={
        "repeats": Words(
            Question.REPEATS, "number of repeats", "Measured windows: {found}",
            remedy="Measure more repeats", at_least=True,
        ),
    },
    limits=(Limit("repeats", "≥ 3 windows"),),
    of_run=of_run,
)  # fmt: skip
