"""How uneven power was within a window: what a single repeat cannot tell from its result's error.

A counter's edges are exact to a part in a thousand, and still the number is wrong if half of the
window was spent on something else. Several repeats show that by differing; a single one shows it
by its parts alone.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.special import fdtri, stdtrit

from wattmark_core.results import Window
from wattmark_scoring.energy import counted_energy
from wattmark_scoring.interval import Interval
from wattmark_scoring.measured import MeasuredCounter, MeasuredWindow

PARTS: Final = 10
"""Non-overlapping parts, so many as readings allow: the mean's error is then known to a quarter."""
LEAST_PARTS: Final = 5
"""With fewer, t would say more of their number than of the load: the halves speak then."""
LEAST_READS: Final = 5.0
"""In a part, so that its edges' interpolation does not show as unevenness."""
CHANCE: Final = 0.95
"""Of the F test that the windows' halves differ by more than the repeats' scatter explains."""


def halves(
    counters: Sequence[MeasuredCounter], window: Window
) -> tuple[float | None, float | None]:
    """Mean power of all ``counters`` together in the window's halves, W; None: not known."""
    watts = part_watts(counters, window, 2)
    return (None, None) if watts is None else (watts[0], watts[1])


def part_watts(
    counters: Sequence[MeasuredCounter], window: Window, count: int
) -> list[float] | None:
    """Mean power in ``count`` equal parts of the window, W; None if one of them is not whole."""
    edges = [
        window.start_ns + number * (window.end_ns - window.start_ns) // count
        for number in range(count + 1)
    ]
    watts = []
    for start_ns, end_ns in pairwise(edges):
        if end_ns <= start_ns:
            return None
        energies = [
            counted_energy(counter.series, counter.samples.counter, start_ns, end_ns)
            for counter in counters
        ]
        joules = [energy.joules for energy in energies if energy.complete]
        known = [value for value in joules if value is not None]
        if not known or len(known) < len(counters):
            return None
        watts.append(sum(known) * 1e9 / (end_ns - start_ns))
    return watts


def unsteadiness(measured: MeasuredWindow) -> float | None:
    """Half-width, relative to the mean, that the parts of one window show: the difference of its
    halves, or the 95 % interval that its tenths give for their mean, if that is wider. None:
    nothing is known of its parts."""
    difference, count = _difference(measured), _parts(measured)
    if difference is None or count < LEAST_PARTS:
        return difference
    watts = part_watts(measured.counters, measured.window, count)
    if watts is None:
        return difference
    spread = float(np.std(watts, ddof=1) / np.mean(watts))
    return max(difference, float(stdtrit(count - 1, 0.975)) * spread / float(np.sqrt(count)))


def systematic(repeats: Sequence[MeasuredWindow], values: Sequence[float]) -> float:
    """The same of several repeats, if they hide it by being uneven alike: else 0.

    Half of the difference of a window's halves is what its mean scatters by, if it does so by
    chance; where that is more than the scatter of ``values``, the repeats' energies, can explain
    (F test), it is the same in all of them and no number of repeats averages it out.
    """
    known = [d for d in map(_difference, repeats) if d is not None]
    if len(known) < len(repeats) or len(values) < 2:
        return 0.0
    within = float(np.sqrt(np.mean(np.square(known)))) / 2.0
    between = float(np.std(np.log(values), ddof=1))
    limit = float(fdtri(len(known), len(values) - 1, CHANCE))
    return 2.0 * within if within**2 > limit * between**2 else 0.0


def widened(interval: Interval, ratio: float) -> Interval:
    """An interval with one more independent part of half-width ``ratio``, added in ln."""
    down = float(np.hypot(np.log(interval.value / interval.low), ratio))
    up = float(np.hypot(np.log(interval.high / interval.value), ratio))
    value = interval.value
    return Interval(value, value * float(np.exp(-down)), value * float(np.exp(up)))


def _difference(measured: MeasuredWindow) -> float | None:
    """Of the halves' mean power, relative to the window's."""
    first, second = halves(measured.counters, measured.window)
    if first is None or second is None or first + second <= 0.0:
        return None
    return 2.0 * abs(first - second) / (first + second)


def _parts(measured: MeasuredWindow) -> int:
    slowest = max(
        max(c.series.interval_seconds, c.series.update_period_seconds) for c in measured.counters
    )
    return int(min(PARTS, measured.window.seconds / (LEAST_READS * slowest)))
