"""The sensors of a host at work: a thread for each, its leases, and what is said of them all."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.exporter_api import HostReport, TimeBase
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_core.units import NS_PER_S, ns_to_seconds
from wattmark_exporters.call import START_SECONDS
from wattmark_exporters.leases import Leases
from wattmark_exporters.ring import Ring, RingPage
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.sensor_loop import PROBE_SECONDS, SensorLoop, Shared
from wattmark_exporters.series import Latest, SeriesWriter
from wattmark_exporters.stand_ins import StandIns

log = logging.getLogger(__name__)

SHARE_NS: Final = 20_000_000
"""Calls of ``sample_now`` this close together share one read."""
SAMPLE_SECONDS: Final = 0.5
"""``sample_now`` waits for the sensors so long, and for none whose call has lasted so long."""
OWN_INTERVAL_SECONDS: Final = 1.0
COMPANY_NS: Final = 3 * NS_PER_S
"""So much later than due the chores are done for certain, if no sensor's thread has done them."""
WATCH_NS: Final = 2 * NS_PER_S
"""Between two looks at how the sensors do: what follows from it is not urgent."""
OWN_FIELDS: Final = ("cpu_seconds", "clock_shift_seconds")
STOP_SECONDS: Final = 2.0
STALLED_NS: Final = 10 * NS_PER_S


