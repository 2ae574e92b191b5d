"""Energy of a window from one counter, with its uncertainty.

``E = C(t1) − C(t0)``, each edge interpolated between the two samples that bracket it. Energy
exists only within one epoch: when the four samples around the edges do not share one, the window
is incomplete and its joules are a lower bound.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_scoring.arrays import CounterData, Floats, GaugeData
from wattmark_scoring.sampling import NO_SPREAD, Spread, sampling_spread

Z95: Final = 1.96
"""Half-width of a 95 % interval in standard deviations (normal)."""
INTERPOLATION_SPREAD: Final = 0.8
"""Standard deviation of the interpolation's error over ``x(1 − x)·h·D`` (see ``_interpolation``);
the one constant of this file that is fitted, to square waves and steps in virtual time."""
ESTIMATE_FACTOR: Final = 2.0
"""An estimate is stated within a factor of two either way."""


@dataclass(frozen=True, slots=True)
class SeriesEnergy:
    """Energy of one counter over one window.

    ``joules`` None: the counter says nothing of this window, ``reason`` says why. ``complete``
    False: joules are a lower bound. ``spread``: standard deviations, joules.
    """

    series: EnergySeries
    joules: float | None
    complete: bool
    reason: str = ""
    spread: Spread = NO_SPREAD

    @property
    def half_width_joules(self) -> float:
        """Of the 95 % interval of the instrument, joules; an estimate has more (``interval``)."""
        return Z95 * float(np.hypot(self.spread.random_joules, self.spread.alias_joules))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval, joules; None without joules. Has no upper end when incomplete."""
        if self.joules is None:
            return None
        factor = ESTIMATE_FACTOR if self.series.method is Method.ESTIMATED else 1.0
        low = max(0.0, self.joules - self.half_width_joules) / factor
        high = (self.joules + self.half_width_joules) * factor
        return low, high if self.complete else float("inf")


def window_energy(
    series: EnergySeries,
    counter: CounterData,
    start_ns: int,
    end_ns: int,
    power: GaugeData | None = None,
    iteration_seconds: float | None = None,
) -> SeriesEnergy:
    """Energy that ``series`` counted from ``start_ns`` to ``end_ns``.

    A sensor that averages over w seconds lags by w/2 on steady load, so its samples from
    ``start + w/2`` to ``end + w/2`` are the window's. ``counter`` holds at least the samples
    around both edges (all of the window where its readings between them count, as
    ``measured`` says); ``power`` the sensor's own power samples; ``iteration_seconds``: after which
    the load repeats, on average.
    Raises ``ValueError`` when the window has no length.
    """
    energy = counted_energy(series, counter, start_ns, end_ns)
    if not energy.complete:
        return energy
    lag_ns = seconds_to_ns(series.averaging_seconds / 2.0)
    start_ns, end_ns = start_ns + lag_ns, end_ns + lag_ns
    brackets = [_surely(counter, instant_ns) for instant_ns in (start_ns, end_ns)]
    edges = sum(
        _interpolation(counter, bracket, *_place(counter, bracket, instant_ns)) ** 2
        for bracket, instant_ns in zip(brackets, (start_ns, end_ns), strict=True)
    )
    if series.method is Method.INTEGRATED:
        edges += _late_variance(counter, brackets)
    else:
        edges += sum(
            _stamp_variance(counter, bracket, instant_ns)
            for bracket, instant_ns in zip(brackets, (start_ns, end_ns), strict=True)
        )
    spread = sampling_spread(series, counter, power, start_ns, end_ns, iteration_seconds)
    random = float(np.sqrt(edges + spread.random_joules**2))
    return replace(energy, spread=replace(spread, random_joules=random))


def counted_energy(
    series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int
) -> SeriesEnergy:
    """``window_energy`` without its spread.

    Raises ``ValueError`` when the window has no length.
    """
    if end_ns <= start_ns:
        raise ValueError("a window ends after it starts")
    lag_ns = seconds_to_ns(series.averaging_seconds / 2.0)
    start_ns, end_ns = start_ns + lag_ns, end_ns + lag_ns
    times = counter.times_ns
    before, after = _bracket(counter, start_ns), _bracket(counter, end_ns)
    if len(times) == 0 or times[-1] < start_ns or times[0] > end_ns:
        return SeriesEnergy(series, None, False, "no sample in or around the window")
    if before is None or after is None:
        which = "before its start" if before is None else "after its end"
        return _lower_bound(series, counter, start_ns, end_ns, f"no sample {which}")
    if len({int(counter.epochs[i]) for i in (*before, *after)}) > 1:
        return _lower_bound(
            series, counter, start_ns, end_ns, "the counter began a new epoch inside"
        )
    first, last = _joules(counter, before, start_ns), _joules(counter, after, end_ns)
    return SeriesEnergy(series, last - first, True)


def _bracket(counter: CounterData, instant_ns: int) -> tuple[int, int] | None:
    """Indices of the samples at or before and after the instant; None if one is missing."""
    after = int(np.searchsorted(counter.times_ns, instant_ns, side="right"))
    if after == len(counter.times_ns) and after and counter.times_ns[-1] == instant_ns:
        after -= 1
    return (after - 1, after) if 0 < after < len(counter.times_ns) else None


