"""Does a counter advance, or does it stand still while the machine works?

Chips, memory and boards that are powered draw watts, so that a counter of theirs which works goes
up at every update. One that stands at its value (a RAPL zone of a virtual machine, a driver that
hangs) gives a number that looks like 0 W.
"""

from typing import Final

from wattmark_core.units import ns_to_seconds, seconds_to_ns

STILL_SECONDS: Final = 3.0
"""A counter that has not advanced for so long, and for ``STILL_PERIODS``, stands still."""
STILL_PERIODS: Final = 10
STILL_READS: Final = 5
WORK_SECONDS: Final = 1.0
"""CPU time within which a counter that has advanced before must do so again."""
UNKNOWN_WORK_SECONDS: Final = 60.0
"""Where nobody counts CPU time: a machine that is on has worked within this."""
_LONGEST_STEP_SECONDS: Final = 60.0
_STEPS: Final = 5


class Movement:
    """Of one counter. ``seen_ns``: time of its last read (Unix ns); ``moved``: it has advanced.

    The limit grows with the longest time between two steps that was seen, of up to a minute: a
    counter of watt-hours need not say that it ticks seldom.
    """

    __slots__ = (
        "_busy_seconds", "_gap_ns", "_longest_ns", "_since_ns", "_state", "moved", "seen_ns",
    )  # fmt: skip

    def __init__(self, gap_seconds: float) -> None:
        self._gap_ns = seconds_to_ns(gap_seconds)
        self.moved = False
        self.seen_ns = 0
        self._since_ns = 0
        """Of the last step, or of the first read, or the first after a gap."""
        self._longest_ns = 0
        self._busy_seconds: float | None = None
        """CPU time of the machine when the counter was found to stand still."""
        self._state: bool | None = None

    def read(self, time_ns: int) -> None:
        """The counter was read, whatever it said."""
        if not 0 <= time_ns - self.seen_ns <= self._gap_ns:
            self._since_ns = time_ns  # what it did meanwhile is not known
        self.seen_ns = time_ns

    def advanced(self) -> None:
        """Its last read was above the one before."""
        if self.moved:
            self._longest_ns = max(self._longest_ns, self.seen_ns - self._since_ns)
        self.moved = self._state = True
        self._since_ns = self.seen_ns

    def state(
        self, period_seconds: float, interval_seconds: float, busy_seconds: float | None
    ) -> bool | None:
        """True: it advances; False: it stands still; None: too early to say.

        ``busy_seconds``: CPU time of the machine so far, None if nobody counts it.
        """
        still_seconds = ns_to_seconds(self.seen_ns - self._since_ns)
        step_seconds = min(ns_to_seconds(self._longest_ns), _LONGEST_STEP_SECONDS)
        limit_seconds = STILL_READS * interval_seconds + max(
            STILL_SECONDS, STILL_PERIODS * period_seconds, _STEPS * step_seconds
        )
        if still_seconds <= limit_seconds:
            self._busy_seconds = None
        elif self._worked(still_seconds - limit_seconds, busy_seconds):
            self._state = False
        return self._state

    def _worked(self, seconds: float, busy_seconds: float | None) -> bool:
        """Has the machine worked while a counter that had moved stood still for ``seconds``?"""
        if not self.moved:
            return True
        if busy_seconds is None:
            return seconds > UNKNOWN_WORK_SECONDS
        if self._busy_seconds is None:
            self._busy_seconds = busy_seconds
        return busy_seconds - self._busy_seconds >= WORK_SECONDS
