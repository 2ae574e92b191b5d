"""Was the network warmed up first?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.results import Check, Phase
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredRun

LEAST_SECONDS: Final = 3.0


def check(seconds: float | None) -> Check:
    """Warm-up left out of the windows: ≥ 3 s."""
    message = "warm-up before the first window"
    return against_limit("warm-up", seconds, LEAST_SECONDS, "s", message, at_least=True)


def of_run(run: MeasuredRun) -> Iterator[Check]:
    """All warm-up together."""
    warm = run.of_phase(Phase.WARMUP)
    yield check(sum(measured.window.seconds for measured in warm) if warm else None)


CHECK: Final = CheckFamily(
    words={
        "warm-up": Words(
            Question.REPEATS, "warm-up", "The warm-up before the first window lasted {found}",
            "There was no warm-up before the first window", "Warm up for longer", at_least=True,
        ),
    },
    limits=(Limit("warm-up", "≥ 3 s, left out"),),
    of_run=of_run,
)  # fmt: skip
