"""Uncertainty from what a sensor does not see, or shows late or averaged, from its readings.

A counter that sees all of the time has none but between its ticks. Power that is polled
(``integrated``) may place each change wrongly by up to half the time h between two reads: uniform,
so a standard deviation of ``|ΔP|·h/√12``. A part-time sensor (``coverage_ratio`` c < 1) looks
somewhere in each period; how far the sum of its looks may be off is taken from the looks, by batch
means (``batch_means``) and by how they beat with the work's iterations (``iterations``). Where they
cannot say it – too few, or the load in step with them – it is the worst case. Part-time sensing of
NVIDIA GPUs: Yang, Adamek, Armour, "Part-time Power Measurements: nvidia-smi's Lack of Attention",
arXiv 2312.02741.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring import averages, iterations
from wattmark_scoring.arrays import CounterData, Floats, GaugeData
from wattmark_scoring.batch_means import scatter
from wattmark_scoring.looks import Looks, looks
from wattmark_scoring.uneven import scatter_of_waves

ALIAS_HALF_WIDTH: Final = 0.95
"""Half-width that holds 95 % of a uniform error of up to ±1."""
PARTLY_IN_STEP: Final = 1.75
"""Reads at a jittered interval stay in step with a periodic load for a few periods, so changes do
not quite add in squares; fitted to 0.3 s square waves read every 20 ms ± 10 %, in virtual time."""
SLOW_SECONDS: Final = 1.0
LEAST_LOOKS: Final = 5
"""Fewer say nothing of their scatter."""
SLOW_TICKS: Final = 10.0
"""Ticks in an iteration, above which the power around an edge shows how uneven the load is."""
_Z95: Final = 1.96


class Basis(StrEnum):
    """What the interval for unseen time rests on."""

    WHOLE = "whole"
    READINGS = "readings"
    WORST_CASE = "worst case"


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations, joules: ``random`` shrinks over repeats, ``alias`` does not.

    ``random`` of few readings is larger, so that 1.96 of it is Student's half-width. ``reason``:
    why it is the worst case.
    """

    random_joules: float
    alias_joules: float
    basis: Basis = Basis.WHOLE
    reason: str = ""


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
    iteration_seconds: float | None = None,
) -> Spread:
    """Spread of a window's energy from what is not seen in and between the readings, joules.

    ``iteration_seconds``: after which the load repeats, on average; None if that is not known.
    """
    if series.method is Method.ESTIMATED or not reads_inside(series, iteration_seconds):
        return NO_SPREAD
    if (
        series.method is Method.INTEGRATED
        and series.coverage_ratio >= 1.0
        and not series.averaging_seconds
    ):
        return _polled(power, start_ns, end_ns)
    seen = looks(series, counter, power, start_ns, end_ns)
    if seen.count < LEAST_LOOKS:  # its mean power is known from the readings around it
        joules = np.interp([start_ns, end_ns], counter.times_ns, counter.joules)
        seconds = (end_ns - start_ns) / 1e9
        seen = Looks(np.diff(joules) / seconds, seconds, seen.coverage_ratio)
    if series.coverage_ratio < 1.0:
        return _part_time(seen, series, iteration_seconds)
    return _edges(seen, series, iteration_seconds)


def reads_inside(series: EnergySeries, iteration_seconds: float | None) -> bool:
    """Does the uncertainty of a window's energy need what was read between its edges?

    Not of a counter that sees all of the time, unless its ticks are long beside the iterations.
    """
    if series.coverage_ratio < 1.0 or series.method is Method.INTEGRATED:
        return True
    ticks = SLOW_TICKS * series.update_period_seconds
    return iteration_seconds is not None and iteration_seconds < ticks


