"""Watches a counter against the integral of instant power."""

from typing import Final

from wattmark_core.units import NS_PER_S
from wattmark_exporters.meter import GAP_SECONDS, EnergyPoint

SPAN_NS: Final = 10 * NS_PER_S


class CounterCheck:
    """Ratio of a counter's energy to the integral of power, over about the last 10 s.

    The integral is interpolated at the counter's stamps, so that both cover the same time.
    """

    def __init__(self) -> None:
        self._power: tuple[int, float, float] | None = None
        self._before: tuple[int, float] = (0, 0.0)
        self._start: tuple[EnergyPoint, float] | None = None

    def power(self, watts: float, time_ns: int) -> None:
        """A power reading at ``time_ns``. After a gap the comparison begins again."""
        last = self._power
        if last is None or time_ns - last[0] > GAP_SECONDS * NS_PER_S:
            self._power, self._before, self._start = (time_ns, watts, 0.0), (time_ns, 0.0), None
            return
        if time_ns <= last[0]:
            return
        joules = last[2] + (last[1] + watts) / 2 * (time_ns - last[0]) / NS_PER_S
        self._before = (last[0], last[2])
        self._power = (time_ns, watts, joules)

    def energy(self, point: EnergyPoint) -> float | None:
        """A sample of the counter: the ratio once it spans 10 s, else None."""
        integral = self._integral(point.time_ns)
        if integral is None:
            return None
        if self._start is None or self._start[0].epoch != point.epoch:
            self._start = (point, integral)
            return None
        first, first_integral = self._start
        if point.time_ns - first.time_ns < SPAN_NS:
            return None
        self._start = (point, integral)
        spent = integral - first_integral
        return (point.joules - first.joules) / spent if spent > 0 else None

    def _integral(self, time_ns: int) -> float | None:
        """Integral of power up to an instant between the last two readings, J."""
        if self._power is None:
            return None
        before_ns, before_joules = self._before
        after_ns, _, after_joules = self._power
        if not before_ns <= time_ns <= after_ns or before_ns == after_ns:
            return None
        share = (time_ns - before_ns) / (after_ns - before_ns)
        return before_joules + share * (after_joules - before_joules)
