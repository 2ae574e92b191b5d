"""One sensor at work: its state, its devices, and the samples that its readings become."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import Clock
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorReport, SensorState
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_exporters.device import Device, power_method
from wattmark_exporters.meter import GAP_SECONDS
from wattmark_exporters.own_series import OwnLine, OwnSeries, OwnValues
from wattmark_exporters.readings import (
    Counter,
    LeftOut,
    Lost,
    Power,
    Reading,
    Sensor,
    Values,
    no_reading,
)
from wattmark_exporters.ring import Ring
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest, ValueWriter

log = logging.getLogger(__name__)

STILL_SECONDS: Final = 3.0
"""Values that have not moved for so long, and five reads, stand still."""
STALE_SECONDS: Final = 5.0
"""Older values, and those older than three reads, are not served on ``/metrics``."""
MOST_PENDING: Final = 32
"""Reads that wait at most to become samples."""
_INTERVALS_PER_GAP: Final = 2.5


class RunningSensor:
    """Runs one sensor. Not thread-safe: the sampler calls it under its lock.

    ``read`` only reads and stamps; ``digest`` makes samples of it: of a sensor that splits ``read``
    when somebody asks, many reads at a time, else at once. Of a process that wakes ten times a
    second the code and data are no longer in the CPU's caches, and the same work costs five times
    as much each time.
    """

    def __init__(
        self, sensor: Sensor, host: str, clock: Clock, schedule: Schedule, ring: Ring
    ) -> None:
        self.sensor = sensor
        self.schedule = schedule
        self.state = SensorState.OK
        self.running = False
        """Is the sensor to be read?"""
        self.read_end_ns = 0
        """Boot time at the end of the last read."""
        self._reason = ""
        self._remedy = ""
        self._found = True
        self._constants: tuple[tuple[str, float], ...] = ()
        self._host = host
        self._started_ns = clock.boottime_ns()
        self._devices: dict[tuple[str, str], Device] = {}
        self._ring = ring
        self._pending: list[tuple[int, int, object, bool] | OwnLine] = []
        """Of each read its start (Unix ns), how long it took (ns), what it took, and whether it
        was due; and the own lines that came between."""
        self._may_pend = MOST_PENDING if type(sensor).take is not Sensor.take else 1
        self._most_pending = self._may_pend
        self._late_failures = 0
        """Due reads that counted as good until they were digested."""
        self._take = sensor.take
        self._boottime_ns = clock.boottime_ns
        self._values = ValueWriter(host, ring)
        self._gpus: list[Device] = []
        self._reads = 0
        self._seen = 0
        self._failures = 0
        self._read_ns: int | None = None
        self._gap_seconds = max(GAP_SECONDS, _INTERVALS_PER_GAP * sensor.interval_seconds)
        self._own = OwnSeries(sensor.name, host, ring)
        self._left_out: dict[str, int] = {}
        """Of each part of the input that cannot be read, in how many reads."""

    def start(self) -> None:
        """Start the sensor; absent and failed are states, not errors."""
        try:
            self.sensor.start()
            self._constants = tuple(sorted(self.sensor.constants().items()))
        except SensorAbsent as error:
            self.set_absent(error.reason, error.remedy, found=error.found)
        except Exception as error:  # noqa: BLE001 - a sensor may raise anything; the others go on
            self._fail(error)
        else:
            self.running = True

    def set_absent(self, reason: str, remedy: str, *, found: bool) -> None:
        """The sensor is not there, cannot be used (``found``), or is not to be used."""
        log.info("sensor %s is absent: %s; %s", self.sensor.name, reason, remedy)
        self.state, self._reason, self._remedy = SensorState.ABSENT, reason, remedy
        self._found = found
        self.running = False

    def close(self) -> None:
        """Close the sensor, whatever state it is in."""
        try:
            self.sensor.close()
        except Exception as error:  # noqa: BLE001 - see start
            log.warning("sensor %s did not close: %s", self.sensor.name, error)

    def read(self, offset_ns: int, *, due: bool = False) -> bool:
        """Read once, stamped with boot time plus ``offset_ns``; True if it went well as far as is
        known, which ``schedule.taken`` counts if it was ``due``. Never raises."""
        boottime_ns, take = self._boottime_ns, self._take
        start_ns = boottime_ns()
        try:
            taken = take()
        except Exception as error:  # noqa: BLE001 - see start
            self.read_end_ns = boottime_ns()
            self.digest()
            self._reads += 1
            self._miss()
            self._fail(error)
            return False
        self.read_end_ns = end_ns = boottime_ns()
        pending = self._pending
        waits = len(pending) + 1 < self._most_pending
        pending.append((start_ns + offset_ns, end_ns - start_ns, taken, due and waits))
        if waits:
            return True
        self.digest()
        return self.state is SensorState.OK

    def digest(self) -> None:
        """Make samples of what was read since the last call, and put them into the ring."""
        pending = self._pending
        if not pending:
            return
        now_ns = self.read_end_ns
        for entry in pending:
            if isinstance(entry, OwnLine):
                self._write_own(entry, now_ns)
                continue
            start_ns, read_ns, taken, due = entry
            self._read_ns = read_ns
            self._digest(start_ns + read_ns // 2, read_ns, taken)
            self._values.end_read(now_ns)
            if due and self.state is not SensorState.OK:
                self._late_failures += 1
                self.schedule.taken -= 1
        pending.clear()
        self._values.flush(now_ns)
        for device in self._devices.values():
            device.flush(self._ring, now_ns)

    def new_epoch(self) -> None:
        """Time itself was torn: every meter begins again."""
        self.digest()
        for device in self._devices.values():
            device.new_epoch()

    def armed_seconds(self) -> float:
        """Interval while a lease runs."""
        self.digest()
        usual = self.sensor.interval_seconds
        return min([usual, *(d.armed_seconds(usual) for d in self._devices.values())])

    def write_own(self, time_ns: int, now_ns: int) -> None:
        """Write the sample of measurement ``sensor``, once it is known how the reads before it
        went; of an absent sensor its state alone."""
        schedule = self.schedule
        line = OwnLine(time_ns, schedule.due, schedule.taken, self._late_failures)
        if self._pending:
            self._pending.append(line)
        else:
            self._write_own(line, now_ns)

    def _write_own(self, line: OwnLine, now_ns: int) -> None:
        taken = line.taken - (self._late_failures - line.late_failures)
        self._own.write(self._own_values(line.due, taken), line.time_ns, now_ns)

    @property
    def moving(self) -> bool | None:
        """Did the values advance since the start? None: too early to say, or absent."""
        if self.state is SensorState.ABSENT:
            return None
        devices = self._devices.values()
        if any(d.moved for d in devices) or (not devices and self._values.moved):
            return True
        age_seconds = ns_to_seconds(self._boottime_ns() - self._started_ns)
        return False if age_seconds > STILL_SECONDS + 5 * self.sensor.interval_seconds else None

    def domains(self) -> set[Domain]:
        """Domains for which the sensor has given energy."""
        self.digest()
        return {device.domain for device in self._devices.values() if device.has_energy}

    def report(self) -> SensorReport:
        """State for ``GET /sensors``."""
        self.digest()
        failed = self.state is SensorState.FAILED
        return SensorReport(
            name=self.sensor.name,
            state=self.state,
            interval_seconds=self.sensor.interval_seconds,
            reason=self._reason,
            remedy=self._remedy,
            found=self._found,
            moving=self.moving,
            taken=self.schedule.taken,
            due=self.schedule.due,
            constants=self._constants,
            energy=tuple(d.series(failed=failed) for d in self._devices.values() if d.has_energy),
            note=self.sensor.note(),
        )

    def latest(self, now_ns: int) -> Iterator[Latest]:
        """The last fields of every series; what is stale or failed is left out."""
        self.digest()
        yield self._own.latest(self._own_values(self.schedule.due, self.schedule.taken))
        if self.state is not SensorState.OK:
            return
        stale_seconds = max(STALE_SECONDS, 3 * self.sensor.interval_seconds)
        oldest_ns = now_ns - seconds_to_ns(stale_seconds)
        yield from self._values.latest(oldest_ns)
        for device in self._devices.values():
            yield from device.latest(oldest_ns)

    def _digest(self, time_ns: int, read_ns: int, taken: object) -> None:
        self._reads += 1
        self._seen = 0
        try:
            given = self.sensor.readings(taken)
            readings = tuple(given)
            for reading in readings:
                if isinstance(reading, Counter):
                    self._device(reading, readings).counter(reading, time_ns, read_ns)
                elif isinstance(reading, Values):
                    self._values.write(reading, time_ns)
                elif isinstance(reading, Power):
                    self._device(reading, readings).power(reading, time_ns, read_ns)
                elif isinstance(reading, Lost):
                    self._lose(reading)
                elif isinstance(reading, LeftOut):
                    self._leave_out(reading)
                else:
                    raise SensorFailed(no_reading(given, reading))
            for device in self._gpus:
                if (ratio := device.ratio()) is not None:
                    self._values.write_ratio(device.name, ratio, time_ns)
        except Exception as error:  # noqa: BLE001 - see start
            self._fail(error)
        else:
            self._recover()
        if self._seen < len(self._devices):
            self._miss()

    def _device(self, reading: Counter | Power, readings: Sequence[Reading]) -> Device:
        device = self._devices.get(reading[:2])
        if device is None:
            device = self._new_device(reading, readings)
        if device.seen != self._reads:
            device.seen = self._reads
            self._seen += 1
        if device.lost:
            log.info("sensor %s: device %s is back", self.sensor.name, device.name)
            device.lost = ""
        return device

    def _new_device(self, reading: Counter | Power, readings: Sequence[Reading]) -> Device:
        method = reading.method if isinstance(reading, Counter) else power_method(reading, readings)
        device = Device(
            self.sensor.name, self._host, Domain(reading.domain), reading.device,
            Method(method), reading.traits, self._gap_seconds, self.sensor.interval_seconds,
        )  # fmt: skip
        self._devices[(reading.domain, reading.device)] = device
        if device.domain is Domain.GPU:
            self._gpus.append(device)
        return device

    def _miss(self) -> None:
        for device in self._devices.values():
            if device.seen != self._reads:
                device.missed()

    def _lose(self, reading: Lost) -> None:
        device = self._devices.get((reading.domain, reading.device))
        if device is not None and not device.lost:
            device.lost = reading.reason or "gives no readings"
            log.warning(
                "sensor %s: device %s failed: %s", self.sensor.name, device.name, device.lost
            )

    def _leave_out(self, reading: LeftOut) -> None:
        times = self._left_out.get(reading.part, 0)
        self._left_out[reading.part] = times + 1
        if not times:
            log.warning(
                "sensor %s: %s is left out: %s", self.sensor.name, reading.part, reading.reason
            )

    def _fail(self, error: Exception) -> None:
        reason = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, SensorFailed | OSError):
            reason = f"{type(error).__name__}: {reason}"
        if self.state is not SensorState.FAILED:
            log.warning("sensor %s failed: %s", self.sensor.name, reason)
        self._failures += 1
        self.state, self._reason = SensorState.FAILED, reason
        self._most_pending = 1  # whether it recovers shows in what it reads

    def _recover(self) -> None:
        if self._failures:
            log.info("sensor %s recovered after %d failed reads", self.sensor.name, self._failures)
            self.state, self._reason, self._failures = SensorState.OK, "", 0
            self._most_pending = self._may_pend

    def _own_values(self, due: int, taken: int) -> OwnValues:
        dropped = self._values.dropped + sum([d.dropped for d in self._devices.values()])
        dropped += sum(self._left_out.values())
        return OwnValues(self.state, due, taken, dropped, self._read_ns)
