"""Iterations of uneven length: what such a load's waves leave in a sum of looks.

A wave keeps its phase from one iteration to the next only as well as these are alike. Where they
vary it is no line that a fit takes away: seen by looks T apart its covariance k looks later is
a²/2·q^k·cos(2πfTk), q < 1. Lengths that vary independently make a random walk of the phase, h times
as wide for the wave of order h, so that q_h = q^(h²): a Lorentzian line, as of an oscillator with
white frequency noise. Over all k that adds up to a²/2·(1 − q²)/(1 − 2q·cos 2πfT + q²), which is the
error, since the power itself has nothing so slow. Where a line comes near 0 this looks like slow
change of power, which is seen and is no error; so the two are told apart by the period, which is
known.
"""

from typing import Final

import numpy as np

from wattmark_scoring.arrays import Floats
from wattmark_scoring.iterations import Waves
from wattmark_scoring.looks import Looks

LAGS: Final = (1, 2, 3)
"""Looks apart, whose likeness must be that of the waves."""
LEAST_WEIGHT: Final = 0.01
ROOM: Final = 0.05
"""Beside chance (two standard deviations), by how much the likeness may be another: how strong the
waves are is not known but that they fall with their order."""
KEPT: Final = 1.0 - np.geomspace(1e-4, 0.999, 60)
"""Values of q that are tried."""


def scatter_of_waves(rest: Floats, looks: Looks, iteration_seconds: float) -> float:
    """Variance of a look's share in the error of the sum, W², if what fits have left is the work's
    waves, of any q that is like it: the most. 0 where none is, and where neighbours are unlike, so
    that batch means say it all."""
    count = len(rest)
    away = rest - rest.mean()
    square = float(np.mean(away**2))
    chance = 2.0 / float(np.sqrt(count))
    if count <= max(LAGS) or square <= 0.0:
        return 0.0
    alike = [float(np.mean(away[lag:] * away[:-lag])) / square for lag in LAGS]
    if alike[0] <= chance:
        return 0.0
    waves = Waves.of_looks(looks, iteration_seconds)
    use = waves.weight >= LEAST_WEIGHT
    keeps = KEPT[:, None] ** (waves.order[use] ** 2)
    left = waves.weight[use] ** 2 * -np.expm1(-count * (1.0 - keeps) / 2.0)  # lines are fitted
    shares = left / left.sum(axis=1, keepdims=True)
    angles = 2.0 * np.pi * waves.shown[use]
    fits = np.ones(len(KEPT), dtype=np.bool_)
    for lag, seen in zip(LAGS, alike, strict=True):
        expected = np.sum(shares * keeps**lag * np.cos(lag * angles), axis=1)
        fits &= np.abs(expected - seen) <= chance + ROOM
    sums = (1.0 - keeps**2) / (1.0 - 2.0 * keeps * np.cos(angles) + keeps**2)
    unseen = waves.multiple[use] >= 1  # slower ones are seen
    return square * float(np.max(np.sum(shares * sums * unseen, axis=1)[fits], initial=0.0))