def _place(counter: CounterData, bracket: tuple[int, int], instant_ns: int) -> tuple[float, float]:
    """Of the bracket's length, s, the share at which the instant lies; and that length."""
    a, b = bracket
    length = ns_to_seconds(int(counter.times_ns[b] - counter.times_ns[a]))
    return ns_to_seconds(instant_ns - int(counter.times_ns[a])) / length, length


def _joules(counter: CounterData, bracket: tuple[int, int], instant_ns: int) -> float:
    """The counter at the instant, on a straight line between two samples."""
    x, _ = _place(counter, bracket, instant_ns)
    a, b = bracket
    return float(counter.joules[a] + x * (counter.joules[b] - counter.joules[a]))


def _surely(counter: CounterData, instant_ns: int) -> tuple[int, int]:
    """Raises ``ValueError`` if no two samples bracket the instant."""
    bracket = _bracket(counter, instant_ns)
    if bracket is None:
        raise ValueError("no sample beyond the edge")
    return bracket


def _watts(counter: CounterData, bracket: tuple[int, int]) -> float:
    """Mean power between two samples."""
    a, b = bracket
    seconds = ns_to_seconds(int(counter.times_ns[b] - counter.times_ns[a]))
    return float(counter.joules[b] - counter.joules[a]) / seconds


def _stamp_variance(counter: CounterData, bracket: tuple[int, int], instant_ns: int) -> float:
    """Of the counter at an edge, from its stamps, J²."""
    a, b = bracket
    x, _ = _place(counter, bracket, instant_ns)
    watts = _watts(counter, bracket)
    u_a, u_b = counter.uncertainty_seconds[a], counter.uncertainty_seconds[b]
    # Successive stamps err alike while the reads' phase drifts slowly against the ticks: ρ = 1/2.
    return float(watts**2 * ((1 - x) ** 2 * u_a**2 + x * (1 - x) * u_a * u_b + x**2 * u_b**2) / 3.0)


def _late_variance(counter: CounterData, brackets: Sequence[tuple[int, int]]) -> float:
    """Of a window of integrated power, J²: all its stamps are late by the same time of up to ± u,
    so it takes at one edge what it lacks at the other, but for the change of power between them."""
    first, last = (_watts(counter, bracket) for bracket in brackets)
    late = float(counter.uncertainty_seconds[brackets[0][0]])
    return (last - first) ** 2 * late**2 / 3.0


def _interpolation(counter: CounterData, bracket: tuple[int, int], x: float, h: float) -> float:
    """Standard deviation of a straight line's error at ``x`` of a bracket of ``h`` s, joules.

    If mean power before and after the instant differ by δ, the error is ``x(1 − x)·h·δ``, exactly.
    δ is not seen; D, the root mean square of the changes of mean power between the stretches
    around the bracket, less what the stamps' uncertainty alone makes of them, stands for it.
    """
    watts, noise = _local_power(counter, bracket)
    if len(watts) < 2:
        return 0.0
    changes = np.diff(watts)
    noise_change = np.hypot(noise[:-1], noise[1:])
    seen = np.sqrt(np.maximum(0.0, changes**2 - (Z95 * noise_change) ** 2))
    return INTERPOLATION_SPREAD * x * (1 - x) * h * float(np.sqrt(np.mean(seen**2)))


def _thinned(counter: CounterData, around: int, least_seconds: float) -> list[int]:
    """Indices of samples of one epoch near ``around``, at least ``least_seconds`` apart."""
    indices: list[int] = []
    low, high = max(0, around - 12), min(len(counter.times_ns), around + 13)
    for i in range(low, high):
        if counter.epochs[i] != counter.epochs[around]:
            continue
        before_ns = counter.times_ns[indices[-1]] if indices else -math.inf
        if counter.times_ns[i] - before_ns >= least_seconds * 1e9:
            indices.append(i)
    return indices


def _local_power(counter: CounterData, bracket: tuple[int, int]) -> tuple[Floats, Floats]:
    """Mean power, W, of stretches around the bracket, and its noise from the stamps, W."""
    indices = _thinned(counter, bracket[0], 0.05)
    seconds = np.diff(counter.times_ns[indices]) / 1e9
    watts = np.diff(counter.joules[indices]) / seconds
    u = counter.uncertainty_seconds[indices]
    return watts, watts * np.hypot(u[:-1], u[1:]) / np.sqrt(3.0) / seconds


def _lower_bound(
    series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int, reason: str
) -> SeriesEnergy:
    """What surely was counted inside: the growth between samples that share an epoch."""
    inside = counter.inside(start_ns, end_ns)
    same = inside.epochs[1:] == inside.epochs[:-1]
    joules = float(np.diff(inside.joules)[same].sum()) if len(inside.joules) else 0.0
    if joules <= 0.0:
        return SeriesEnergy(series, None, False, reason)
    return SeriesEnergy(series, joules, False, reason)
