"""One sensor at work: its state, the calls of it, and what is said of it."""

import logging
from threading import Lock
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.clock import Clock
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorReport, SensorState
from wattmark_core.printable import printable
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_exporters.call import Call
from wattmark_exporters.movement import STILL_READS, STILL_SECONDS
from wattmark_exporters.own_series import OwnLine, OwnSeries, OwnValues
from wattmark_exporters.readings import Reading, Sensor, Stamped
from wattmark_exporters.ring import Ring
from wattmark_exporters.sample_maker import SampleMaker
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest

log = logging.getLogger(__name__)

STALE_SECONDS: Final = 5.0
"""Older values, and those older than three reads, are not served on ``/metrics``."""
MOST_PENDING: Final = 32
"""Reads that wait at most to become samples."""
ASK_SECONDS: Final = 0.02
"""So long may a sensor's read delay those who ask for samples."""
_Prepared = tuple[int, int, bool, object, tuple[Reading, ...] | Exception]
"""Of a read its start (Unix ns), how long it took (ns), whether it was due, what it returned, and
the readings of that."""


class RunningSensor:
    """Runs one sensor, which its own thread alone calls; whoever asks for a report may be in any
    other, and waits for no call.

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
        self.tried = False
        """Has it been started, well or not?"""
        self.running = False
        """Is the sensor to be read?"""
        self.read_end_ns = 0
        """Boot time at the end of the last read."""
        self.failed_ns = 0
        """Boot time since which it has failed; 0: it has not."""
        self.stands_in = ""
        """Who counts in its place, in words."""
        self.maker = SampleMaker(sensor, host, ring)
        self._reason = ""
        self._remedy = ""
        self._note = ""
        self._found = True
        self._constants: tuple[tuple[str, float], ...] = ()
        self._boottime_ns = clock.boottime_ns
        self._started_ns = clock.boottime_ns()
        self._call = Call(sensor.name, clock.boottime_ns, self.maker.gap_seconds)
        self._lock = Lock()
        """Over all that becomes of readings; never held while the sensor is called."""
        self._pending: list[tuple[int, int, object, bool] | OwnLine] = []
        """Of each read its start (Unix ns), how long it took (ns), what it took, and whether it
        was due; and the own lines that came between."""
        self._splits = type(sensor).take is not Sensor.take
        self._most_pending = MOST_PENDING if self._splits else 1
        self._asked = False
        """Did somebody want what was read, and not wait for the end of a call?"""
        self._late_failures = 0
        """Due reads that counted as good until they were digested."""
        self._take = sensor.take
        self._failures = 0
        self._read_ns: int | None = None
        self._own = OwnSeries(sensor.name, host, ring)

    # -- in the sensor's own thread -------------------------------------------------------------

    def start(self) -> None:
        """Start the sensor, or try it again; absent and failed are states, not errors."""
        with self._call.of("its start"):
            if self.tried:
                self._close()
                self._make_samples()
                with self._lock:
                    self.maker.new_epoch()
            self.running = False
            try:
                self.sensor.start()
                self._constants = tuple(sorted(self.sensor.constants().items()))
                self._note = self.sensor.note()
            except SensorAbsent as error:
                self._absent(error.reason, error.remedy, found=error.found)
            except Exception as error:  # noqa: BLE001 - a sensor may raise anything; the others go on
                self._fail(error)
            else:
                self._there()
            self.tried = True

    def rest(self, reason: str, remedy: str) -> None:
        """Close the sensor: it is not to be used."""
        with self._call.of("its end"):
            if self.running:
                self._make_samples()
                self._close()
                with self._lock:
                    self.maker.new_epoch()
            self._absent(reason, remedy, found=True)

    def rescan(self) -> None:
        """Let the sensor look for hardware that came, went or changed places."""
        with self._call.of("a new look at its hardware"):
            try:
                self.sensor.rescan()
                self._note = self.sensor.note()
            except SensorAbsent as error:
                self._close()
                self._absent(error.reason, error.remedy, found=error.found)
            except Exception as error:  # noqa: BLE001 - see start
                self._fail(error)

    def close(self) -> None:
        """Close the sensor, whatever state it is in."""
        with self._call.of("its end"):
            self._close()

    def read(self, offset_ns: int, *, due: bool = False) -> bool:
        """Read once, stamped with boot time plus ``offset_ns``; True if it went well as far as is
        known, which ``schedule.taken`` counts if it was ``due``. Never raises."""
        boottime_ns, call = self._boottime_ns, self._call
        call.begin("a read")
        try:
            start_ns = boottime_ns()
            try:
                taken = self._take()
                if not (self._splits or isinstance(taken, tuple | list)):
                    taken = tuple(taken)  # type: ignore[arg-type]  # a generator reads only now
            except Exception as error:  # noqa: BLE001 - see start
                self.read_end_ns = boottime_ns()
                self._failed_read(error)
                return False
            self.read_end_ns = end_ns = boottime_ns()
            if type(taken) is Stamped:
                start_ns, end_ns, taken = taken
            if end_ns - start_ns > call.limit_ns:
                seconds = ns_to_seconds(end_ns - start_ns)
                self._failed_read(SensorFailed(f"a read took {seconds:.3g} s"))
                return False
            pending = self._pending
            waits = len(pending) + 1 < self._most_pending and not self._asked
            pending.append((start_ns + offset_ns, end_ns - start_ns, taken, due and waits))
            if waits:
                return True
            self._make_samples()
            return self.state is SensorState.OK
        finally:
            call.end()

    def new_epoch(self) -> None:
        """Time itself was torn: every meter begins again."""
        self.digest()
        with self._lock:
            self.maker.new_epoch()

    def armed_seconds(self) -> float:
        """Interval while a lease runs."""
        self.digest()
        with self._lock:
            return self.maker.armed_seconds(self.sensor.interval_seconds)

    def look_at_note(self) -> None:
        """Ask the sensor for its note, which may have changed with its reads."""
        with self._call.of("its note"):
            try:
                self._note = self.sensor.note()
            except Exception as error:  # noqa: BLE001 - see start
                self._fail(error)

    # -- in any thread --------------------------------------------------------------------------

    def digest(self) -> None:
        """Make samples of what was read since the last call, and put them into the ring; while the
        sensor is in a call for long, later."""
        if not self._pending:
            return
        if self._call.enter(ASK_SECONDS):
            try:
                self._make_samples()
            finally:
                self._call.leave()
        else:
            self._asked = True

    def busy_seconds(self) -> float | None:
        """CPU time of the machine, if this sensor counts it."""
        with self._lock:
            return self.maker.busy_seconds

    def called_seconds(self, now_ns: int) -> float:
        """How long the call that runs has lasted; 0 if none does."""
        return self._call.seconds(now_ns)

    def watch(self, now_ns: int, busy_seconds: float | None) -> None:
        """Tell the log of a call that does not return, and see whether the counters go on;
        ``busy_seconds``: CPU time of the machine so far."""
        self._call.watch(now_ns)
        with self._lock:
            self._moving(now_ns, busy_seconds)

    def write_own(self, time_ns: int, now_ns: int) -> None:
        """Write the sample of measurement ``sensor``, once it is known how the reads before it
        went; of an absent sensor its state alone."""
        with self._lock:
            schedule = self.schedule
            line = OwnLine(time_ns, schedule.due, schedule.taken, self._late_failures)
            if self._pending and not self._call.overrun(now_ns):
                self._pending.append(line)
            else:
                self._write_own(line, now_ns)

    def counts(self, domain: Domain, busy_seconds: float | None) -> bool | None:
        """Has it given energy of the domain that goes on? None: too early to say."""
        self.digest()
        with self._lock:
            return self.maker.counts(domain, busy_seconds)

    def report(self, busy_seconds: float | None) -> SensorReport:
        """State for ``GET /sensors``; ``busy_seconds``: CPU time of the machine so far."""
        self.digest()
        now_ns = self._boottime_ns()
        with self._lock:
            state, reason = self._state(now_ns)
            moving = None if state is SensorState.ABSENT else self._moving(now_ns, busy_seconds)
            still = self.maker.still(busy_seconds) if state is SensorState.OK else []
            notes = [self._note, *still, self.maker.left_out(), self.stands_in]
            return SensorReport(
                name=self.sensor.name,
                state=state,
                interval_seconds=self.sensor.interval_seconds,
                reason=reason,
                remedy=self._remedy if state is SensorState.ABSENT else "",
                found=self._found,
                moving=moving,
                taken=self.schedule.taken,
                due=self.schedule.due,
                constants=self._constants,
                energy=self.maker.series(busy_seconds, failed=state is not SensorState.OK),
                note="; ".join(filter(None, notes)),
            )

    def latest(self, now_ns: int, offset_ns: int) -> list[Latest]:
        """The last fields of every series; what is stale or failed is left out."""
        self.digest()
        with self._lock:
            own = self._own_values(self.schedule.due, self.schedule.taken, now_ns)
            latest = [self._own.latest(own)]
            if own.state is not SensorState.OK:
                return latest
            stale_seconds = max(STALE_SECONDS, 3 * self.sensor.interval_seconds)
            oldest_ns = now_ns + offset_ns - seconds_to_ns(stale_seconds)
            return [*latest, *self.maker.latest(oldest_ns)]

    # -- samples --------------------------------------------------------------------------------

    def _make_samples(self) -> None:
        """Within a call, or in its place: ``readings`` is the sensor's own."""
        self._asked = False
        with self._lock:
            pending, self._pending = self._pending, []
        if not pending:
            return
        prepared = [e if isinstance(e, OwnLine) else self._read(*e) for e in pending]
        now_ns = self.read_end_ns
        with self._lock:
            for entry in prepared:
                if isinstance(entry, OwnLine):
                    self._write_own(entry, now_ns)
                else:
                    self._write(entry, now_ns)
            self.maker.flush(now_ns)

    def _read(self, start_ns: int, read_ns: int, taken: object, due: bool) -> _Prepared:
        readings: tuple[Reading, ...] | Exception
        given: object = None
        try:
            given = self.sensor.readings(taken)
            readings = tuple(given)
        except Exception as error:  # noqa: BLE001 - see start
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
        except Exception as error:  # noqa: BLE001 - see start
            self._fail(error)
        else:
            self._recover()
        self.maker.end()
        self.maker.end_values(now_ns)
        if due and self.state is not SensorState.OK:
            self._late_failures += 1
            self.schedule.taken -= 1

    def _failed_read(self, error: Exception) -> None:
        self._make_samples()
        with self._lock:
            self.maker.begin()
            self.maker.end()
        self._fail(error)

    # -- state ----------------------------------------------------------------------------------

    def _close(self) -> None:
        try:
            self.sensor.close()
        except Exception as error:  # noqa: BLE001 - see start
            log.warning("sensor %s did not close: %s", self.sensor.name, _words(error))

    def _there(self) -> None:
        self.running = True
        if self.tried and self.state is SensorState.ABSENT:
            log.info("sensor %s is there now", self.sensor.name)
        if self.state is SensorState.ABSENT:
            self.state, self._reason, self._remedy = SensorState.OK, "", ""

    def _absent(self, reason: str, remedy: str, *, found: bool) -> None:
        """The sensor is not there, cannot be used (``found``), or is not to be used."""
        reason, remedy = printable(reason), printable(remedy)
        if (self.state, self._reason) != (SensorState.ABSENT, reason):
            log.info("sensor %s is absent: %s; %s", self.sensor.name, reason, remedy)
        self.state, self._reason, self._remedy = SensorState.ABSENT, reason, remedy
        self._found = found
        self._failures = self.failed_ns = 0
        self.running = False

    def _fail(self, error: Exception) -> None:
        reason = _words(error)
        if self.state is not SensorState.FAILED:
            log.warning("sensor %s failed: %s", self.sensor.name, reason)
            self.failed_ns = self._boottime_ns()
        self._failures += 1
        self.state, self._reason = SensorState.FAILED, reason
        self._most_pending = 1  # whether it recovers shows in what it reads

    def _recover(self) -> None:
        if self._failures:
            log.info("sensor %s recovered after %d failed reads", self.sensor.name, self._failures)
            self.state, self._reason, self._failures, self.failed_ns = SensorState.OK, "", 0, 0
            self._most_pending = MOST_PENDING if self._splits else 1

    def _state(self, now_ns: int) -> tuple[SensorState, str]:
        """And why: a call that does not return makes it failed."""
        if overrun := self._call.overrun(now_ns):
            return SensorState.FAILED, overrun
        if not self.tried and self.state is SensorState.OK:
            return SensorState.ABSENT, "not started yet"
        return self.state, self._reason

    def _moving(self, now_ns: int, busy_seconds: float | None) -> bool | None:
        age_seconds = ns_to_seconds(now_ns - self._started_ns)
        old = age_seconds > STILL_SECONDS + STILL_READS * self.sensor.interval_seconds
        return self.maker.moving(busy_seconds, old=old)

    def _write_own(self, line: OwnLine, now_ns: int) -> None:
        taken = line.taken - (self._late_failures - line.late_failures)
        self._own.write(self._own_values(line.due, taken, now_ns), line.time_ns, now_ns)

    def _own_values(self, due: int, taken: int, now_ns: int) -> OwnValues:
        state, _ = self._state(now_ns)
        return OwnValues(state, due, taken, self.maker.dropped, self._read_ns)


def _words(error: Exception) -> str:
    reason = printable(" ".join(str(error).split())) or type(error).__name__
    ours = isinstance(error, SensorFailed | OSError)
    return reason if ours else f"{type(error).__name__}: {reason}"
