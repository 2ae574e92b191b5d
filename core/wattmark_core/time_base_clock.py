"""The exporter's time base: CLOCK_BOOTTIME plus one offset, fixed until the wall clock is stepped.

CLOCK_BOOTTIME and CLOCK_REALTIME are slewed alike (clock_gettime(2), adjtimex(2)), so their
difference moves only when somebody steps the wall clock.
"""

from threading import Lock
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.units import ns_to_seconds

SHIFT_LIMIT_NS: Final = 50_000_000
"""A wall clock that is further off than this moves the base."""
_ATTEMPTS: Final = 5
_TIGHT_NS: Final = 100_000


class TimeBaseClock:
    """Gives stamps in Unix ns. ``tears``: how often time was torn so far, by a step of the wall
    clock or a suspend; for each every counter needs a new epoch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self.tears = 0
        self._asleep_ns = _asleep_ns(clock)
        self.offset_ns = _offset_ns(clock)
        self.shift_ns = 0
        """Wall clock less base, at the last check."""

    def now_ns(self) -> int:
        """This instant as Unix ns in the base."""
        return self._clock.boottime_ns() + self.offset_ns

    def check(self) -> str | None:
        """Why every counter needs a new epoch, in words, told once; None while time runs evenly.

        After a step of the wall clock the base moves to the new offset. Cheap, and may be called in
        any thread.
        """
        clock = self._clock
        boottime_ns = clock.boottime_ns()
        asleep_ns = boottime_ns - clock.monotonic_ns()
        self.shift_ns = clock.realtime_ns() - boottime_ns - self.offset_ns
        if (
            asleep_ns - self._asleep_ns <= SHIFT_LIMIT_NS
            and -SHIFT_LIMIT_NS <= self.shift_ns <= SHIFT_LIMIT_NS
        ):
            return None
        with self._lock:
            reason = self._suspended() or self._stepped()
            if reason is not None:
                self.tears += 1
            return reason

    def _suspended(self) -> str | None:
        asleep_ns = _asleep_ns(self._clock)
        slept_ns = asleep_ns - self._asleep_ns
        if slept_ns <= SHIFT_LIMIT_NS:
            return None
        self._asleep_ns = asleep_ns
        self._stepped()  # the wall clock is often set on waking: one reason, one epoch
        return f"the machine was suspended for {ns_to_seconds(slept_ns):.3g} s"

    def _stepped(self) -> str | None:
        offset_ns = _offset_ns(self._clock)  # a closer look: we may have been held up in between
        self.shift_ns = offset_ns - self.offset_ns
        if abs(self.shift_ns) <= SHIFT_LIMIT_NS:
            return None
        self.offset_ns = offset_ns
        return f"the wall clock was stepped by {ns_to_seconds(self.shift_ns):+.3g} s"


def _asleep_ns(clock: Clock) -> int:
    """Time spent suspended since boot. Being held up between the reads makes it smaller only."""
    boottime_ns = clock.boottime_ns()
    return boottime_ns - clock.monotonic_ns()


def _offset_ns(clock: Clock) -> int:
    """CLOCK_REALTIME less CLOCK_BOOTTIME, from the quickest of a few attempts."""
    best: tuple[int, int] | None = None
    for _ in range(_ATTEMPTS):
        before_ns = clock.boottime_ns()
        realtime_ns = clock.realtime_ns()
        took_ns = clock.boottime_ns() - before_ns
        attempt = (took_ns, realtime_ns - before_ns - took_ns // 2)
        best = attempt if best is None else min(best, attempt)
        if took_ns <= _TIGHT_NS:
            break
    assert best is not None  # noqa: S101 - the loop ran at least once
    return best[1]
