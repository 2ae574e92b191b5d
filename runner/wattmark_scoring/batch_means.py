"""How far a sum of looks may be off, from the looks themselves: non-overlapping batch means.

A sensor that looks at a part of each period T misses the rest. How much that makes is not seen at
any look, and is in how the looks scatter. Looks that lie next to each other are alike, so means
over batches of n of them are compared, each with its neighbours: what changes slowly is seen at
every look, is no error, and cancels in differences (J. von Neumann, "Distribution of the ratio of
the mean square successive difference to the variance", Ann. Math. Stat. 12 (1941); batch means:
A. M. Law, *Simulation Modeling and Analysis*, ch. 9).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wattmark_scoring.arrays import Floats

ENOUGH: Final = 20
"""Batches from which differences of two lags are told apart."""
MANY: Final = 40
"""Batches that a longer batch than is needed must leave."""
LONGER: Final = (1, 2, 3, 4, 6, 8)
"""Longer batches that are tried, in multiples of the shortest."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """``variance`` of a look's share in the error of the sum, W² (that of the sum of N is N times
    it); ``batches`` it comes from, of ``length`` looks, and its degrees of freedom."""

    variance: float
    batches: int
    length: int
    degrees: float


def scatter(watts: Floats, coverage: float, least: int) -> Scatter:
    """Of looks from which what repeats and what drifts was taken away.

    ``least`` looks at least in a batch. A longer one is taken where its scatter is less by more
    than chance: the looks of neighbouring batches then make up for each other. Raises
    ``ValueError`` below two batches.
    """
    lengths = [least, *(least * m for m in LONGER[1:] if len(watts) // (least * m) >= MANY)]
    found = [_at(watts, coverage, length) for length in lengths]
    best = found[0]
    for longer in found[1:]:
        if longer.variance * (1.0 + 2.0 * np.sqrt(3.0 / longer.batches)) < best.variance:
            best = longer
    return best


def _at(watts: Floats, coverage: float, length: int) -> Scatter:
    count = len(watts) // length
    if count < 2:
        raise ValueError("a scatter needs two batches")
    means = watts[: count * length].reshape(count, length).mean(axis=1)
    near = float(np.mean(np.diff(means) ** 2)) / 2.0
    unseen = 1.0 - coverage
    if count < ENOUGH:
        return Scatter(length * unseen * near, count, length, 2.0 * (count - 1) / 3.0)
    far = float(np.mean((means[2:] - means[:-2]) ** 2)) / 2.0
    # What grows with the lag is slow change; its like at lag 0 is what a look does not share with
    # its neighbours. A growth within chance is none.
    slow = min(near, max(0.0, far - near - near * np.sqrt(2.0 / count)))
    sudden = near - slow
    # Looks in the middle of their periods sum up a random walk with T²s/6 each, where the mean
    # square of its steps is 2s; means of n looks differ by 2ns/3.
    variance = length * unseen * sudden + slow / (6.0 if length == 1 else 4.0 * length)
    remembered = _remembering(means, coverage) if length == 1 else None
    if remembered is not None:
        variance = remembered
    return Scatter(variance, count, length, 2.0 * (count - 1) / 3.0)


def _remembering(watts: Floats, coverage: float) -> float | None:
    """Of power that forgets itself exponentially (an Ornstein-Uhlenbeck process), and what comes on
    top; None where covariances do not look like it.

    With a memory τ in periods, looks of length c: the variance of a look is s²·2(τ/c)²(c/τ − 1 +
    e^(−c/τ)), its covariance k looks later s²·g·r^k with r = e^(−1/τ), g = (sinh(c/2τ)/(c/2τ))².
    Their sum over all k, less the 2τs² of the power itself, is the error.
    """
    count = len(watts)
    away = watts - watts.mean()
    at_0, at_1, at_2 = (float(np.dot(away[k:], away[: count - k])) / count for k in (0, 1, 2))
    chance = 2.0 * at_0 / np.sqrt(count)
    if not chance < at_2 < at_1:
        return None
    forgets = at_2 / at_1
    memory = -1.0 / np.log(forgets)
    ratio = max(coverage, 1e-3) / memory
    own = 2.0 / ratio**2 * (ratio - 1.0 + np.exp(-ratio))
    shared = (np.sinh(ratio / 2.0) / (ratio / 2.0)) ** 2
    power = min(at_1 / (shared * forgets), at_0 / own)
    missed = power * (own + 2.0 * shared * forgets / (1.0 - forgets) - 2.0 * memory)
    return float((1.0 - coverage) * (at_0 - power * own) + max(0.0, missed))
