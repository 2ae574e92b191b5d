"""The reads of one sensor, until they are samples in the ring."""

from threading import Lock
from typing import Final

from wattmark_core.exporter_api import SensorState
from wattmark_exporters.call import Call
from wattmark_exporters.own_series import OwnLine, OwnSeries, OwnValues
from wattmark_exporters.readings import Reading, Sensor
from wattmark_exporters.ring import Ring
from wattmark_exporters.sample_maker import SampleMaker
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest
from wattmark_exporters.status import Status

MOST_PENDING: Final = 32
"""Reads that wait at most to become samples."""
_Prepared = tuple[int, int, bool, object, tuple[Reading, ...] | Exception]
"""Of a read its start (Unix ns), how long it took (ns), whether it was due, what it returned, and
the readings of that."""


class Reads:
    """``add`` and ``make`` are called within a call of the sensor, or in its place.

    ``lock`` is over all that becomes of readings; it is never held while the sensor is called.
    ``asked``: somebody wanted what was read, and did not wait for the end of a call. ``splits``:
    the sensor makes readings later than it reads. ``late_failures``: due reads that counted as good
    until they became samples.
    """

    def __init__(
        self, sensor: Sensor, status: Status, call: Call, schedule: Schedule, host: str, ring: Ring
    ) -> None:
        self.maker = SampleMaker(sensor, host, ring)
        self.lock = Lock()
        self.asked = False
        self.splits = type(sensor).take is not Sensor.take
        self._sensor = sensor
        self._status = status
        self._call = call
        self._schedule = schedule
        self._own = OwnSeries(sensor.name, host, ring)
        self._pending: list[tuple[int, int, object, bool] | OwnLine] = []
        """Of each read its start (Unix ns), how long it took (ns), what it took, and whether it
        was due; and the own lines that came between."""
        self.late_failures = 0
        self._read_ns: int | None = None

    @property
    def pending(self) -> bool:
        """Is there anything that is not a sample yet?"""
        return bool(self._pending)

    def add(self, start_ns: int, read_ns: int, taken: object, due: bool) -> bool:
        """Keep what a read took, from ``start_ns`` (Unix) for ``read_ns``; True if it may wait.

        Of a sensor that has failed it may not: whether it recovers shows in what it reads.
        """
        pending = self._pending
        waits = (
            self.splits and len(pending) < MOST_PENDING - 1 and not self.asked
            and self._status.state is SensorState.OK
        )  # fmt: skip
        pending.append((start_ns, read_ns, taken, due and waits))
        return waits

    def make(self, now_ns: int) -> None:
        """Make samples of all that waits. ``now_ns``: boot time of the last read's end."""
        self.asked = False
        with self.lock:
            pending, self._pending = self._pending, []
        if not pending:
            return
        prepared = [e if isinstance(e, OwnLine) else self._read(*e) for e in pending]
        with self.lock:
            for entry in prepared:
                if isinstance(entry, OwnLine):
                    self._write_own(entry, now_ns)
                else:
                    self._write(entry, now_ns)
            self.maker.flush(now_ns)

    def fail(self, error: Exception, now_ns: int) -> None:
        """A read gave nothing but this."""
        self.make(now_ns)
        with self.lock:
            self.maker.begin()
            self.maker.end()
            self._status.fail(error)

    def new_epoch(self) -> None:
        """Every counter begins again."""
        with self.lock:
            self.maker.new_epoch()

    def write_own(self, time_ns: int, now_ns: int) -> None:
        """Write the sample of measurement ``sensor``, once it is known how the reads before it
        went; of an absent sensor its state alone."""
        schedule = self._schedule
        with self.lock:
            line = OwnLine(time_ns, schedule.due, schedule.taken)
            if self._pending and not self._call.overrun(now_ns):
                self._pending.append(line)
            else:
                self._write_own(line, now_ns)

    def own(self, now_ns: int) -> tuple[SensorState, Latest]:
        """The sensor's state, and the same for ``/metrics``. With the lock held."""
        taken = self._schedule.taken - self.late_failures
        values = self._own_values(self._schedule.due, taken, now_ns)
        return values.state, self._own.latest(values)

    def _read(self, start_ns: int, read_ns: int, taken: object, due: bool) -> _Prepared:
        readings: tuple[Reading, ...] | Exception
        given: object = None
        try:
            given = self._sensor.readings(taken)
            readings = tuple(given)
        except Exception as error:  # noqa: BLE001 - a sensor may raise anything; the others go on
            readings = error
        return start_ns, read_ns, due, given, readings

    def _write(self, read: _Prepared, now_ns: int) -> None:
        start_ns, read_ns, due, given, readings = read
        self._read_ns = read_ns
        self.maker.begin()
        try:
            if isinstance(readings, Exception):
                raise readings
            self.maker.write(given, readings, start_ns + read_ns // 2, read_ns)
        except Exception as error:  # noqa: BLE001 - as above
            self._status.fail(error)
        else:
            self._status.recover()
        self.maker.end()
        self.maker.end_values(now_ns)
        if due and self._status.state is not SensorState.OK:
            self.late_failures += 1

    def _write_own(self, line: OwnLine, now_ns: int) -> None:
        taken = line.taken - self.late_failures
        self._own.write(self._own_values(line.due, taken, now_ns), line.time_ns, now_ns)

    def _own_values(self, due: int, taken: int, now_ns: int) -> OwnValues:
        state, _ = self._status.now(self._call.overrun(now_ns))
        return OwnValues(state, due, taken, self.maker.dropped, self._read_ns)
