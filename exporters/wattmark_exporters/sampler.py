"""Reads every sensor at its own interval, one thread at a time, and faster while a lease runs."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.exporter_api import HostReport, TimeBase
from wattmark_core.time_base_clock import SHIFT_LIMIT_NS, TimeBaseClock
from wattmark_core.units import NS_PER_S, ns_to_seconds, seconds_to_ns
from wattmark_exporters.ring import Ring, RingPage
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest, SeriesWriter

log = logging.getLogger(__name__)

SHARE_NS: Final = 20_000_000
"""Calls of ``sample_now`` this close together share one read."""
LONGEST_LEASE_SECONDS: Final = 3600.0
OWN_INTERVAL_SECONDS: Final = 1.0
LONGEST_SLEEP_NS: Final = NS_PER_S
OWN_FIELDS: Final = ("cpu_seconds", "clock_shift_seconds")
STOP_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.02
"""So long may a sensor's read delay those who ask for samples."""
STALLED_NS: Final = 10 * NS_PER_S


class Sampler:
    """Owns sensors, time base and ring. One lock: readings never interleave.

    ``on_crash`` is called if the sampling thread dies, which only a fault of its own can cause.
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
        self._running = [(sensor, sensor.schedule) for sensor in sensors if sensor.running]
        self._all = list(sensors)
        self._time_base = time_base
        self._boottime_ns = clock.boottime_ns
        self._realtime_ns = clock.realtime_ns
        self._ring = ring
        self._on_crash = on_crash
        self._lock = Lock()
        self._asked = False
        """Did somebody want what was read, and not wait for the end of a read?"""
        self._turn = 0
        """Number of the thread whose turn it is."""
        self._armed_until_ns = 0
        self._armed = False
        self._sampled_ns: int | None = None
        self._own = Schedule(OWN_INTERVAL_SECONDS, clock.boottime_ns(), jitter, loose=True)
        self._own_series = SeriesWriter("exporter", {}, host, ring)
        self._alive_ns = clock.boottime_ns()
        self._late_ns = 0
        """Boot time from which on a read is so late that the machine may have been suspended."""
        for sensor, schedule in self._running:
            schedule.set_interval(sensor.sensor.interval_seconds, self._alive_ns)

    # -- thread ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start sampling, at once if it runs already.

        A thread that sleeps cannot be woken, so another one takes its turn. That costs more than a
        wait that can be ended, but only once a lease, and the wait costs more with every read.
        """
        with self._lock:
            self._turn += 1
            turn = self._turn
        Thread(target=self._run, args=(turn,), name="sampler", daemon=True).start()

    def stop(self) -> None:
        """Stop sampling and close the sensors."""
        self._turn = 0
        free = self._lock.acquire(timeout=STOP_SECONDS)  # a sensor may hang in its driver
        self._running.clear()
        for sensor in self._all:
            sensor.close()
        if free:
            self._lock.release()

    def healthy(self) -> bool:
        """Has the thread come round lately?"""
        return self._boottime_ns() - self._alive_ns < STALLED_NS

    def _run(self, turn: int) -> None:
        try:
            while self._turn == turn:
                time.sleep(self.run_due())
        except Exception:  # no reading is better than old ones: the exporter must end
            log.exception("the sampler died")
            self._on_crash()

    # -- sampling -------------------------------------------------------------------------------

    def run_due(self) -> float:
        """Read what is due; returns the seconds until the next deadline, never negative."""
        with self._lock:
            boottime_ns, realtime_ns, own = self._boottime_ns, self._realtime_ns, self._own
            now_ns = end_ns = self._alive_ns = boottime_ns()
            offset_ns = self._time_base.offset_ns
            shift_ns = realtime_ns() - now_ns - offset_ns
            own_due = own.early_ns <= now_ns
            if own_due or now_ns > self._late_ns or not -SHIFT_LIMIT_NS < shift_ns < SHIFT_LIMIT_NS:
                self._check_time()
                offset_ns = self._time_base.offset_ns
            if (now_ns < self._armed_until_ns) is not self._armed:
                self._change_lease(now_ns)
            next_ns = now_ns + LONGEST_SLEEP_NS
            for sensor, schedule in self._running:
                if schedule.early_ns <= now_ns:
                    good = sensor.read(offset_ns, due=True)
                    end_ns = sensor.read_end_ns
                    schedule.passed(end_ns, good)
                if schedule.next_ns < next_ns:
                    next_ns = schedule.next_ns
            if self._asked:
                self._digest()
            if own_due:
                self._write_own(now_ns)
                own.passed(now_ns, True)
                end_ns = boottime_ns()
            if own.next_ns < next_ns:
                next_ns = own.next_ns
            self._late_ns = next_ns + SHIFT_LIMIT_NS
            return (next_ns - end_ns) / NS_PER_S if next_ns > end_ns else 0.0

    def sample_now(self) -> None:
        """Read all energy sensors now, unless that was done within the last 20 ms."""
        with self._lock:
            now_ns = self._boottime_ns()
            if self._sampled_ns is not None and now_ns - self._sampled_ns < SHARE_NS:
                return
            self._check_time()
            for sensor, _ in self._running:
                if sensor.sensor.energy:
                    sensor.read(self._time_base.offset_ns)
            self._sampled_ns = self._boottime_ns()

    def arm(self, seconds: float) -> None:
        """Lease close sampling for ``seconds`` s (at most an hour); 0 ends all leases.

        A shorter lease does not cut a longer one short.
        """
        now_ns = self._boottime_ns()
        with self._lock:
            until_ns = now_ns + seconds_to_ns(min(seconds, LONGEST_LEASE_SECONDS))
            self._armed_until_ns = max(self._armed_until_ns, until_ns) if seconds > 0 else 0
            news = self._armed != (now_ns < self._armed_until_ns)
        if news and self._turn:
            self.start()

    # -- reports --------------------------------------------------------------------------------

    def samples(self, cursor: str) -> RingPage:
        """All samples after ``cursor``, up to the last read; while a sensor reads for long, what is
        there: the rest comes after the end of its read."""
        if self._lock.acquire(timeout=ASK_SECONDS):
            try:
                self._digest()
            finally:
                self._lock.release()
        else:
            self._asked = True
        return self._ring.after(cursor)

    def base(self, boot_id: str) -> TimeBase:
        """The answer of ``POST /sample``."""
        return TimeBase(boot_id, self._ring.instance, self._time_base.offset_ns)

    def report(self, host: str, boot_id: str, version: str) -> HostReport:
        """The answer of ``GET /sensors``."""
        with self._lock:
            return HostReport(
                host=host,
                boot_id=boot_id,
                instance=self._ring.instance,
                offset_ns=self._time_base.offset_ns,
                sensors=tuple(sensor.report() for sensor in self._all),
                version=version,
            )

    def latest(self) -> list[Latest]:
        """The last fields of every series that is fresh."""
        with self._lock:
            now_ns = self._time_base.now_ns()
            own = zip(OWN_FIELDS, self._own_values(), strict=True)
            latest = [Latest("exporter", {}, dict(own))]
            for sensor in self._all:
                latest.extend(sensor.latest(now_ns))
            return latest

    # -- inside ---------------------------------------------------------------------------------

    def _digest(self) -> None:
        self._asked = False
        for sensor, _ in self._running:
            sensor.digest()

    def _check_time(self) -> None:
        reason = self._time_base.check()
        if reason is None:
            return
        log.warning("%s: every counter begins a new epoch", reason)
        for sensor, _ in self._running:
            sensor.new_epoch()

    def _change_lease(self, now_ns: int) -> None:
        self._armed = not self._armed
        for sensor, schedule in self._running:
            fast = sensor.armed_seconds()
            if fast < sensor.sensor.interval_seconds:
                seconds = fast if self._armed else sensor.sensor.interval_seconds
                schedule.set_interval(seconds, now_ns)

    def _write_own(self, now_ns: int) -> None:
        time_ns = now_ns + self._time_base.offset_ns
        self._own_series.write(OWN_FIELDS, self._own_values(), time_ns, now_ns)
        for sensor in self._all:
            sensor.write_own(time_ns, now_ns)

    def _own_values(self) -> tuple[float, ...]:
        return time.process_time(), ns_to_seconds(self._time_base.shift_ns)
