"""Lines of equal score in the picture of accuracy against energy per inference."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.figures import exact
from wattmark_core.results import Score, Verdict
from wattmark_core.sample import make_tags
from wattmark_core.units import JOULES_PER_MWH
from wattmark_store import ViewPoint

POINTS: Final = 12
MOST_LINES: Final = 6
LEAST_SPAN: Final = 0.1
"""Of accuracies that a line runs through."""
LEAST_ACCURACY: Final = 0.01
"""At 0 a line of equal score has no energy, which a logarithmic axis cannot show."""


def isolines(owner: Mapping[str, str], scores: Sequence[Score]) -> list[ViewPoint]:
    """Lines ``E = a² / s`` (3.6 J · a² / s with s per mWh) for the scores s at 1, 3, 10 … that
    enclose those that rank: lines for measured runs, and others for estimated ones.

    ``owner``: tags of them all. Times are 0, 1, 2 … ns: they are of no time.
    """
    estimated = [score for score in scores if score.method is Method.ESTIMATED]
    measured = [score for score in scores if score.method is not Method.ESTIMATED]
    return [
        *_lines({**owner, "energy": "measured"}, measured),
        *_lines({**owner, "energy": "estimated"}, estimated),
    ]


def _lines(owner: Mapping[str, str], scores: Sequence[Score]) -> list[ViewPoint]:
    ranked = [
        (score.value, score.accuracy)
        for score in scores
        if score.verdict is not Verdict.INVALID
        and score.value is not None
        and 0.0 < score.value < math.inf
        and score.accuracy is not None
        and 0.0 < score.accuracy <= 1.0
    ]
    if not ranked:
        return []
    low, high = _accuracies([accuracy for _, accuracy in ranked])
    return [
        point
        for value in steps(min(value for value, _ in ranked), max(value for value, _ in ranked))
        for point in _line(owner, value, low, high)
    ]


def steps(low: float, high: float) -> list[float]:
    """1, 3, 10 … from the last that is not above ``low`` > 0 to the first that is not below
    ``high``, at most ``MOST_LINES``: of too many each second, third … one."""
    tens = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    ladder = [float(f"{digit}e{ten}") for ten in tens for digit in (1, 3)]
    first = max(number for number, step in enumerate(ladder) if step <= low)
    last = min(number for number, step in enumerate(ladder) if step >= high)
    enclosing = ladder[first : last + 1]
    return enclosing[:: -(-len(enclosing) // MOST_LINES)]


def label(value: float) -> str:
    """``10 /mWh``, ``30 k /mWh``."""
    return f"{exact(value)} /mWh"


def _accuracies(known: Sequence[float]) -> tuple[float, float]:
    low, high = min(known), max(known)
    room = max(0.0, LEAST_SPAN - (high - low)) / 2.0
    return max(LEAST_ACCURACY, low - room), min(1.0, high + room)


def _line(owner: Mapping[str, str], value: float, low: float, high: float) -> Iterator[ViewPoint]:
    tags = make_tags({**owner, "line": label(value)})
    for number in range(POINTS):
        accuracy = low + (high - low) * number / (POINTS - 1)
        joules = JOULES_PER_MWH * accuracy**2 / value
        fields = {"joules_per_inference": joules, "accuracy": accuracy}
        yield ViewPoint("isoline", tags, fields, number)
