"""One sensor's thread: when it is read, tried again, and let look for its hardware."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.exporter_api import SensorState
from wattmark_core.time_base_clock import SHIFT_LIMIT_NS, TimeBaseClock
from wattmark_core.units import NS_PER_S
from wattmark_exporters.leases import Leases
from wattmark_exporters.running_sensor import RunningSensor

log = logging.getLogger(__name__)

AGAIN_NS: Final = 30 * NS_PER_S
"""Between two tries of a sensor that is absent or has failed, and two looks for new hardware."""
KEEP_NS: Final = NS_PER_S * 9 // 10
"""Between two looks at what is due about once a second."""
LOOK_NS: Final = 3 * NS_PER_S
"""The same for the sensor's note, and its interval, which a read may have changed."""
LONGEST_SLEEP_SECONDS: Final = 30.0
PROBE_SECONDS: Final = 0.02
"""Between the first reads, as long as it is open whether the sensor gives energy."""


@dataclass(slots=True)
class Shared:
    """What the threads of all sensors share. ``probing``: it is open which sensors give energy;
    ``chores`` is called about once a second; ``companions``: the loops that wait for company."""

    clock: Clock
    time_base: TimeBaseClock
    leases: Leases
    chores: Callable[[int], None]
    on_crash: Callable[[], None]
    probing: bool = False
    companions: "Sequence[SensorLoop]" = field(default_factory=tuple)

    def check_time(self) -> None:
        """Look whether time was torn, and tell the log."""
        reason = self.time_base.check()
        if reason is not None:
            log.warning("%s: every counter begins a new epoch", reason)


