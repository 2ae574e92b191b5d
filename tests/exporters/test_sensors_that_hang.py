"""A sensor that does not return from a call delays no other, and nobody who asks. Real threads."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Thread

import pytest

from wattmark_core.catalogue import Domain
from wattmark_core.clock import SystemClock
from wattmark_core.exporter_api import ExporterClient, HostReport, SensorReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters import Counter, Power, Sensor, Traits
from wattmark_exporters.readings import Reading
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.security import Security
from wattmark_exporters.server import Backend, ExporterServer

Wait = Callable[[Callable[[], bool]], None]
FREE = Traits(update_period_seconds=0.001)
AT_ONCE_SECONDS = 0.5
"""Of an answer; with a generous allowance for a loaded machine."""


class Steady(Sensor):
    """100 W, counted."""

    name = "rapl"

    def read(self) -> Iterable[Reading]:
        return [Counter(Domain.PACKAGE, "socket0", time.monotonic() * 100.0, FREE)]


class Hanging(Sensor):
    """A driver whose calls do not return while its events are not set."""

    name = "nvml"

    def __init__(self, *, start: bool = True, read: bool = True) -> None:
        self.starts, self.reads, self.rescans = Event(), Event(), Event()
        self.inside = Event()
        for event, goes in ((self.starts, start), (self.reads, read), (self.rescans, True)):
            if goes:
                event.set()

    def start(self) -> None:
        self._pass(self.starts)

    def read(self) -> Iterable[Reading]:
        self._pass(self.reads)
        return [Power(Domain.GPU, "gpu0", 50.0, FREE, integrate=True)]

    def rescan(self) -> None:
        self._pass(self.rescans)

    def go_on(self) -> None:
        """Let everything return."""
        for event in (self.starts, self.reads, self.rescans):
            event.set()

    def _pass(self, event: Event) -> None:
        if not event.is_set():
            self.inside.set()
            assert event.wait(60)
            self.inside.clear()


class StandIn(Steady):
    """Counts where nobody else does."""

    name = "estimate"
    stand_in = True


@dataclass
class Host:
    """A sampler at work, and a client of its server."""

    sampler: Sampler
    client: ExporterClient
    slowest_seconds: dict[str, float] = field(default_factory=dict)

    def sensor(self, name: str) -> SensorReport:
        return next(s for s in self.report().sensors if s.name == name)

    def report(self) -> HostReport:
        return self.client.sensors()

    def ask_everything(self) -> None:
        """Each endpoint once; notes how long the slowest answer took."""
        client = self.client
        for name, call in (
            ("/sensors", client.sensors), ("/samples", client.samples),
            ("/sample", client.sample_now), ("/arm", lambda: client.arm(0, lease="a")),
            ("/metrics", lambda: client._request("GET", "/metrics")),
            ("/healthz", lambda: client._request("GET", "/healthz")),
        ):  # fmt: skip
            began = time.monotonic()
            call()
            taken = time.monotonic() - began
            self.slowest_seconds[name] = max(taken, self.slowest_seconds.get(name, 0.0))


@contextmanager
def at_work(*sensors: Sensor) -> Iterator[Host]:
    """Sensors in their threads behind the exporter's server."""
    clock, ring, jitter = SystemClock(), Ring(), random.Random(1)  # noqa: S311 - jitter, not secrets
    base = TimeBaseClock(clock)
    running = [
        RunningSensor(s, "box", clock, Schedule(s.interval_seconds, 0, jitter), ring)
        for s in sensors
    ]
    sampler = Sampler(running, base, clock, ring, "box", jitter=jitter)
    server = ExporterServer("127.0.0.1", 0, Security())
    server.backend = Backend(
        sampler, lambda: sampler.report("box", "boot", "1"), lambda: sampler.base("boot")
    )
    thread = Thread(target=server.serve)
    thread.start()
    sampler.start()
    try:
        with closing(ExporterClient(server.url)) as client:
            yield Host(sampler, client)
    finally:
        for sensor in sensors:
            if isinstance(sensor, Hanging):
                sensor.go_on()
        sampler.stop()
        server.stop()
        thread.join()


