"""A sampler in virtual time: its threads' work, done one after the other, and sensors for it."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from wattmark_core.catalogue import Domain
from wattmark_core.exporter_api import HostReport, SensorReport
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.readings import Counter, Reading, Sensor, Traits
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.sensor_loop import PROBE_SECONDS

TICKING = Traits(update_period_seconds=0.1, ticking=True, limit_watts=400.0)
FREE = Traits(update_period_seconds=0.001)


def step(sampler: Sampler) -> float:
    """Do what is due now; returns the seconds until the next deadline, never negative."""
    return min([*(loop.run_due() for loop in sampler.loops), sampler.run_due()])


def settle(sampler: Sampler, sleep: Callable[[float], None]) -> None:
    """Start the sensors and let it be decided which stand-ins run."""
    while True:
        for _ in range(3):  # start, read, and carry out what is decided by it
            step(sampler)
        if sampler.settled():
            return
        sleep(PROBE_SECONDS)


class Scripted(Sensor):
    """A sensor whose readings a function gives; counts its reads."""

    def __init__(
        self, name: str, readings: Callable[[], Iterable[Reading]], *,
        interval_seconds: float = 0.1, energy: bool = True,
    ) -> None:  # fmt: skip
        self.name = name
        self.interval_seconds = interval_seconds
        self.energy = energy
        self.reads = 0
        self._readings = readings

    def read(self) -> Iterable[Reading]:
        """What the function gives."""
        self.reads += 1
        return self._readings()


class Split(Scripted):
    """One whose readings are made when somebody asks."""

    def take(self) -> Iterable[Reading]:
        """New readings each time."""
        return list(self.read())


@dataclass
class Bench:
    """A sampler in virtual time with its parts."""

    clock: FakeClock
    sampler: Sampler
    cursor: str = ""
    delays: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> list[Sample]:
        """Let the sampler work for a time; the samples that it made."""
        end_ns = self.clock.now_ns + round(seconds * 1e9)
        while self.clock.now_ns < end_ns:
            delay = step(self.sampler)
            self.delays.append(delay)
            self.clock.advance(min(delay, (end_ns - self.clock.now_ns) / 1e9) + 1e-6)
        return self.fetch()

    def fetch(self) -> list[Sample]:
        """Samples since the last call."""
        page = self.sampler.samples(self.cursor)
        self.cursor = page.cursor
        return list(decode_lines(page.text()))

    def report(self) -> HostReport:
        """As ``GET /sensors``."""
        return self.sampler.report("box", "boot", "1")

    def sensor(self, name: str) -> SensorReport:
        """One sensor's report."""
        return next(sensor for sensor in self.report().sensors if sensor.name == name)


def make_bench(clock: FakeClock, *sensors: Sensor, started: bool = True) -> Bench:
    """A bench of sensors, which are started unless they are to be by the sampler."""
    jitter = random.Random(1)  # noqa: S311 - jitter, not secrets
    ring = Ring()
    running = [
        RunningSensor(
            s, "box", clock, Schedule(s.interval_seconds, 0, jitter, loose=not s.energy), ring
        )
        for s in sensors
    ]
    if started:
        for sensor in running:
            sensor.start()
    sampler = Sampler(running, TimeBaseClock(clock), clock, ring, "box", jitter=jitter)
    return Bench(clock, sampler)


def of(samples: Iterable[Sample], measurement: str) -> list[Sample]:
    """Samples of one measurement."""
    return [sample for sample in samples if sample.measurement == measurement]


def steady(clock: FakeClock, watts: float, traits: Traits = FREE) -> Callable[[], list[Reading]]:
    """A counter under a constant load; it ticks if its traits say so."""
    period_ns = round(traits.update_period_seconds * 1e9)

    def readings() -> list[Reading]:
        ticks = clock.now_ns // period_ns if traits.ticking else clock.now_ns / period_ns
        joules = watts * ticks * period_ns / 1e9
        return [Counter(Domain.PACKAGE, "socket0", joules, traits)]

    return readings