class SensorLoop:
    """Each loop sleeps by itself, as a sensor that does not return from a call must delay no other;
    one that counts no energy sleeps until another was read, if that is soon enough.
    """

    def __init__(self, sensor: RunningSensor, shared: Shared) -> None:
        self.sensor = sensor
        self._rests = self._rested = "not needed so far" if sensor.sensor.stand_in else ""
        """Why the sensor is not to run, and why it was closed; empty if it is to run."""
        self._shared = shared
        self._boottime_ns = shared.clock.boottime_ns
        self._realtime_ns = shared.clock.realtime_ns
        self._time_base = shared.time_base
        self._tears = shared.time_base.tears
        self._late_ns = 0
        """Boot time from which on a read is so late that the machine may have been suspended."""
        self._armed = False
        self._interval_seconds = 0.0
        self._again_ns = 0
        """When the sensor is tried or looks for its hardware again."""
        self._keep_ns = self._look_ns = 0
        self._kept = False
        self._asked: deque[Lock] = deque()
        self._thread: Thread | None = None
        self._stopped = False
        self._wake = Lock()
        self._wake.acquire()
        if sensor.running:
            self._set_pace(self._boottime_ns())

    # -- from other threads ---------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read, in a thread of its own."""
        name = f"sensor {self.sensor.sensor.name}"
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end, which closes the sensor; without one close it here."""
        self._stopped = True
        self.wake()
        if self._thread is None:
            self.sensor.close()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, but for no call that does not return."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def wake(self) -> None:
        """End its sleep, or its next one."""
        with suppress(RuntimeError):  # it is awake
            self._wake.release()

    def rest(self, because: str) -> None:
        """Let the sensor run no more, or again where there is no reason not to."""
        if because != self._rests:
            self._rests = because
            self.wake()

    def settled(self) -> bool:
        """Is done what the last call of ``rest`` asked for?"""
        return self._rested == self._rests and (bool(self._rests) or self.sensor.tried)

    def ask(self) -> Lock:
        """Have the sensor read now; the lock is free once that is done."""
        done = Lock()
        done.acquire()
        self._asked.append(done)
        if self._thread is None:
            self.run_due()
        else:
            self.wake()
        return done

    # -- in its own thread ----------------------------------------------------------------------

    def run_due(self) -> float:
        """Do what is due; returns the seconds until the next deadline, never negative.

        All in one piece, as every function costs more than its work where the caches are cold.
        """
        now_ns = end_ns = self._boottime_ns()
        sensor, shared, base = self.sensor, self._shared, self._time_base
        if self._rests or not sensor.running:
            return self._try(now_ns)
        shift_ns = self._realtime_ns() - now_ns - base.offset_ns
        if (
            now_ns > self._late_ns or not -SHIFT_LIMIT_NS < shift_ns < SHIFT_LIMIT_NS
            or self._tears != base.tears
        ):  # fmt: skip
            self._keep_time()
        if (now_ns < shared.leases.until_ns) is not self._armed:
            self._set_pace(now_ns)
        schedule = sensor.schedule
        due = schedule.early_ns <= now_ns
        if due or self._asked or shared.probing:
            done = [self._asked.popleft() for _ in range(len(self._asked))] if self._asked else ()
            good = sensor.read(base.offset_ns, due=due)
            end_ns = sensor.read_end_ns
            if due:
                schedule.passed(end_ns, good)
            for lock in done:
                lock.release()
        if end_ns >= self._keep_ns or shared.probing:
            self._keep(end_ns)
        next_ns = schedule.next_ns
        self._late_ns = next_ns + SHIFT_LIMIT_NS
        delay = (next_ns - end_ns) / NS_PER_S if next_ns > end_ns else 0.0
        return min(delay, PROBE_SECONDS) if shared.probing else delay

    def _run(self) -> None:
        try:
            while not self._stopped:
                delay = self.run_due()
                if self._kept:
                    self._wake_companions()
                if delay > 0 and not self._stopped:
                    self._wake.acquire(timeout=delay)
        except Exception:  # no reading is better than old ones: the exporter must end
            log.exception("the thread of sensor %s died", self.sensor.sensor.name)
            self._shared.on_crash()
        finally:
            self.sensor.close()

    def _wake_companions(self) -> None:
        """Last before the thread sleeps: earlier they would wait for it to give up the GIL."""
        self._kept = False
        sensor = self.sensor
        if sensor.sensor.energy and sensor.running:
            for other in self._shared.companions:
                if other.sensor.running and other.sensor.schedule.early_ns <= sensor.read_end_ns:
                    other.wake()

    def _keep(self, now_ns: int) -> None:
        """What is done about once a second."""
        self._keep_ns, self._kept = now_ns + KEEP_NS, True
        sensor = self.sensor
        self._shared.chores(now_ns)
        if now_ns < self._look_ns and not (self._again_ns <= now_ns and not self._armed):
            return
        self._look_ns = now_ns + LOOK_NS
        sensor.look_at_note()
        if not self._armed:
            self._look_again(now_ns)
        if sensor.running and sensor.sensor.interval_seconds != self._interval_seconds:
            self._set_pace(now_ns)

    def _keep_time(self) -> None:
        """Every counter begins again where time was torn."""
        self._shared.check_time()
        if self._tears != self._time_base.tears:
            self._tears = self._time_base.tears
            self.sensor.new_epoch()

    def _set_pace(self, now_ns: int) -> None:
        """Read as often as a lease, or its end, asks for."""
        sensor = self.sensor
        armed = now_ns < self._shared.leases.until_ns
        usual = sensor.sensor.interval_seconds
        fast = sensor.armed_seconds()
        if fast < usual or usual != self._interval_seconds:
            sensor.schedule.set_interval(fast if armed else usual, now_ns)
        self._armed, self._interval_seconds = armed, usual
        sensor.maker.measured = armed

    def _try(self, now_ns: int) -> float:
        """Of a sensor that does not run: start it if it is time; how long to sleep."""
        sensor = self.sensor
        while self._asked:
            self._asked.popleft().release()
        if (rests := self._rests) or self._rested:
            if rests and rests != self._rested:
                sensor.rest(rests, "nothing needs to be done")
            self._rested, self._again_ns = rests, 0
            if rests:
                return LONGEST_SLEEP_SECONDS
        if sensor.tried and now_ns < max(self._again_ns, self._shared.leases.until_ns):
            wait_ns = max(self._again_ns, self._shared.leases.until_ns) - now_ns
            return min(wait_ns / NS_PER_S, LONGEST_SLEEP_SECONDS)
        sensor.start()
        self._again_ns = self._boottime_ns() + AGAIN_NS
        if not sensor.running:
            return LONGEST_SLEEP_SECONDS
        self._late_ns = self._again_ns
        self._set_pace(self._boottime_ns())
        return 0.0

    def _look_again(self, now_ns: int) -> None:
        """Nobody measures: start a sensor afresh that has failed for long, let one that works look
        for hardware that came or went."""
        if now_ns < self._again_ns:
            return
        sensor = self.sensor
        if sensor.state is not SensorState.FAILED:
            sensor.rescan()
        elif now_ns - sensor.failed_ns < AGAIN_NS:
            self._again_ns = sensor.failed_ns + AGAIN_NS
            return
        else:
            sensor.start()
        self._again_ns = self._boottime_ns() + AGAIN_NS
