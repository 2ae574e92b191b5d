"""Loads whose energy is a formula: power is piecewise linear, so that its integral is exact.

What a load draws is decided by its dice alone; the time of a look, of a window and of the load
have nothing to do with each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOW_WATTS, HIGH_WATTS = 60.0, 300.0
STEP_SECONDS = 0.005
"""After which noise takes a new value."""


@dataclass(frozen=True)
class Load:
    """Power from ``times[i]``, s, on: ``watts[i]``, rising by ``slopes[i]`` W/s until the next.

    ``iteration_seconds``: after which it repeats, on average, as batches do; None: never.
    """

    times: Floats
    watts: Floats
    slopes: Floats
    iteration_seconds: float | None = None

    def joules(self, instants: Floats) -> Floats:
        """Energy from the first time on."""
        lengths = np.diff(self.times)
        pieces = self.watts[:-1] * lengths + self.slopes[:-1] * lengths**2 / 2.0
        before = np.concatenate(([0.0], np.cumsum(pieces)))
        at = np.clip(np.searchsorted(self.times, instants, side="right") - 1, 0, None)
        since = instants - self.times[at]
        sums: Floats = before[at] + self.watts[at] * since + self.slopes[at] * since**2 / 2.0
        return sums


MakeLoad = Callable[[float, np.random.Generator], Load]
"""A load of so many seconds."""


def constant(seconds: float, dice: np.random.Generator) -> Load:
    """A level, for ever, with a ripple of 1 W."""
    level = dice.uniform(LOW_WATTS, HIGH_WATTS)
    return _rippled(np.full(_steps_in(seconds), level), dice)


def drift(seconds: float, dice: np.random.Generator) -> Load:
    """Power that rises or falls by up to a tenth over the time, as a board that warms up."""
    start = dice.uniform(150.0, HIGH_WATTS)
    end = start * dice.uniform(0.9, 1.1)
    return _rippled(np.linspace(start, end, _steps_in(seconds)), dice)


def square(
    period: tuple[float, float], duty: tuple[float, float] = (0.2, 0.8), jitter: float = 0.0
) -> MakeLoad:
    """Batches that draw much, then little: a period and a share of much, both uniform.

    ``jitter``: standard deviation of a single batch's length, relative.
    """

    def make(seconds: float, dice: np.random.Generator) -> Load:
        length, share = dice.uniform(*period), dice.uniform(*duty)
        count = int(seconds / length * 1.2) + 20
        lengths = length * np.clip(1.0 + jitter * dice.standard_normal(count), 0.3, 3.0)
        ends = np.cumsum(lengths) - dice.uniform(1.0, 2.0) * lengths[0]
        begins = ends - lengths
        times = np.stack([begins, begins + share * lengths], axis=1).ravel()
        levels = np.tile([HIGH_WATTS, LOW_WATTS], count)
        return _steps(times, levels, length)

    return make


def sawtooth(period: tuple[float, float]) -> MakeLoad:
    """Batches whose power rises from little to much, and falls at once."""

    def make(seconds: float, dice: np.random.Generator) -> Load:
        length = float(dice.uniform(*period))
        count = int(seconds / length) + 4
        times: Floats = (np.arange(count, dtype=np.float64) - dice.uniform(1.0, 2.0)) * length
        slope = (HIGH_WATTS - LOW_WATTS) / length
        return Load(times, np.full(count, LOW_WATTS), np.full(count, slope), length)

    return make


def noise(memory: tuple[float, float]) -> MakeLoad:
    """180 W and AR(1) noise, its memory (e-folding time) uniform in the logarithm."""

    def make(seconds: float, dice: np.random.Generator) -> Load:
        low, high = np.log(memory)
        keep = np.exp(-STEP_SECONDS / np.exp(dice.uniform(low, high)))
        count = _steps_in(seconds)
        shocks = dice.standard_normal(count)
        shocks[1:] *= np.sqrt(1.0 - keep**2)
        levels = np.empty(count)
        levels[0] = value = float(shocks[0])
        for i in range(1, count):
            value = keep * value + shocks[i]
            levels[i] = value
        return _at_steps(180.0 + 30.0 * levels)

    return make


def bursts(seconds: float, dice: np.random.Generator) -> Load:
    """Requests that come when they like: much for a while, little for a while, both exponential."""
    means = dice.uniform(0.03, 0.5, 2)
    count = int(seconds / means.sum()) * 2 + 200
    lengths = dice.exponential(np.tile(means, count))
    times: Floats = np.concatenate(([0.0], np.cumsum(lengths)))[:-1]
    return _steps(times, np.tile([HIGH_WATTS, LOW_WATTS], count))


def _steps_in(seconds: float) -> int:
    return int(seconds / STEP_SECONDS) + 1


def _rippled(levels: Floats, dice: np.random.Generator) -> Load:
    ripple = dice.standard_normal(len(levels))
    return _at_steps(levels + ripple)


def _at_steps(levels: Floats) -> Load:
    times: Floats = np.arange(len(levels), dtype=np.float64) * STEP_SECONDS
    return _steps(times, levels)


def _steps(times: Floats, levels: Floats, iteration_seconds: float | None = None) -> Load:
    return Load(times, levels, np.zeros(len(times)), iteration_seconds)
