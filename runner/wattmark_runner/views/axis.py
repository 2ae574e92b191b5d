"""Axes of charts: where they begin and end, and their round ticks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 5.0)
LOG_SPAN: Final = 5.0
"""Largest value over smallest, from which an axis is logarithmic."""
MOST_TICKS: Final = 6
MOST_LOG_TICKS: Final = 9
ROOM: Final = 1.1
"""How far a linear axis goes beyond the largest value."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``; a linear axis begins at 0."""

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies: 0 at ``low``, 1 at ``high``. A logarithmic axis needs it above 0."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def axis_of(values: Sequence[float]) -> Axis:
    """For values above 0, of which there is at least one: logarithmic where they span a factor of
    5, else linear from 0, so that lengths can be compared."""
    least, most = min(values), max(values)
    if most < LOG_SPAN * least:
        return axis_from_zero(most)
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in STEPS]
    low = max((tick for tick in ticks if tick <= least * (1 + 1e-9)), default=ticks[0])
    high = min((tick for tick in ticks if tick >= most * (1 - 1e-9)), default=ticks[-1])
    within = [tick for tick in ticks if low <= tick <= high]
    tens = [10.0**decade for decade in decades if low <= 10.0**decade <= high]
    shown = within if len(within) <= MOST_LOG_TICKS else tens
    return Axis(low, high, _thinned(shown), logarithmic=True)


def axis_from_zero(most: float, *, room: float = ROOM) -> Axis:
    """Linear, from 0 to ``room`` times the largest value, with four to six ticks."""
    high = room * most if most > 0.0 else 1.0
    power = 10.0 ** math.floor(math.log10(high / MOST_TICKS))
    step = next(s * power for s in (*STEPS, 10.0, 20.0) if high / (s * power) < MOST_TICKS)
    count = math.floor(high / step * (1 + 1e-9))
    return Axis(0.0, high, tuple(number * step for number in range(count + 1)))


def _thinned(ticks: Iterable[float]) -> tuple[float, ...]:
    """Every second, third … where there are too many."""
    every = list(ticks)
    return tuple(every[:: -(-len(every) // MOST_LOG_TICKS)])
