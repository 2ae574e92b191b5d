"""Whether a board's counter counts: its rise beside the integral of its power."""

from typing import Final

from wattmark_core.units import NS_PER_S

_SPAN_NS: Final = 10 * NS_PER_S
"""Compared over so long at least: the slowest counter known moves ten times a second."""
_GAP_NS: Final = NS_PER_S
"""Power is not stretched over a longer time without a reading."""


class CounterTrust:
    """Of one board, from one comparison to the next."""

    def __init__(self) -> None:
        self._start: tuple[float, int] | None = None
        self._power: tuple[float, int] | None = None
        self._spent_joules = 0.0

    def counter(self, joules: float, now_ns: int) -> None:
        """The counter's value; the first begins the comparison."""
        if self._start is None:
            self._start, self._spent_joules = (joules, now_ns), 0.0

    def power(self, watts: float, now_ns: int) -> None:
        """A reading of power."""
        before, self._power = self._power, (watts, now_ns)
        if before is not None and now_ns - before[1] <= _GAP_NS:
            seconds = (now_ns - before[1]) / NS_PER_S
            self._spent_joules += (before[0] + watts) / 2 * seconds

    def ratio(self, joules: float, now_ns: int) -> float | None:
        """The counter's rise over the integral of power since the last comparison, which ends here;
        None if it is too short, or there was no power, or the counter fell."""
        start, spent_joules = self._start, self._spent_joules
        if start is not None and now_ns - start[1] < _SPAN_NS:
            return None
        self._start, self._spent_joules = (joules, now_ns), 0.0
        if start is None or spent_joules <= 0 or joules < start[0]:
            return None
        return (joules - start[0]) / spent_joules
