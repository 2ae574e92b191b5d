"""Whether a stand-in, the estimate, counts in the place of sensors that measure."""

import logging
from collections.abc import Sequence
from threading import Lock
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.exporter_api import SensorState
from wattmark_core.units import NS_PER_S, seconds_to_ns
from wattmark_exporters.call import START_SECONDS
from wattmark_exporters.sensor_loop import SensorLoop

log = logging.getLogger(__name__)

GONE_NS: Final = 30 * NS_PER_S
"""A sensor that has failed for so long gives nothing any more."""
_DOMAIN: Final = Domain.PACKAGE
PROBES: Final = 3
"""Reads within which a sensor shows which energy it gives: one may be bad."""


class StandIns:
    """Decides by what the others have given: a counter that has counted and goes on counting is
    needed, one that stands still, has failed for long or is absent is not. While somebody measures
    nothing is decided."""

    def __init__(self, loops: Sequence[SensorLoop], now_ns: int) -> None:
        self.decided = False
        self._others = [
            loop for loop in loops if loop.sensor.sensor.energy and not loop.sensor.sensor.stand_in
        ]
        self._stand_ins = [loop for loop in loops if loop.sensor.sensor.stand_in]
        self._since_ns = now_ns
        self._lock = Lock()

    @property
    def there(self) -> bool:
        """Is there any?"""
        return bool(self._stand_ins)

    def settled(self) -> bool:
        """Is it decided, and carried out?"""
        return self.decided and all(loop.settled() for loop in self._stand_ins)

    def decide(self, now_ns: int, busy_seconds: float | None) -> None:
        """Start or end the stand-ins; ``busy_seconds``: CPU time of the machine so far."""
        with self._lock:
            states = [(loop, self._gives(loop, now_ns, busy_seconds)) for loop in self._others]
            measured_by = next((loop.sensor.sensor.name for loop, gives in states if gives), None)
            if measured_by is None and any(gives is None for _, gives in states):
                return
            self.decided = True
            for loop in self._stand_ins:
                loop.rest(f"not needed: {measured_by} measures the package" if measured_by else "")
            if self._stand_ins:
                self._tell("" if measured_by else self._stand_ins[0].sensor.sensor.name)

    def _gives(
        self, loop: SensorLoop, now_ns: int, busy_seconds: float | None
    ) -> bool | None:  # fmt: skip
        """Does the sensor give the package's energy? None: it is open, and stays as it is."""
        sensor = loop.sensor
        began = now_ns - self._since_ns <= seconds_to_ns(START_SECONDS)
        if not sensor.tried:
            return None if began else False
        failed_ns = sensor.failed_ns if sensor.state is SensorState.FAILED else now_ns
        silent_ns = max(now_ns - failed_ns, sensor.called_seconds(now_ns) * NS_PER_S)
        if not sensor.running or silent_ns > GONE_NS:
            return False
        if self.decided and silent_ns:
            return None
        if not self.decided:
            sensor.digest()
        gives = sensor.counts(_DOMAIN, busy_seconds)
        if gives is False and began and sensor.maker.reads < PROBES:
            return None
        return gives if gives is not None or self.decided or began else False

    def _tell(self, stand_in: str) -> None:
        """Say of the sensors that should measure the package who counts in their place."""
        for loop in self._others:
            sensor = loop.sensor
            words = f"the {stand_in} counts in its place" if stand_in else ""
            if not sensor.has(_DOMAIN) or sensor.stands_in == words:
                continue
            sensor.stands_in = words
            log.warning("sensor %s: %s", sensor.sensor.name, words or "it counts the package again")
