"""How a sensor stands: ok, absent or failed, why, and since when. The log has each change once."""

import logging
from collections.abc import Callable
from typing import Final

from wattmark_core.errors import SensorFailed
from wattmark_core.exporter_api import SensorState
from wattmark_core.printable import printable

log = logging.getLogger(__name__)

NOT_STARTED: Final = "not started yet"


class Status:
    """``failed_ns``: boot time since which the sensor has failed; 0: it has not. ``found``: the
    hardware is there, though perhaps not usable."""

    def __init__(self, sensor: str, boottime_ns: Callable[[], int]) -> None:
        self.state = SensorState.OK
        self.reason = ""
        self.remedy = ""
        self.found = True
        self.failed_ns = 0
        self.tried = False
        """Was the sensor started, well or not?"""
        self._sensor = sensor
        self._boottime_ns = boottime_ns
        self._failures = 0

    def there(self) -> None:
        """The sensor has started; whether one that had failed is ok shows in its reads."""
        if self.state is SensorState.ABSENT:
            log.info("sensor %s is there now", self._sensor)
            self.state, self.reason, self.remedy, self.found = SensorState.OK, "", "", True

    def absent(self, reason: str, remedy: str, *, found: bool) -> None:
        """It is not there, cannot be used (``found``), or is not to be used."""
        reason, remedy = printable(reason), printable(remedy)
        if (self.state, self.reason) != (SensorState.ABSENT, reason):
            log.info("sensor %s is absent: %s; %s", self._sensor, reason, remedy)
        self.state, self.reason, self.remedy, self.found = (
            SensorState.ABSENT, reason, remedy, found,
        )  # fmt: skip
        self._failures = self.failed_ns = 0

    def fail(self, error: Exception) -> None:
        """A call of it raised this."""
        reason = words(error)
        if self.state is not SensorState.FAILED:
            log.warning("sensor %s failed: %s", self._sensor, reason)
            self.failed_ns = self._boottime_ns()
        self._failures += 1
        self.state, self.reason, self.remedy = SensorState.FAILED, reason, ""

    def recover(self) -> bool:
        """A read went well; True if the one before had not."""
        if not self._failures:
            return False
        log.info("sensor %s recovered after %d failed reads", self._sensor, self._failures)
        self.state, self.reason, self._failures, self.failed_ns = SensorState.OK, "", 0, 0
        return True

    def now(self, overrun: str) -> tuple[SensorState, str]:
        """State and reason; ``overrun``: what the sensor has not returned from, which makes it
        failed."""
        if overrun:
            return SensorState.FAILED, overrun
        if not self.tried and self.state is SensorState.OK:
            return SensorState.ABSENT, NOT_STARTED
        return self.state, self.reason


def words(error: Exception) -> str:
    """One printable line; what is not the sensor's own kind of error has its type in front."""
    reason = printable(" ".join(str(error).split())) or type(error).__name__
    ours = isinstance(error, SensorFailed | OSError)
    return reason if ours else f"{type(error).__name__}: {reason}"
