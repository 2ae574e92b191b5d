"""Readings that are averages over longer than the time between two of them.

A reading is the mean of the last M periods, so two in a row differ by what came in less what fell
out: their difference times M is the power of one period less that of the period M earlier. In such
differences is all that the averages smooth away.
"""

from typing import Final

import numpy as np

from wattmark_scoring.arrays import Floats
from wattmark_scoring.looks import Looks

ENOUGH_TO_SHAPE: Final = 4
"""Periods in an average, from which the shape of its edge is made of them."""


def unseen_variance(looks: Looks, span: int) -> float:
    """Of the sum of looks, each at a part of its period, W²: as if no two were alike."""
    new = _differences(looks.watts, span)
    return float((1.0 - looks.coverage_ratio) * looks.count * np.mean(new**2) / 2.0)


def edge_variance(looks: Looks, span: int) -> float:
    """Of the sum over a window, from both edges, W².

    Averages over w, read w/2 late, take of the power u after an edge the share 1/2 − u/w that
    belongs to the other side, and lack as much before. What that gives, with powers M periods apart
    subtracted, errs twice as a single edge does: as both edges do. Of few periods in an average,
    or few averages, powers are taken for unlike each other: M/6 of their variance, and for M = 1,
    where a reading stands until the next, the 1/3 of a random walk's bridge.
    """
    new = _differences(looks.watts, span)
    if span < ENOUGH_TO_SHAPE or len(new) < 2 * span:
        return float(max(span, 2) * np.mean(new**2) / 12.0)
    place = (np.arange(span) + 0.5) / span - 0.5
    shares = np.sign(place) * (0.5 - np.abs(place))
    return float(np.mean(np.convolve(new, shares, mode="valid") ** 2))


def _differences(watts: Floats, span: int) -> Floats:
    differences: Floats = np.diff(watts) * span
    return differences