def test_a_read_that_hangs_is_told_by_name_and_leaves_no_gap_elsewhere(
    wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    """All endpoints answer at once meanwhile; no old value of it is served; afterwards it goes on
    in another epoch."""
    gpu = Hanging()
    with at_work(Steady(), gpu) as host:
        wait_until(lambda: {e.source for e in host.report().energy} == {"rapl", "nvml"})
        assert "source=nvml" in host.client.samples().text
        gpu.reads.clear()
        assert gpu.inside.wait(20)
        cursor, began = host.client.samples().cursor, time.monotonic()
        while time.monotonic() - began < 3.2:
            host.ask_everything()
            time.sleep(0.1)
        failed = host.sensor("nvml")
        assert failed.state is SensorState.FAILED
        assert failed.reason in {f"nvml has not returned from a read for {n} s" for n in (3, 4, 5)}
        assert [series.state for series in failed.energy] == [SensorState.FAILED]
        assert host.sensor("rapl").state is SensorState.OK
        _, metrics = host.client._request("GET", "/metrics")
        assert 'source="rapl"' in metrics.decode()
        assert 'source="nvml"' not in metrics.decode()
        assert 'wattmark_sensor_up{sensor="nvml"} 0.0' in metrics.decode()
        host.client._request("GET", "/healthz")
        samples = list(decode_lines(host.client.samples(cursor).text))
        assert not [s for s in samples if s.tag.get("source") == "nvml"]
        times = [s.time_ns for s in samples if s.measurement == "energy"]
        assert max(b - a for a, b in pairwise(times)) < 0.5e9
        assert max(host.slowest_seconds.values()) < 2 * AT_ONCE_SECONDS
        began = time.monotonic()
        host.ask_everything()
        assert time.monotonic() - began < AT_ONCE_SECONDS
        gpu.reads.set()
        wait_until(lambda: host.sensor("nvml").state is SensorState.OK)
        wait_until(lambda: "source=nvml" in host.client.samples(cursor).text)
        energy = [s for s in decode_lines(host.client.samples().text) if s.measurement == "energy"]
        epochs = {n: {s.fields["epoch"] for s in energy if s.tag["source"] == n}
                  for n in ("rapl", "nvml")}  # fmt: skip
        assert (len(epochs["rapl"]), len(epochs["nvml"])) == (1, 2)
    told = [r.getMessage() for r in caplog.records if "nvml" in r.getMessage()]
    assert len([line for line in told if "has not returned from a read" in line]) == 1


def test_a_start_that_hangs_keeps_nobody_waiting(wait_until: Wait) -> None:
    """The others are read meanwhile, the stand-in counts, and the sensor joins when its start
    returns: then the stand-in is no longer needed."""

    class Package(Hanging):
        def read(self) -> Iterable[Reading]:
            return [Counter(Domain.PACKAGE, "p", time.monotonic() * 50.0, FREE)]

    late = Package(start=False)
    with at_work(late, StandIn()) as host:
        began = time.monotonic()
        host.sampler.settle(0.5)
        assert time.monotonic() - began < 2.0
        wait_until(lambda: host.sensor("estimate").state is SensorState.OK)
        hanging = host.sensor("nvml")
        assert hanging.state is SensorState.FAILED
        assert hanging.reason.startswith("nvml has not returned from its start for ")
        late.starts.set()
        wait_until(lambda: host.sensor("nvml").state is SensorState.OK)
        wait_until(lambda: "nvml measures the package" in host.sensor("estimate").reason)


def test_stop_waits_for_no_call_that_does_not_return() -> None:
    """Nor for one of several: those that can be closed are."""
    gpu = Hanging()
    gpu.reads.clear()
    with at_work(Steady(), gpu) as host:
        assert gpu.inside.wait(20)
        began = time.monotonic()
        host.sampler.stop()
        assert time.monotonic() - began < 5.0


def test_a_late_read_is_no_reading(wait_until: Wait) -> None:
    """What took too long is of an unknown time: it makes no sample, and counts as not taken."""
    gpu = Hanging()
    with at_work(gpu) as host:
        wait_until(lambda: "source=nvml" in host.client.samples().text)
        gpu.reads.clear()
        assert gpu.inside.wait(20)
        cursor = host.client.samples().cursor
        time.sleep(2.3)
        gpu.reads.set()
        wait_until(lambda: "source=nvml" in host.client.samples(cursor).text)
        energy = [s for s in decode_lines(host.client.samples().text) if s.measurement == "energy"]
        assert max(s.fields["uncertainty_seconds"] for s in energy) < 0.5