class Sampler:
    """Owns sensors, time base and ring. A sensor that does not return from a call delays no other,
    and nobody who asks for samples or reports.

    Each sensor is called in a thread of its own, once ``start`` was called; before, and in tests in
    virtual time, ``loops`` are run one by one. What is to be done once a second is done by
    whichever thread is awake. ``on_crash`` is called if a thread dies, which only a fault of ours
    can cause.
    """

    def __init__(
        self,
        sensors: Sequence[RunningSensor],
        time_base: TimeBaseClock,
        clock: Clock,
        ring: Ring,
        host: str,
        *,
        jitter: random.Random,
        on_crash: Callable[[], None] = lambda: None,
    ) -> None:
        self._sensors = tuple(sensors)
        self._time_base = time_base
        self._clock = clock
        self._boottime_ns = clock.boottime_ns
        self._ring = ring
        self._on_crash = on_crash
        self._alive_ns = now_ns = clock.boottime_ns()
        self._leases = Leases(clock.boottime_ns)
        self._shared = Shared(clock, time_base, self._leases, self._chores, on_crash)
        self.loops = tuple(SensorLoop(sensor, self._shared) for sensor in sensors)
        self._shared.companions = tuple(
            loop for loop in self.loops if not loop.sensor.sensor.energy
        )
        self._stand_ins = StandIns(self.loops, now_ns)
        self._shared.probing = self._stand_ins.there
        self._armed = False
        self._watch_ns = 0
        self._sampled_ns: int | None = None
        self._own = Schedule(OWN_INTERVAL_SECONDS, now_ns, jitter, loose=True)
        self._own_series = SeriesWriter("exporter", {}, host, ring)
        self._chores_lock = Lock()
        self._in_company = False
        """Did a sensor's thread do the chores lately?"""
        self._thread: Thread | None = None
        self._stopped = False
        self._wake = Lock()
        self._wake.acquire()

    # -- threads --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every sensor, all side by side, and read them from then on."""
        for loop in self.loops:
            loop.start()
        self._thread = Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def settle(self, seconds: float = START_SECONDS) -> None:
        """Wait until every sensor has started and was read, and it is decided which stand-ins run,
        or for ``seconds``."""
        end_ns = self._boottime_ns() + round(seconds * NS_PER_S)
        while (now_ns := self._boottime_ns()) < end_ns and not self.settled():
            self._clock.sleep(PROBE_SECONDS)
            self._decide(now_ns)

    def settled(self) -> bool:
        """Has every sensor started, well or not, and are the stand-ins decided on?"""
        starting = any(
            not sensor.tried or (sensor.running and not sensor.read_end_ns)
            for sensor in self._sensors
            if not sensor.sensor.stand_in
        )
        return not starting and self._stand_ins.settled()

    def stop(self) -> None:
        """Stop sampling and close the sensors; one that does not return from a call is left."""
        self._stopped = True
        with suppress(RuntimeError):  # it is awake
            self._wake.release()
        for loop in self.loops:
            loop.stop()
        end = time.monotonic() + STOP_SECONDS
        for loop in self.loops:
            loop.join(end - time.monotonic())

    def healthy(self) -> bool:
        """Has the thread come round lately?"""
        return self._boottime_ns() - self._alive_ns < STALLED_NS

    def _run(self) -> None:
        try:
            while not self._stopped:
                self._wake.acquire(timeout=self.run_due())
        except Exception:  # no reading is better than old ones: the exporter must end
            log.exception("the sampler died")
            self._on_crash()

    # -- sampling -------------------------------------------------------------------------------

    def run_due(self) -> float:
        """Do the chores if no sensor's thread has; returns the seconds until they are due again."""
        now_ns = self._boottime_ns()
        company_ns = COMPANY_NS if self._in_company else 0
        if now_ns >= self._own.next_ns + company_ns:
            self._chores(now_ns)
            self._in_company = False
            company_ns = 0
        return max(0, self._own.next_ns + company_ns - now_ns) / NS_PER_S

    def sample_now(self) -> None:
        """Read all energy sensors now, unless that was done within the last 20 ms."""
        now_ns = self._boottime_ns()
        if self._sampled_ns is not None and now_ns - self._sampled_ns < SHARE_NS:
            return
        self._shared.check_time()
        asked = [
            loop.ask()
            for loop in self.loops
            if loop.sensor.sensor.energy and loop.sensor.running
            and loop.sensor.called_seconds(now_ns) < SAMPLE_SECONDS
        ]  # fmt: skip
        end = time.monotonic() + SAMPLE_SECONDS
        for done in asked:
            done.acquire(timeout=max(0.0, end - time.monotonic()))
        self._sampled_ns = self._boottime_ns()

    def arm(self, seconds: float, lease: str = "", holder: str = "") -> None:
        """Sample closely for ``seconds`` s (at most an hour) under a lease; 0 ends that one.

        Raises ``ConfigurationError`` as ``Leases.arm`` does.
        """
        self._leases.arm(seconds, lease, holder)
        if (self._boottime_ns() < self._leases.until_ns) is not self._armed:
            self._change_lease()

    # -- reports --------------------------------------------------------------------------------

    def samples(self, cursor: str) -> RingPage:
        """All samples after ``cursor``, up to the last read; of a sensor that reads for long what
        is there: the rest comes after the end of its read."""
        for sensor in self._sensors:
            sensor.digest()
        return self._ring.after(cursor)

    def base(self, boot_id: str) -> TimeBase:
        """The answer of ``POST /sample``."""
        return TimeBase(boot_id, self._ring.instance, self._time_base.offset_ns)

    def report(self, host: str, boot_id: str, version: str) -> HostReport:
        """The answer of ``GET /sensors``."""
        busy_seconds = self._busy_seconds()
        offset_ns = self._time_base.offset_ns
        return HostReport(
            host=host,
            boot_id=boot_id,
            instance=self._ring.instance,
            offset_ns=offset_ns,
            sensors=tuple(sensor.report(busy_seconds) for sensor in self._sensors),
            version=version,
            leases=self._leases.report(offset_ns),
        )

    def latest(self) -> list[Latest]:
        """The last fields of every series that is fresh."""
        now_ns, offset_ns = self._boottime_ns(), self._time_base.offset_ns
        own = zip(OWN_FIELDS, self._own_values(), strict=True)
        latest = [Latest("exporter", {}, dict(own))]
        for sensor in self._sensors:
            latest.extend(sensor.latest(now_ns, offset_ns))
        return latest

    # -- chores ---------------------------------------------------------------------------------

    def _chores(self, now_ns: int) -> None:
        """What is due once a second. It waits for nothing: any sensor's thread may do it."""
        self._alive_ns = now_ns
        if (now_ns < self._leases.until_ns) is not self._armed:
            self._change_lease()
        if self._shared.probing:
            self._decide(now_ns)
        if now_ns < self._own.early_ns or not self._chores_lock.acquire(blocking=False):
            return
        try:
            self._in_company = True
            self._shared.check_time()
            if now_ns >= self._watch_ns:
                self._watch(now_ns)
            self._write_own(now_ns)
            self._own.passed(now_ns, True)
        finally:
            self._chores_lock.release()

    def _watch(self, now_ns: int) -> None:
        """See which calls do not return, which counters stand still, and what follows from it."""
        self._watch_ns = now_ns + WATCH_NS
        busy_seconds = self._busy_seconds()
        for sensor in self._sensors:
            sensor.watch(now_ns, busy_seconds)
        self._decide(now_ns)

    def _decide(self, now_ns: int) -> None:
        """Which stand-ins run; nothing changes while somebody measures."""
        if self._armed and self._stand_ins.decided:
            return
        self._stand_ins.decide(now_ns, self._busy_seconds())
        if self._stand_ins.decided:
            self._shared.probing = False

    def _change_lease(self) -> None:
        """Close sampling begins, or nobody measures any more and what had to wait is done."""
        self._armed = self._boottime_ns() < self._leases.until_ns
        self._watch_ns = 0
        for loop in self.loops:
            loop.wake()

    def _write_own(self, now_ns: int) -> None:
        time_ns = now_ns + self._time_base.offset_ns
        self._own_series.write(OWN_FIELDS, self._own_values(), time_ns, now_ns)
        for sensor in self._sensors:
            sensor.write_own(time_ns, now_ns)

    def _own_values(self) -> tuple[float, ...]:
        return time.process_time(), ns_to_seconds(self._time_base.shift_ns)

    def _busy_seconds(self) -> float | None:
        """CPU time of the machine so far, by whichever sensor counts it."""
        counts: Iterable[float | None] = (sensor.busy_seconds() for sensor in self._sensors)
        return next((seconds for seconds in counts if seconds is not None), None)
