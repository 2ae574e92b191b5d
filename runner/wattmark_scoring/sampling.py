"""Uncertainty from what a sensor does not see between its readings.

A counter that sees all of the time has none. A sensor that samples power (``integrated``) may
place each change of power wrongly by up to half the time h between two looks: uniform, so a
standard deviation of ``|ΔP|·h/√12``. A part-time sensor (``coverage_ratio`` c < 1) looks somewhere
in each period, so by up to ``(1 − c)·h``; and it may run in step with the load (aliasing), so that
these errors add up instead of cancelling. Part-time sensing of NVIDIA GPUs: Yang, Adamek, Armour,
"Part-time Power Measurements: nvidia-smi's Lack of Attention", arXiv 2312.02741.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData, Floats, GaugeData

ALIAS_HALF_WIDTH: Final = 0.95
"""Half-width that holds 95 % of a uniform error of up to ±1."""
PARTLY_IN_STEP: Final = 1.75
"""Reads at a jittered interval stay in step with a periodic load for a few periods, so changes do
not quite add in squares; fitted to 0.3 s square waves read every 20 ms ± 10 %, in virtual time."""
SLOW_SECONDS: Final = 1.0
_Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations, joules: ``random`` shrinks over repeats, ``alias`` does not."""

    random_joules: float
    alias_joules: float


NO_SPREAD: Final = Spread(0.0, 0.0)


def is_slow(series: EnergySeries) -> bool:
    """Is its update period over 1 s? Such a counter is judged by how sure a window's energy is and
    by how often it ticked, not by the window's length in periods."""
    return series.update_period_seconds > SLOW_SECONDS


def sampling_spread(
    series: EnergySeries,
    counter: CounterData,
    power: GaugeData | None,
    start_ns: int,
    end_ns: int,
) -> Spread:
    """Spread of a window's energy from unseen power between the readings, joules."""
    part_time = series.coverage_ratio < 1.0
    if series.method is Method.ESTIMATED or not (part_time or series.method is Method.INTEGRATED):
        return NO_SPREAD
    watts, seconds = _looks(series, counter, power, start_ns, end_ns)
    if len(watts) < 2:
        return NO_SPREAD
    if part_time:
        unseen = (1.0 - series.coverage_ratio) * float(np.sum(np.abs(np.diff(watts)) * seconds))
        return Spread(0.0, ALIAS_HALF_WIDTH * unseen / _Z95)
    return Spread(_random_joules(watts, seconds), 0.0)


def _looks(
    series: EnergySeries,
    counter: CounterData,
    power: GaugeData | None,
    start_ns: int,
    end_ns: int,
) -> tuple[Floats, Floats]:
    """Power at each look of the sensor, W, and the time between looks, s (one fewer)."""
    period = series.update_period_seconds
    if series.method is Method.INTEGRATED and power is not None:
        inside = power.inside(start_ns, end_ns)
        seconds = np.diff(inside.times_ns) / 1e9
        if series.coverage_ratio < 1.0:  # polled faster than it looks: repeats change nothing
            seconds = np.maximum(seconds, period)
        return inside.values, seconds
    inside_counter = counter.inside(start_ns, end_ns)
    elapsed = np.diff(inside_counter.times_ns) / 1e9
    looks = np.maximum(1.0, np.round(elapsed / period)) * period
    watts = np.diff(inside_counter.joules) / looks  # free of the stamps' uncertainty
    return watts, looks[1:]


def _random_joules(watts: Floats, seconds: Floats) -> float:
    """Of a trapezoid over point samples: their noise, and changes of power between two."""
    changes = np.diff(watts)
    noise = 1.4826 * float(np.median(np.abs(changes))) / np.sqrt(2.0)
    beyond = np.maximum(0.0, changes**2 - (3.0 * noise) ** 2 * 2.0)
    return float(np.sqrt(np.sum(seconds**2 * (noise**2 + PARTLY_IN_STEP**2 * beyond / 12.0))))
