"""Which exporter speaks for a host's energy sensors: two that do would count it twice."""

from dataclasses import dataclass
from threading import Lock
from typing import Final

from wattmark_collector.series_ownership import SeriesOwnership
from wattmark_core.clock import Clock
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import HostReport, SensorState
from wattmark_core.units import seconds_to_ns

GRACE_NS: Final = seconds_to_ns(60.0)
"""An exporter that restarts keeps its sensors this long."""


@dataclass(slots=True)
class _Ownership:
    url: str
    instance: str
    renewed_ns: int


class HostOwnership:
    """All pollers share it. First come, first served. ``series``: whose each single series is."""

    def __init__(self, clock: Clock) -> None:
        self.series = SeriesOwnership(clock)
        self._clock = clock
        self._owned: dict[tuple[str, str], _Ownership] = {}
        self._lock = Lock()

    def take(self, url: str, host: str, report: HostReport) -> None:
        """Make ``url`` the owner of the energy sensors that are ok, or renew that. Raises
        ``ExporterError`` if another exporter owns one; two addresses of one exporter may both be
        read."""
        keys = [
            (host, sensor.name)
            for sensor in report.sensors
            if sensor.state is SensorState.OK and sensor.energy
        ]
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            for key in keys:
                held = self._owned.get(key)
                if held is not None and _blocks(held, url, report.instance, now_ns):
                    raise ExporterError(
                        f"exporters {held.url} and {url} both give sensor {key[1]!r} of host"
                        f" {host!r}; {url} is left out: stop one, or give it a host label"
                    )
            for key in keys:
                self._owned[key] = _Ownership(url, report.instance, now_ns)

    def release(self, url: str) -> None:
        """Give up all that the exporter at ``url`` owns."""
        with self._lock:
            for key in [key for key, owned in self._owned.items() if owned.url == url]:
                del self._owned[key]
        self.series.release(url)


def _blocks(held: _Ownership, url: str, instance: str, now_ns: int) -> bool:
    if held.url == url or held.instance == instance:
        return False
    return now_ns - held.renewed_ns < GRACE_NS
