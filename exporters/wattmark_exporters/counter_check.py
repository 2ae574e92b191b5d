"""Watches a counter against the integral of instant power.

Where the two contradict each other by far, one of them is wrong, and what is too little is not
believed: a device draws at least what it needs to answer, and neither value can be above the
device's limit, or it would not have got here.
"""

from math import inf
from typing import Final

from wattmark_core.units import NS_PER_S
from wattmark_exporters.meter import GAP_SECONDS, EnergyPoint

SPAN_NS: Final = 10 * NS_PER_S
FAR: Final = 10.0
"""Times that one is more than the other. Sound boards stay below: they idle at about a tenth of
their limit, so that even a sensor that sees only the peaks or only the pauses of a load (A100 and
H100 look 25 % of the time, arXiv 2312.02741) is off by less. Boards seen beyond it: 0 J counted at
247 W (NVIDIA/DCGM#58)."""


class CounterCheck:
    """Ratio of a counter's energy to the integral of power, over about the last 10 s.

    The integral is interpolated at the counter's stamps, so that both cover the same time.
    ``too_little_power``: the counter says over ``FAR`` times as much, ``too_little_energy``: the
    power does, over the last full span.
    """

    def __init__(self) -> None:
        self.too_little_power = self.too_little_energy = False
        self._ratio = 1.0
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
        spent, counted = integral - first_integral, point.joules - first.joules
        if spent <= 0 and counted <= 0:
            self.too_little_power = self.too_little_energy = False
            return None
        self._ratio = counted / spent if spent > 0 else inf
        self.too_little_power = self._ratio > FAR
        self.too_little_energy = self._ratio * FAR < 1
        return self._ratio if self._ratio < inf else None

    def words(self) -> str:
        """What contradicts what, for people; empty if nothing does."""
        if not (self.too_little_power or self.too_little_energy):
            return ""
        doubted = "power" if self.too_little_power else "the counter"
        return (
            f"the counter gives {self._ratio:.3g} times the integral of power over 10 s:"
            f" {doubted} is not believed"
        )

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
