"""The texts beside a score: energy, accuracy and score with their digits, the run before, and what
did not pass."""

import math
from collections.abc import Sequence
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.figures import TIMES, figure
from wattmark_core.results import Score, Verdict
from wattmark_scoring import score_words
from wattmark_scoring.energy import ESTIMATE_FACTOR
from wattmark_scoring.interval import Interval

NO_SCATTER: Final = 1e-9
"""Half-width in ln below which an interval without the estimate's factor holds no scatter."""


def score_texts(score: Score, known: Sequence[Score]) -> dict[str, str]:
    """Texts under their fields' names; what there is nothing to say of is left out.

    ``known``: energy scores of the workload, in which the run before is looked for.
    """
    own = score_words.score_texts(score)
    texts = {"findings": own.findings}
    if score.joules_per_inference is not None:
        texts["energy_text"] = own.energy
    if score.accuracy is not None:
        texts["accuracy_text"] = own.accuracy
    if score.value is not None:
        texts["score_text"] = own.score
    before = previous(score, known)
    if before is not None:
        texts |= {"previous_text": compared(score, before), "previous_run_id": before.run_id}
    return texts


def previous(score: Score, known: Sequence[Score]) -> Score | None:
    """The last earlier run of the same variant, place, workload and boundary that has an energy
    and is not invalid: what an invalid run cost is not known."""
    if score.joules_per_inference is None:
        return None
    earlier = [
        other
        for other in known
        if other.time_ns < score.time_ns
        and other.run_id != score.run_id
        and _series(other) == _series(score)
        and other.joules_per_inference is not None
        and other.verdict is not Verdict.INVALID
    ]
    return max(earlier, key=lambda other: other.time_ns, default=None)


def compared(score: Score, before: Score) -> str:
    """Energy per inference over that of the run before, and whether the two differ.

    The 95 % interval of the ratio is made in ln, of both intervals in squares. An estimate's
    factor of two is the same in both runs of a place and cancels: their intervals are taken
    without it, which leaves the repeats' scatter (and the instrument's error). An estimate of a
    single repeat has no scatter, and then nothing is said of whether they differ.
    """
    common = score.method is Method.ESTIMATED and before.method is Method.ESTIMATED
    factor = ESTIMATE_FACTOR if common else 1.0
    one, other = _interval(score, factor), _interval(before, factor)
    if one is None or other is None:
        ratio = (score.joules_per_inference or 0.0) / (before.joules_per_inference or math.nan)
        return f"{figure(ratio, unit=TIMES)}: not known how sure"
    ratio = one.value / other.value
    down = math.hypot(math.log(one.value / one.low), math.log(other.high / other.value))
    up = math.hypot(math.log(one.high / one.value), math.log(other.value / other.low))
    low, high = ratio * math.exp(-down), ratio * math.exp(up)
    answer = "more" if low > 1.0 else "less" if high < 1.0 else "no difference seen"
    return f"{figure(ratio, low, high, TIMES)}: {answer}"


def _interval(score: Score, factor: float) -> Interval | None:
    """Energy per inference without the common factor; None where no scatter is known."""
    value, low, high = (score.joules_per_inference, score.joules_per_inference_low,
                        score.joules_per_inference_high)  # fmt: skip
    if not value or not low or not high:
        return None
    low, high = low * factor, high / factor
    if low <= 0.0 or math.log(high / low) < NO_SCATTER:
        return None
    return Interval(value, low, high)


def _series(score: Score) -> tuple[str, ...]:
    return score.variant, score.place, score.workload, str(score.boundary)
