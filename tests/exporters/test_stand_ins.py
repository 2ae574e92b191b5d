"""The estimate counts where nothing else does, and whoever counts is decided by what it has given;
in virtual time."""

import logging
from collections.abc import Iterable

import pytest

from tests.exporters.stepping import FREE, Bench, Scripted, make_bench, of, settle
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorAbsent
from wattmark_core.exporter_api import SensorState
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter, Power, Reading, Traits, Values


class StandIn(Scripted):
    """An estimate of 10 W."""

    stand_in = True

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("estimate", lambda: [self._counter(clock)], interval_seconds=1.0)

    def _counter(self, clock: FakeClock) -> Counter:
        joules = 10.0 * clock.now_ns / 1e9
        return Counter(Domain.PACKAGE, "cpu", joules, FREE, Method.ESTIMATED)


class Zone(Scripted):
    """A RAPL zone whose counter may stand still, fail, or not be there."""

    def __init__(self, clock: FakeClock, watts: float) -> None:
        super().__init__("rapl", self._zone)
        self.watts = watts
        self.joules = 0.0
        self.there = True
        self.broken = False
        self._clock = clock
        self._last_ns = clock.now_ns

    def start(self) -> None:
        if not self.there:
            raise SensorAbsent("no RAPL zone", "load the driver")

    def _zone(self) -> Iterable[Reading]:
        if self.broken:
            raise PermissionError(13, "Permission denied")
        self.joules += self.watts * (self._clock.now_ns - self._last_ns) / 1e9
        self._last_ns = self._clock.now_ns
        return [Counter(Domain.PACKAGE, "socket0", self.joules, FREE)]


def settled(clock: FakeClock, *sensors: Scripted) -> Bench:
    """Sensors that have started, and the stand-in decided on."""
    box = make_bench(clock, *sensors, started=False)
    settle(box.sampler, clock.advance)
    return box


def sources(box: Bench, seconds: float) -> set[str]:
    """Whose energy comes during a time."""
    return {sample.tag["source"] for sample in of(box.run(seconds), "energy")}


def test_a_counter_that_counts_keeps_the_estimate_out(clock: FakeClock) -> None:
    """From its first read on, which shows that it has counted before."""
    zone = Zone(clock, 50.0)
    zone.joules = 1000.0
    began_ns = clock.now_ns
    box = settled(clock, zone, StandIn(clock))
    assert clock.now_ns == began_ns
    assert box.sensor("estimate").state is SensorState.ABSENT
    assert box.sensor("estimate").reason == "not needed: rapl measures the package"
    assert sources(box, 100.0) == {"rapl"}


def test_a_counter_that_stands_at_zero_does_not(clock: FakeClock) -> None:
    """As in a virtual machine: the estimate counts in its place, and the report says so."""
    box = settled(clock, Zone(clock, 0.0), StandIn(clock))
    assert sources(box, 10.0) == {"rapl", "estimate"}
    report = box.sensor("rapl")
    assert report.moving is False
    assert [series.moving for series in report.energy] == [False]
    assert report.note == ("package socket0 stands still at 0 J; the estimate counts in its place")
    assert box.sensor("estimate").state is SensorState.OK
    assert box.sensor("estimate").energy[0].moving is True


def test_one_that_begins_to_count_is_used_again_but_not_while_somebody_measures(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands stays until the last lease ends."""
    zone = Zone(clock, 0.0)
    box = settled(clock, zone, StandIn(clock))
    box.run(10.0)
    box.sampler.arm(100.0, "a")
    zone.watts = 50.0
    assert sources(box, 50.0) == {"rapl", "estimate"}
    assert box.report().energy[0].moving is True
    box.sampler.arm(0, "a")
    box.run(2.0)
    assert sources(box, 10.0) == {"rapl"}
    assert box.sensor("rapl").note == ""
    assert "sensor rapl: it counts the package again" in caplog.text
    assert caplog.text.count("the estimate counts in its place") == 1


def test_one_that_stops_is_replaced_while_the_machine_works(clock: FakeClock) -> None:
    """And not during a lease. CPU time is the host's."""
    zone = Zone(clock, 50.0)
    host = Scripted(
        "host", lambda: [Values("cpu", {}, {"busy_seconds": clock.now_ns / 1e9})],
        interval_seconds=1.0, energy=False,
    )  # fmt: skip
    box = settled(clock, zone, host, StandIn(clock))
    box.run(20.0)
    box.sampler.arm(60.0, "a")
    zone.watts = 0.0
    assert sources(box, 30.0) == {"rapl"}
    assert box.report().energy[0].moving is False
    box.sampler.arm(0, "a")
    box.run(2.0)
    assert "estimate" in sources(box, 10.0)


def test_one_that_fails_for_long_is_replaced_and_comes_back(clock: FakeClock) -> None:
    """A moment's failure changes nothing; after half a minute the estimate counts."""
    zone = Zone(clock, 50.0)
    box = settled(clock, zone, StandIn(clock))
    box.run(10.0)
    zone.broken = True
    assert sources(box, 20.0) <= {"rapl"}
    box.run(20.0)
    assert sources(box, 5.0) == {"estimate"}
    assert box.sensor("rapl").state is SensorState.FAILED
    assert {s.source: s.state for s in box.report().energy}["rapl"] is SensorState.FAILED
    zone.broken = False
    box.run(2.0)
    assert sources(box, 10.0) == {"rapl"}


def test_one_that_comes_later_takes_over(clock: FakeClock) -> None:
    """A driver that is loaded after the start: within half a minute."""
    zone = Zone(clock, 50.0)
    zone.there = False
    box = settled(clock, zone, StandIn(clock))
    assert sources(box, 4.0) == {"estimate"}
    zone.there = True
    box.run(31.0)
    assert sources(box, 10.0) == {"rapl"}
    assert box.sensor("estimate").state is SensorState.ABSENT


def test_energy_of_another_domain_keeps_no_estimate_out(clock: FakeClock) -> None:
    """A GPU's, say; and the estimate is not waited for long."""
    gpu = Scripted("nvml", lambda: [Power(Domain.GPU, "g", 50.0, Traits(), integrate=True)])
    began_ns = clock.now_ns
    box = settled(clock, gpu, StandIn(clock))
    assert clock.now_ns - began_ns < 0.2e9
    assert sources(box, 5.0) == {"nvml", "estimate"}


def test_without_a_stand_in_nothing_is_promised(clock: FakeClock) -> None:
    """A counter that stands still is told all the same."""
    box = settled(clock, Zone(clock, 0.0))
    box.run(5.0)
    assert box.sensor("rapl").note == "package socket0 stands still at 0 J"


def test_a_joule_counted_before_a_standstill_is_in_one_epoch(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Each time that the estimate begins, it does so in an epoch of its own."""
    zone = Zone(clock, 0.0)
    box = settled(clock, zone, StandIn(clock))
    samples = []
    with caplog.at_level(logging.INFO):
        for watts in (0.0, 50.0, 0.0, 50.0):
            zone.watts = watts
            samples += of(box.run(90.0), "energy")
    estimated = [s for s in samples if s.tag["source"] == "estimate"]
    epochs = {int(s.fields["epoch"]) for s in estimated}
    assert len(epochs) == 2
    for epoch in epochs:
        own = [s for s in estimated if s.fields["epoch"] == epoch]
        joules = own[-1].fields["joules"] - own[0].fields["joules"]
        assert joules == pytest.approx(10.0 * (own[-1].time_ns - own[0].time_ns) / 1e9)
