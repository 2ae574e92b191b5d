"""The databases of an InfluxDB: what they are called, how long each is kept, who may what."""

from dataclasses import dataclass
from typing import Final

from wattmark_core.units import NS_PER_S

TELEMETRY: Final = "telemetry"
TELEMETRY_1M: Final = "telemetry_1m"
RESULTS: Final = "results"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Power at one width of buckets, and the database that holds it."""

    database: str
    seconds: int

    @property
    def width_ns(self) -> int:
        """The width of a bucket."""
        return self.seconds * NS_PER_S

    def around(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """The whole buckets that touch [start, end)."""
        width_ns = self.width_ns
        return start_ns // width_ns * width_ns, -(-end_ns // width_ns) * width_ns


POWER: Final = (
    Resolution("power_10s", 10),
    Resolution("power_1m", 60),
    Resolution("power_10m", 600),
    Resolution("power_1h", 3600),
)
"""Finest first; each is a sum over the one before it."""
POWER_NAMES: Final = tuple(resolution.database for resolution in POWER)
DATABASES: Final = (TELEMETRY, TELEMETRY_1M, *POWER_NAMES, RESULTS)

RAW_KEPT: Final = "14d"
LONG_KEPT: Final = "730d"
"""The default; ``WATTMARK_RETENTION`` in the stack."""
FOR_EVER: Final = "INF"
KEPT: Final = {
    name: RAW_KEPT if name in {TELEMETRY, "power_10s"} else LONG_KEPT for name in DATABASES
} | {RESULTS: FOR_EVER}

READS: Final = {
    "collector": (TELEMETRY, TELEMETRY_1M, *POWER_NAMES),
    "runner": (TELEMETRY, TELEMETRY_1M, RESULTS),
    "grafana": DATABASES,
}
WRITES: Final = {
    "collector": (TELEMETRY, TELEMETRY_1M, *POWER_NAMES),
    "runner": (RESULTS,),
    "grafana": (),
}
"""The collector reads what it wrote, to make coarser values of it."""
