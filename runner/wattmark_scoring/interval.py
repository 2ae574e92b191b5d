"""Intervals over repeated windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtri, stdtrit

from wattmark_scoring.arrays import Floats
from wattmark_scoring.energy import ESTIMATE_FACTOR, Z95

TOO_ALIKE: Final = 1e-6
"""The share of cases in which repeats agree so well by chance, if the instrument is as stated."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval, all in one unit."""

    value: float
    low: float
    high: float


def repeated(
    values: Sequence[float],
    random_ratios: Sequence[float] = (),
    alias_ratios: Sequence[float] = (),
    *,
    estimated_share: float = 0.0,
) -> Interval:
    """The geometric mean of R positive ``values`` and its 95 % interval.

    In ln: ``t(0.975, R − 1)·s/√R`` of the repeats. The instrument's random error is in their
    scatter already, and is not added. It takes the scatter's place where that is less than the
    instrument alone would make in one of a million cases: repeats that agree to a counter's last
    digit. In squares with it comes the alias, the same in all repeats (both are standard deviations
    relative to the value); the gain cancels when networks are ranked on one device. Below R = 20 a
    percentile bootstrap would cover too little. With R = 1 the interval is the instrument's alone.
    ``estimated_share`` of the value is off by up to a factor of two either way.
    Raises ``ValueError`` for an empty or non-positive input.
    """
    logs = np.log(np.asarray(values, dtype=np.float64))
    if len(logs) == 0 or not np.isfinite(logs).all():
        raise ValueError("an interval needs positive values")
    alias = float(np.mean(alias_ratios)) if len(alias_ratios) else 0.0
    repeats = _repeats(logs, _root_mean_square(random_ratios))
    half = float(np.hypot(repeats, Z95 * alias))
    value = float(np.exp(np.mean(logs)))
    shrink = 1.0 - estimated_share + estimated_share / ESTIMATE_FACTOR
    grow = 1.0 - estimated_share + estimated_share * ESTIMATE_FACTOR
    return Interval(
        value, value * float(np.exp(-half)) * shrink, value * float(np.exp(half)) * grow
    )


def _repeats(logs: Floats, random: float) -> float:
    """Half-width of their mean; ``random``: the instrument's standard deviation in each."""
    count = len(logs)
    instrument = Z95 * random / float(np.sqrt(count))
    if count == 1:
        return instrument
    spread = float(np.std(logs, ddof=1))
    scatter = float(stdtrit(count - 1, 0.975)) * spread / float(np.sqrt(count))
    if spread**2 * (count - 1) < random**2 * float(chdtri(count - 1, 1.0 - TOO_ALIKE)):
        return max(scatter, instrument)
    return scatter


def _root_mean_square(ratios: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(ratios)))) if len(ratios) else 0.0
