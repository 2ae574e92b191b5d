"""Which exporter speaks for a host's energy sensors: two that do would count it twice."""

from dataclasses import dataclass
from threading import Lock
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import HostReport, SensorState
from wattmark_core.units import seconds_to_ns

GRACE_NS: Final = seconds_to_ns(60.0)
"""An exporter that restarts keeps its sensors for so long."""


@dataclass(slots=True)
class _Claim:
    url: str
    instance: str
    renewed_ns: int


class HostOwnership:
    """All pollers share it. First come, first served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._claims: dict[tuple[str, str], _Claim] = {}
        self._lock = Lock()

    def take(self, url: str, host: str, report: HostReport) -> None:
        """Claim, or keep, the energy sensors that are ok. Raises ``ExporterError`` if another
        exporter holds one; two addresses of the same exporter may both be read."""
        keys = [
            (host, sensor.name)
            for sensor in report.sensors
            if sensor.state is SensorState.OK and sensor.energy
        ]
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            for key in keys:
                held = self._claims.get(key)
                if held is not None and _blocks(held, url, report.instance, now_ns):
                    raise ExporterError(
                        f"exporters {held.url} and {url} both give sensor {key[1]!r} of host"
                        f" {host!r}; {url} is left out: stop one, or give it a host label"
                    )
            for key in keys:
                self._claims[key] = _Claim(url, report.instance, now_ns)

    def release(self, url: str) -> None:
        """Give up all that the exporter at ``url`` held."""
        with self._lock:
            for key in [key for key, claim in self._claims.items() if claim.url == url]:
                del self._claims[key]


def _blocks(held: _Claim, url: str, instance: str, now_ns: int) -> bool:
    if held.url == url or held.instance == instance:
        return False
    return now_ns - held.renewed_ns < GRACE_NS
