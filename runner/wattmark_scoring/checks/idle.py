"""Are there idle baselines before and after, and do they agree?"""

from collections.abc import Iterable
from typing import Final

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import IDLE_SECONDS, MeasuredRun

LIMIT_RATIO: Final = 0.02


def check(
    before_seconds: float | None,
    after_seconds: float | None,
    before_watts: float | None,
    after_watts: float | None,
) -> list[Check]:
    """Idle baselines of ≥ 30 s before and after that agree within 2 %."""
    shortest, difference = None, None
    if before_seconds is not None and after_seconds is not None:
        shortest = min(before_seconds, after_seconds)
    if before_watts is not None and after_watts is not None and before_watts + after_watts > 0:
        difference = 2.0 * abs(before_watts - after_watts) / (before_watts + after_watts)
    return [
        against_limit("idle length", shortest, IDLE_SECONDS, "s", "shorter idle baseline",
                      at_least=True),
        against_limit("idle agreement", difference, LIMIT_RATIO, "ratio",
                      "idle power before and after"),
    ]  # fmt: skip


def of_run(run: MeasuredRun) -> Iterable[Check]:
    """See ``check``."""
    before, after = run.baselines
    return check(
        before.window.seconds if before else None,
        after.window.seconds if after else None,
        before.watts if before else None,
        after.watts if after else None,
    )


CHECK: Final = CheckFamily(
    words={
        "idle length": Words(
            Question.MACHINE, "idle baselines", "The shorter idle baseline lasted {found}",
            "An idle baseline is missing, before or after",
            "Measure the idle machine for longer, before and after", at_least=True,
        ),
        "idle agreement": Words(
            Question.MACHINE, "idle before and after",
            "Idle power before and after differed by {found}",
            "Whether idle power was the same before and after is not known",
            "See what else began or ended in between, then measure again",
        ),
    },
    limits=(
        Limit("idle length, idle agreement", "baselines ≥ 30 s, before and after within 2 %"),
    ),
    of_run=of_run,
)  # fmt: skip
