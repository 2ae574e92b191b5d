"""What a sensor saw in a window, look by look, evenly spaced.

A counter's ticks, or a gauge that keeps its value until the sensor looks again, come with stamps
that are late and uneven; their numbers, one period T after another, are exact.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData, Floats, GaugeData, Ints

ENOUGH_TO_TIME: Final = 4
"""Looks from whose stamps T is taken; with fewer it is the sensor's."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Mean power at each look, W, ``period_seconds`` apart, each over ``coverage_ratio`` of it."""

    watts: Floats
    period_seconds: float
    coverage_ratio: float

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.watts)


def looks(
    series: EnergySeries,
    counter: CounterData,
    power: GaugeData | None,
    start_ns: int,
    end_ns: int,
) -> Looks:
    """The looks of ``series`` from start to end; of integrated power those of its ``power``."""
    coverage = min(1.0, series.coverage_ratio)
    if series.method is Method.INTEGRATED and power is not None:
        return _of_gauge(power.inside(start_ns, end_ns), series.update_period_seconds, coverage)
    inside = counter.inside(start_ns, end_ns)
    if len(inside.joules) < 2:
        return Looks(np.zeros(0), series.update_period_seconds, coverage)
    steps, period = _steps(inside.times_ns, series.update_period_seconds)
    watts = np.diff(inside.joules) / (steps * period)  # free of the stamps' uncertainty
    return Looks(np.repeat(watts, steps), period, coverage)


def _of_gauge(inside: GaugeData, period: float, coverage: float) -> Looks:
    """A value that stays is the same at each look until it changes."""
    if len(inside.values) < 2:
        return Looks(inside.values, period, coverage)
    changes = np.flatnonzero(np.diff(inside.values)) + 1
    if len(changes) > 1:
        _, period = _steps(inside.times_ns[changes], period)
    edges = np.concatenate(([0], changes, [len(inside.values) - 1]))
    seconds = (inside.times_ns[edges] - inside.times_ns[0]) / 1e9
    counts = np.diff(np.round(seconds / period)).astype(np.int64)
    counts[1:-1] = np.maximum(1, counts[1:-1])
    return Looks(np.repeat(inside.values[edges[:-1]], counts), period, coverage)


def _steps(times_ns: Ints, period: float) -> tuple[Ints, float]:
    """How many periods lie between two stamps, and how long one is, s."""
    seconds = (times_ns - times_ns[0]) / 1e9
    steps = np.maximum(1, np.round(np.diff(seconds) / period)).astype(np.int64)
    if len(seconds) >= ENOUGH_TO_TIME:
        numbers = np.concatenate(([0], np.cumsum(steps)))
        period = float(np.polyfit(numbers, seconds, 1)[0])
    return steps, period
