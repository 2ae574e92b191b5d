"""The sampler's threads, in real time."""

import random
import time
from collections.abc import Callable, Iterable
from threading import enumerate as threads

from wattmark_core.catalogue import Domain
from wattmark_core.clock import SystemClock
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.readings import Counter, Reading, Sensor, Traits
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule

Wait = Callable[[Callable[[], bool]], None]


class Slow(Sensor):
    """A ticking counter that is read every ten seconds, and close by while armed."""

    name = "slow"
    interval_seconds = 10.0
    traits = Traits(update_period_seconds=0.1, ticking=True)

    def __init__(self) -> None:
        self.reads_ns: list[int] = []
        self.closed = False

    def read(self) -> Iterable[Reading]:
        """Notes when."""
        self.reads_ns.append(time.monotonic_ns())
        return [Counter(Domain.PACKAGE, "p", float(len(self.reads_ns)), self.traits)]

    def close(self) -> None:
        """Notes it."""
        self.closed = True


def sampler_of(sensor: Sensor) -> Sampler:
    """A sampler of one sensor, on the kernel's clocks."""
    clock, ring, jitter = SystemClock(), Ring(), random.Random(1)  # noqa: S311 - jitter, not secrets
    schedule = Schedule(sensor.interval_seconds, 0, jitter)
    running = RunningSensor(sensor, "box", clock, schedule, ring)
    running.start()
    return Sampler([running], TimeBaseClock(clock), clock, ring, "box", jitter=jitter)


def test_a_lease_wakes_a_sleeping_sampler_at_once(wait_until: Wait) -> None:
    """It would sleep for a second: close reads begin before, and one thread goes on alone."""
    sensor = Slow()
    sampler = sampler_of(sensor)
    sampler.start()
    wait_until(lambda: len(sensor.reads_ns) == 1)
    armed_ns = time.monotonic_ns()
    sampler.arm(60)
    wait_until(lambda: len(sensor.reads_ns) >= 3)
    assert sensor.reads_ns[1] - armed_ns < 0.5e9
    assert sensor.reads_ns[2] - sensor.reads_ns[1] < 0.3e9
    wait_until(lambda: sum(thread.name == "sampler" for thread in threads()) == 1)
    assert sum(thread.name == "sensor slow" for thread in threads()) == 1
    sampler.stop()


def test_a_stopped_sampler_reads_no_more(wait_until: Wait) -> None:
    """Not even one that had a lease; its sensors are closed at once, its thread soon ends."""
    sensor = Slow()
    sampler = sampler_of(sensor)
    sampler.start()
    sampler.arm(60)
    wait_until(lambda: len(sensor.reads_ns) >= 3)
    sampler.stop()
    reads = len(sensor.reads_ns)
    assert sensor.closed
    names = {"sampler", "sensor slow"}
    wait_until(lambda: not any(thread.name in names for thread in threads()))
    assert len(sensor.reads_ns) == reads
