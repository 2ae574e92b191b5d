"""Reads every sensor at its own interval, in one thread, and faster while a lease runs."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.exporter_api import HostReport, TimeBase
from wattmark_core.units import NS_PER_S, ns_to_seconds, seconds_to_ns
from wattmark_exporters.ring import Ring, RingPage
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.series import Latest, SeriesWriter
from wattmark_exporters.time_base_clock import SHIFT_LIMIT_NS, TimeBaseClock

log = logging.getLogger(__name__)

SHARE_NS: Final = 20_000_000
"""Calls of ``sample_now`` this close together share one read."""
LONGEST_LEASE_SECONDS: Final = 3600.0
OWN_INTERVAL_SECONDS: Final = 1.0
LONGEST_SLEEP_NS: Final = NS_PER_S
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
        self._clock = clock
        self._ring = ring
        self._on_crash = on_crash
        self._lock = Lock()
        self._wake = Lock()  # held while there is no news: half the CPU time of an Event
        self._wake.acquire()
        self._stopping = False
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
        self._thread = Thread(target=self._run, name="sampler", daemon=True)

    # -- thread ---------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop sampling and close the sensors."""
        self._stopping = True
        self._news()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        for sensor in self._all:
            sensor.close()

    def healthy(self) -> bool:
        """Has the thread come round lately?"""
        return self._clock.boottime_ns() - self._alive_ns < STALLED_NS

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.acquire(True, self.run_due())
        except Exception:  # no reading is better than old ones: the exporter must end
            log.exception("the sampler died")
            self._on_crash()

    # -- sampling -------------------------------------------------------------------------------

    def run_due(self) -> float:
        """Read what is due; returns the seconds until the next deadline, never negative."""
        with self._lock:
            clock, time_base = self._clock, self._time_base
            now_ns = end_ns = self._alive_ns = clock.boottime_ns()
            shift_ns = clock.realtime_ns() - now_ns - time_base.offset_ns
            own_due = self._own.early_ns <= now_ns
            if own_due or now_ns > self._late_ns or not -SHIFT_LIMIT_NS < shift_ns < SHIFT_LIMIT_NS:
                self._check_time()
            if (now_ns < self._armed_until_ns) is not self._armed:
                self._change_lease(now_ns)
            next_ns = now_ns + LONGEST_SLEEP_NS
            for sensor, schedule in self._running:
                if schedule.early_ns <= now_ns:
                    good = sensor.read(time_base.offset_ns)
                    end_ns = sensor.read_end_ns
                    schedule.passed(end_ns, taken=good)
                if schedule.next_ns < next_ns:
                    next_ns = schedule.next_ns
            if own_due:
                self._write_own(now_ns)
                self._own.passed(now_ns, taken=True)
                end_ns = clock.boottime_ns()
            if self._own.next_ns < next_ns:
                next_ns = self._own.next_ns
            self._late_ns = next_ns + SHIFT_LIMIT_NS
            return (next_ns - end_ns) / NS_PER_S if next_ns > end_ns else 0.0

    def sample_now(self) -> None:
        """Read all energy sensors now, unless that was done within the last 20 ms."""
        with self._lock:
            now_ns = self._clock.boottime_ns()
            if self._sampled_ns is not None and now_ns - self._sampled_ns < SHARE_NS:
                return
            self._check_time()
            for sensor, _ in self._running:
                if sensor.sensor.energy:
                    sensor.read(self._time_base.offset_ns)
            self._sampled_ns = self._clock.boottime_ns()

    def arm(self, seconds: float) -> None:
        """Lease close sampling for ``seconds`` s (at most an hour); 0 ends all leases.

        A shorter lease does not cut a longer one short.
        """
        now_ns = self._clock.boottime_ns()
        with self._lock:
            until_ns = now_ns + seconds_to_ns(min(seconds, LONGEST_LEASE_SECONDS))
            self._armed_until_ns = max(self._armed_until_ns, until_ns) if seconds > 0 else 0
            news = self._armed != (now_ns < self._armed_until_ns)
        if news:
            self._news()

    # -- reports --------------------------------------------------------------------------------

    def samples(self, cursor: str) -> RingPage:
        """All samples after ``cursor``, up to the last read."""
        with self._lock:
            for sensor, _ in self._running:
                sensor.digest()
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
            latest = [Latest("exporter", {}, self._own_fields())]
            for sensor in self._all:
                latest.extend(sensor.latest(now_ns))
            return latest

    # -- inside ---------------------------------------------------------------------------------

    def _news(self) -> None:
        """Let the thread look at once for what has changed."""
        with suppress(RuntimeError):  # it is awake already
            self._wake.release()

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
        self._own_series.write(self._own_fields(), time_ns, now_ns)
        for sensor in self._all:
            sensor.write_own(time_ns, now_ns)

    def _own_fields(self) -> dict[str, float]:
        return {
            "cpu_seconds": time.process_time(),
            "clock_shift_seconds": ns_to_seconds(self._time_base.shift_ns),
        }
