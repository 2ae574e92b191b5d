"""What the exporter says of its sensors: the samples of the measurement ``sensor``."""

from typing import Final, NamedTuple

from wattmark_core.exporter_api import SensorState
from wattmark_core.units import ns_to_seconds
from wattmark_exporters.ring import Ring
from wattmark_exporters.series import Latest, SeriesWriter

STATE_CODES: Final = {SensorState.FAILED: 0.0, SensorState.OK: 1.0, SensorState.ABSENT: 2.0}
OWN_FIELDS: Final = ("state", "up", "due", "taken", "dropped", "read_seconds")


class OwnLine(NamedTuple):
    """A sample to be made once it is known how the reads before it went: its time (Unix ns), and
    what was known then."""

    time_ns: int
    due: int
    taken: int


class OwnValues(NamedTuple):
    """``read_ns``: how long the last read took; None before the first."""

    state: SensorState
    due: int
    taken: int
    dropped: int
    read_ns: int | None

    def fields(self) -> tuple[float | int, ...]:
        """Of the first of ``OWN_FIELDS``: all that is known; of an absent sensor its state."""
        code = STATE_CODES[self.state]
        if self.state is SensorState.ABSENT:
            return (code,)
        up = 1.0 if self.state is SensorState.OK else 0.0
        values = (code, up, self.due, self.taken, self.dropped)
        return values if self.read_ns is None else (*values, ns_to_seconds(self.read_ns))


class OwnSeries:
    """Writes them into the ring, for one sensor."""

    def __init__(self, sensor: str, host: str, ring: Ring) -> None:
        self._tags = {"sensor": sensor}
        self._writer = SeriesWriter("sensor", self._tags, host, ring)

    def write(self, values: OwnValues, time_ns: int, now_ns: int) -> None:
        """Add a sample of ``time_ns`` (Unix); ``now_ns``: boot time, for the ring."""
        fields = values.fields()
        self._writer.write(OWN_FIELDS[: len(fields)], fields, time_ns, now_ns)

    def latest(self, values: OwnValues) -> Latest:
        """The same for ``/metrics``."""
        return Latest("sensor", self._tags, dict(zip(OWN_FIELDS, values.fields(), strict=False)))
