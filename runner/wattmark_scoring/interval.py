"""Intervals over repeated windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from wattmark_scoring.energy import ESTIMATE_FACTOR, Z95


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

    In ln: ``t(0.975, R − 1)·s/√R`` of the repeats, and in squares with it the instrument's random
    error over √R and its alias (standard deviations relative to the value); its gain cancels when
    networks are ranked on one device. Below R = 20 a percentile bootstrap would cover too little.
    With R = 1 the interval is the instrument's alone.
    ``estimated_share`` of the value is off by up to a factor of two either way.
    Raises ``ValueError`` for an empty or non-positive input.
    """
    logs = np.log(np.asarray(values, dtype=np.float64))
    if len(logs) == 0 or not np.isfinite(logs).all():
        raise ValueError("an interval needs positive values")
    count = len(logs)
    repeats = 0.0
    if count > 1:
        spread = float(np.std(logs, ddof=1))
        repeats = float(stdtrit(count - 1, 0.975)) * spread / np.sqrt(count)
    random = _root_mean_square(random_ratios) / np.sqrt(count)
    alias = float(np.mean(alias_ratios)) if len(alias_ratios) else 0.0
    half = float(np.sqrt(repeats**2 + Z95**2 * (random**2 + alias**2)))
    value = float(np.exp(np.mean(logs)))
    shrink = 1.0 - estimated_share + estimated_share / ESTIMATE_FACTOR
    grow = 1.0 - estimated_share + estimated_share * ESTIMATE_FACTOR
    return Interval(
        value, value * float(np.exp(-half)) * shrink, value * float(np.exp(half)) * grow
    )


def _root_mean_square(ratios: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(ratios)))) if len(ratios) else 0.0
