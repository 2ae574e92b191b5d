"""The one call of a sensor that may run, and since when: a driver may never return."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from wattmark_core.units import ns_to_seconds, seconds_to_ns

log = logging.getLogger(__name__)

READ_SECONDS: Final = 2.0
"""A read that takes longer has overrun, and so has one of over 2.5 intervals."""
START_SECONDS: Final = 5.0
"""The same for the calls that find the hardware."""


READ: Final = "a read"


class Call:
    """``limit_ns``: how long a read may last. A read takes ``lock`` and sets ``since_ns``, the boot
    time since when it runs, itself: it comes ten times a second and more.
    """

    def __init__(self, sensor: str, boottime_ns: Callable[[], int], gap_seconds: float) -> None:
        self.limit_ns = seconds_to_ns(max(READ_SECONDS, gap_seconds))
        self._sensor = sensor
        self._boottime_ns = boottime_ns
        self.lock = Lock()
        self._what = READ
        self.since_ns = 0
        self._told_ns = 0
        """Since when the call runs that the log was told of; 0: none."""

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """A call other than a read."""
        self._what = what
        self.since_ns = self._boottime_ns()
        with self.lock:
            try:
                yield
            finally:
                self.since_ns, self._what = 0, READ

    def enter(self, seconds: float) -> bool:
        """Keep calls away for a moment, to be followed by ``leave``; False: one runs, and did not
        end within ``seconds``. A call that has lasted so long already is not waited for."""
        if self.seconds(self._boottime_ns()) > seconds:
            return self.lock.acquire(blocking=False)
        return self.lock.acquire(timeout=seconds)

    def leave(self) -> None:
        """Let calls run again."""
        self.lock.release()

    def seconds(self, now_ns: int) -> float:
        """How long the call that runs has lasted; 0 if none does."""
        since_ns = self.since_ns
        return ns_to_seconds(now_ns - since_ns) if since_ns else 0.0

    def overrun(self, now_ns: int) -> str:
        """What the sensor has not returned from for too long, in words; empty if it is in time."""
        seconds = self.seconds(now_ns)
        limit_ns = self.limit_ns if self._what == READ else seconds_to_ns(START_SECONDS)
        if seconds <= ns_to_seconds(limit_ns):
            return ""
        return f"{self._sensor} has not returned from {self._what} for {seconds:.0f} s"

    def watch(self, now_ns: int) -> None:
        """Tell the log once of a call that does not return, and of its return."""
        since_ns = self.since_ns
        if self._told_ns and since_ns != self._told_ns:
            self._told_ns = 0
            log.info("sensor %s: the call has returned", self._sensor)
        if not self._told_ns and (words := self.overrun(now_ns)):
            self._told_ns = since_ns
            log.warning("sensor %s failed: %s", self._sensor, words)
