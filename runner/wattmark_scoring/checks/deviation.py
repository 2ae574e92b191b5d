"""Do the repeats agree, and is there a trend in them?"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredRun

MEAN_RATIO: Final = 0.02
LARGEST_RATIO: Final = 0.05
DRIFT_RATIO: Final = 0.02


def check(joules_per_inference: Sequence[float]) -> list[Check]:
    """Mean |deviation| ≤ 2 %, largest ≤ 5 %, drift ≤ 2 %; of one repeat there is none."""
    count = len(joules_per_inference)
    if count < 2:
        return []
    values = np.asarray(joules_per_inference) / float(np.mean(joules_per_inference))
    away = np.abs(values - 1.0)
    drift = abs(float(np.polyfit(np.arange(count), values, 1)[0])) * (count - 1)
    text = "of energy per inference over the repeats"
    return [
        against_limit("deviation", float(away.mean()), MEAN_RATIO, "ratio",
                      f"mean deviation {text}"),
        against_limit("largest deviation", float(away.max()), LARGEST_RATIO, "ratio",
                      f"largest deviation {text}"),
        against_limit("drift", drift, DRIFT_RATIO, "ratio", f"drift {text}"),
    ]  # fmt: skip


def of_run(run: MeasuredRun) -> Iterable[Check]:
    """See ``check``."""
    return check(run.joules_per_inference)


CHECK: Final = CheckFamily(
    words={
        "drift": Words(
            Question.REPEATS, "trend", "Energy per inference drifted by {found} over the repeats",
            remedy="Warm up for longer, and see what else runs",
        ),
        "largest deviation": Words(
            Question.REPEATS, "worst repeat",
            "The worst repeat's energy per inference was {found} off the mean",
            remedy="See what else ran in that repeat, then measure again",
        ),
        "deviation": Words(
            Question.REPEATS, "spread of the repeats",
            "Energy per inference was {found} off its mean, on average over the repeats",
            remedy="See what else ran, or measure more repeats",
        ),
    },
    limits=(
        Limit("deviation, largest deviation, drift", "≤ 2 %, 5 %, 2 % of energy per inference over"
              " the repeats"),
    ),
    of_run=of_run,
)  # fmt: skip
