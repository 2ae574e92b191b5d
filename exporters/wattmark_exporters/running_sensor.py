"""One sensor at work: its state, the calls of it, and what is said of it."""

import logging
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.clock import Clock
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorReport, SensorState
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_exporters.call import Call
from wattmark_exporters.movement import STILL_READS, STILL_SECONDS
from wattmark_exporters.readings import Sensor, Stamped
from wattmark_exporters.reads import Reads
from wattmark_exporters.ring import Ring
from wattmark_exporters.sample_maker import gap_seconds
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest
from wattmark_exporters.status import Status, words

log = logging.getLogger(__name__)

STALE_SECONDS: Final = 5.0
"""Older values, and those older than three reads, are not served on ``/metrics``."""
ASK_SECONDS: Final = 0.02
"""So long may a sensor's read delay those who ask for samples."""


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
        self.running = False
        """Is the sensor to be read?"""
        self.read_end_ns = 0
        """Boot time at the end of the last read."""
        self.stands_in = ""
        """Who counts in its place, in words."""
        self._note = ""
        self._constants: tuple[tuple[str, float], ...] = ()
        self._take = sensor.take
        self._boottime_ns = clock.boottime_ns
        self._started_ns = clock.boottime_ns()
        self._status = Status(sensor.name, clock.boottime_ns)
        self._call = Call(sensor.name, clock.boottime_ns, gap_seconds(sensor))
        self._reads = Reads(sensor, self._status, self._call, schedule, host, ring)
        self._lock = self._reads.lock
        self.maker = self._reads.maker

    @property
    def state(self) -> SensorState:
        """As of the last call that has returned."""
        return self._status.state

    @property
    def tried(self) -> bool:
        """Has it been started, well or not?"""
        return self._status.tried

    @property
    def failed_ns(self) -> int:
        """Boot time since which it has failed; 0: it has not."""
        return self._status.failed_ns

    # -- in the sensor's own thread -------------------------------------------------------------

    def start(self) -> None:
        """Start the sensor, or try it again; absent and failed are states, not errors."""
        with self._call.of("its start"):
            if self.tried:
                self._end()
            self.running = False
            try:
                self.sensor.start()
                self._constants = tuple(sorted(self.sensor.constants().items()))
                self._note = self.sensor.note()
            except SensorAbsent as error:
                self._absent(error)
            except Exception as error:  # noqa: BLE001 - a sensor may raise anything; the others go on
                self._status.fail(error)
            else:
                self.running = True
                self._status.there()
            self._status.tried = True

    def rest(self, reason: str, remedy: str) -> None:
        """Close the sensor: it is not to be used."""
        with self._call.of("its end"):
            if self.running:
                self._end()
            self._absent(SensorAbsent(reason, remedy, found=True))

    def rescan(self) -> None:
        """Let the sensor look for hardware that came, went or changed places."""
        with self._call.of("a new look at its hardware"):
            try:
                self.sensor.rescan()
                self._note = self.sensor.note()
            except SensorAbsent as error:
                self._close()
                self._absent(error)
            except Exception as error:  # noqa: BLE001 - see start
                self._status.fail(error)

    def close(self) -> None:
        """Close the sensor, whatever state it is in."""
        with self._call.of("its end"):
            self._close()

    def read(self, offset_ns: int, *, due: bool = False) -> bool:
        """Read once, stamped with boot time plus ``offset_ns``; True if it went well as far as is
        known, which ``schedule.taken`` counts if it was ``due``. Never raises."""
        boottime_ns, call = self._boottime_ns, self._call
        call.since_ns = start_ns = boottime_ns()
        if not call.lock.acquire(blocking=False):  # somebody makes samples meanwhile
            call.lock.acquire()
            start_ns = boottime_ns()
        try:
            try:
                taken = self._take()
                if not (self._reads.splits or isinstance(taken, tuple | list)):
                    taken = tuple(taken)  # type: ignore[arg-type]  # a generator reads only now
            except Exception as error:  # noqa: BLE001 - see start
                self.read_end_ns = end_ns = boottime_ns()
                self._reads.fail(error, end_ns)
                return False
            self.read_end_ns = end_ns = boottime_ns()
            if type(taken) is Stamped:
                start_ns, end_ns, taken = taken
            if end_ns - start_ns > call.limit_ns:
                seconds = ns_to_seconds(end_ns - start_ns)
                self._reads.fail(SensorFailed(f"a read took {seconds:.3g} s"), self.read_end_ns)
                return False
            if self._reads.add(start_ns + offset_ns, end_ns - start_ns, taken, due):
                return True
            self._reads.make(self.read_end_ns)
            return self.state is SensorState.OK
        finally:
            call.since_ns = 0
            call.lock.release()

    def new_epoch(self) -> None:
        """Time itself was torn: every meter begins again."""
        self.digest()
        self._reads.new_epoch()

    def armed_seconds(self) -> float:
        """Interval while a lease runs."""
        self.digest()
        with self._lock:
            return self.maker.armed_seconds(self.sensor.interval_seconds)

    def look_at_note(self) -> None:
        """Ask the sensor for its note, which may have changed with its reads."""
        if type(self.sensor).note is Sensor.note:
            return
        with self._call.of("its note"):
            try:
                self._note = self.sensor.note()
            except Exception as error:  # noqa: BLE001 - see start
                self._status.fail(error)

    # -- in any thread --------------------------------------------------------------------------

    def digest(self, wait_seconds: float = ASK_SECONDS) -> None:
        """Make samples of what was read since the last call, and put them into the ring; while the
        sensor is in a call for longer than ``wait_seconds``, later."""
        if not self._reads.pending:
            return
        if self._call.enter(wait_seconds):
            try:
                self._reads.make(self.read_end_ns)
            finally:
                self._call.leave()
        else:
            self._reads.asked = True

    def busy_seconds(self) -> float | None:
        """CPU time of the machine, if this sensor counts it."""
        with self._lock:
            return self.maker.busy_seconds

    def called_seconds(self, now_ns: int) -> float:
        """How long the call that runs has lasted; 0 if none does."""
        return self._call.seconds(now_ns)

    def watch(self, now_ns: int, busy_seconds: float | None) -> None:
        """Tell the log of a call that does not return, and see whether the counters go on;
        ``busy_seconds``: CPU time of the machine so far. It waits for no call."""
        self._call.watch(now_ns)
        self.digest(0.0)
        with self._lock:
            self._moving(now_ns, busy_seconds)

    def write_own(self, time_ns: int, now_ns: int) -> None:
        """Write the sample of measurement ``sensor``."""
        self._reads.write_own(time_ns, now_ns)

    def has(self, domain: Domain) -> bool:
        """Has it given energy of the domain?"""
        with self._lock:
            return self.maker.has(domain)

    def counts(self, domain: Domain, busy_seconds: float | None) -> bool | None:
        """Has it given energy of the domain that goes on? None: too early to say."""
        with self._lock:
            return self.maker.counts(domain, busy_seconds)

    def report(self, busy_seconds: float | None) -> SensorReport:
        """State for ``GET /sensors``; ``busy_seconds``: CPU time of the machine so far."""
        self.digest()
        now_ns = self._boottime_ns()
        with self._lock:
            state, reason = self._status.now(self._call.overrun(now_ns))
            moving = None if state is SensorState.ABSENT else self._moving(now_ns, busy_seconds)
            still = self.maker.still(busy_seconds) if state is SensorState.OK else []
            notes = [self._note, *still, self.maker.left_out(), self.stands_in]
            return SensorReport(
                name=self.sensor.name,
                state=state,
                interval_seconds=self.sensor.interval_seconds,
                reason=reason,
                remedy=self._status.remedy,
                found=self._status.found,
                moving=moving,
                taken=self.schedule.taken - self._reads.late_failures,
                due=self.schedule.due,
                constants=self._constants,
                energy=self.maker.series(busy_seconds, failed=state is not SensorState.OK),
                note="; ".join(filter(None, notes)),
            )

    def latest(self, now_ns: int, offset_ns: int) -> list[Latest]:
        """The last fields of every series; what is stale or failed is left out."""
        self.digest()
        with self._lock:
            state, own = self._reads.own(now_ns)
            if state is not SensorState.OK:
                return [own]
            stale_seconds = max(STALE_SECONDS, 3 * self.sensor.interval_seconds)
            oldest_ns = now_ns + offset_ns - seconds_to_ns(stale_seconds)
            return [own, *self.maker.latest(oldest_ns)]

    # -- state ----------------------------------------------------------------------------------

    def _close(self) -> None:
        try:
            self.sensor.close()
        except Exception as error:  # noqa: BLE001 - see start
            log.warning("sensor %s did not close: %s", self.sensor.name, words(error))

    def _end(self) -> None:
        """What it counts from a later start on begins in new epochs."""
        self._reads.make(self.read_end_ns)
        self._close()
        self._reads.new_epoch()

    def _absent(self, error: SensorAbsent) -> None:
        self._status.absent(error.reason, error.remedy, found=error.found)
        self.running = False

    def _moving(self, now_ns: int, busy_seconds: float | None) -> bool | None:
        age_seconds = ns_to_seconds(now_ns - self._started_ns)
        old = age_seconds > STILL_SECONDS + STILL_READS * self.sensor.interval_seconds
        return self.maker.moving(busy_seconds, old=old)