def _part_time(seen: Looks, series: EnergySeries, iteration_seconds: float | None) -> Spread:
    if seen.count < LEAST_LOOKS:
        few = f"it holds fewer than {LEAST_LOOKS} readings"
        return _worst_case(seen, series, 1.0 - seen.coverage_ratio, few)
    if not iteration_seconds:
        return _worst_case(seen, series, 0.0, "how often the load repeats is not known")
    if iterations.in_step(seen, iteration_seconds):
        share = iterations.unseen_share(seen, iteration_seconds)
        return _worst_case(seen, series, share, "the load is in step with the sensor")
    span = max(1, round(series.averaging_seconds / seen.period_seconds))
    repeating = iterations.without_repeating(seen, iteration_seconds)
    if span > 1 and seen.count > span:  # readings overlap: what they do not share is what is new
        variance = averages.unseen_variance(seen, span) + averages.edge_variance(seen, span)
        degrees = 2.0 * (seen.count / span - 1.0)
    else:
        found = scatter(repeating.rest, seen.coverage_ratio, repeating.least)
        uneven = scatter_of_waves(repeating.rest, seen, iteration_seconds)
        variance = seen.count * max(found.variance, uneven) + repeating.sum_variance
        degrees = min(found.degrees, seen.count - 2.0 * repeating.fitted)
    # Where in T it looks is not known; a gauge goes on showing it for a T.
    late = (1.0 - seen.coverage_ratio) ** 2 / 12.0
    late += 0.25 if series.method is Method.INTEGRATED else 0.0
    joules = seen.period_seconds * np.sqrt(variance + late * repeating.rise_watts**2)
    return Spread(_widened(degrees) * float(joules), 0.0, Basis.READINGS)


def _widened(degrees: float) -> float:
    """Student's t over that of very many degrees of freedom."""
    from scipy.special import stdtrit  # takes 0.2 s, which what only shows scores need not wait

    return float(stdtrit(max(1.0, degrees), 0.975)) / _Z95


def _worst_case(seen: Looks, series: EnergySeries, share: float, reason: str) -> Spread:
    """All changes misplaced the same way, or in the unseen ``share`` the most or the least that
    the device draws, whichever is farther from what was seen."""
    mean = float(seen.watts.mean())
    most = max(float(seen.watts.max()), series.limit_watts or 0.0)
    changes = (1.0 - seen.coverage_ratio) * float(np.sum(np.abs(np.diff(seen.watts))))
    hidden = share * seen.count * max(mean, most - mean)
    joules = ALIAS_HALF_WIDTH * seen.period_seconds * max(changes, hidden)
    return Spread(0.0, joules / _Z95, Basis.WORST_CASE, reason)


def _edges(seen: Looks, series: EnergySeries, iteration_seconds: float | None) -> Spread:
    """Of a sensor that sees all of the time: what lies between its ticks at the window's edges, or
    in the averages around them."""
    span = round(series.averaging_seconds / seen.period_seconds)
    if seen.count <= max(span, LEAST_LOOKS):
        if not span:
            return NO_SPREAD
        return _worst_case(seen, series, 1.0, "no two readings that do not overlap")
    variance = averages.edge_variance(seen, span) if span else 0.0
    if iteration_seconds:
        mean = float(seen.watts.mean())
        most = max(mean, series.limit_watts or 0.0)
        averaged = series.averaging_seconds if span > 1 else 0.0
        waves = iterations.edge_variance(seen, iteration_seconds, averaged, max(mean, most - mean))
        variance = max(variance, waves)
    joules = seen.period_seconds * float(np.sqrt(variance))
    if not span:
        return Spread(joules, 0.0)
    return Spread(_widened(2.0 * (seen.count / span - 1.0)) * joules, 0.0, Basis.READINGS)


def _polled(power: GaugeData | None, start_ns: int, end_ns: int) -> Spread:
    if power is None:
        return NO_SPREAD
    inside = power.inside(start_ns, end_ns)
    if len(inside.values) < 2:
        return NO_SPREAD
    return Spread(_random_joules(inside.values, np.diff(inside.times_ns) / 1e9), 0.0)


def _random_joules(watts: Floats, seconds: Floats) -> float:
    """Of a trapezoid over point samples: their noise, and changes of power between two."""
    changes = np.diff(watts)
    noise = 1.4826 * float(np.median(np.abs(changes))) / np.sqrt(2.0)
    beyond = np.maximum(0.0, changes**2 - (3.0 * noise) ** 2 * 2.0)
    return float(np.sqrt(np.sum(seconds**2 * (noise**2 + PARTLY_IN_STEP**2 * beyond / 12.0))))
