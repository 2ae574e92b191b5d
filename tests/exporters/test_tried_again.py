"""Sensors that are absent or have failed are tried again, those that work look for their hardware
again; never while somebody measures. In virtual time."""

import logging
from collections.abc import Callable, Iterable

import pytest

from tests.exporters.stepping import FREE, TICKING, Bench, Scripted, make_bench, of, steady
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorState
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter, LeftOut, Power, Reading


class Hardware(Scripted):
    """A sensor that notes the times of its starts, looks and ends."""

    def __init__(self, clock: FakeClock, readings: Callable[[], Iterable[Reading]]) -> None:
        super().__init__("meter", readings)
        self.missing: Exception | None = None
        self.starts: list[float] = []
        self.rescans: list[float] = []
        self.closed = 0
        self.words = ""
        self._clock = clock
        self._began_ns = clock.now_ns

    def start(self) -> None:
        self.starts.append(self._seconds())
        if self.missing is not None:
            raise self.missing

    def rescan(self) -> None:
        self.rescans.append(self._seconds())

    def note(self) -> str:
        return self.words

    def close(self) -> None:
        self.closed += 1

    def _seconds(self) -> float:
        return (self._clock.now_ns - self._began_ns) / 1e9


def box_of(clock: FakeClock, sensor: Hardware) -> Bench:
    """The sensor beside one that is always there, and not yet started."""
    return make_bench(clock, sensor, Scripted("other", steady(clock, 5.0)), started=False)


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        (SensorAbsent("no driver", "load it"), SensorState.ABSENT),
        (SensorFailed("driver in a bad state"), SensorState.FAILED),
    ],
)
def test_what_is_missing_at_the_start_is_found_later(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, missing: Exception, state: SensorState
) -> None:
    """Tried every 30 s; the log has it once, and once when it is there."""
    sensor = Hardware(clock, steady(clock, 50.0))
    sensor.missing = missing
    box = box_of(clock, sensor)
    with caplog.at_level(logging.INFO):
        box.run(100.0)
        assert box.sensor("meter").state is state
        assert sensor.starts == pytest.approx([0, 30, 60, 90], abs=1.0)
        sensor.missing = None
        box.run(30.0)
    assert box.sensor("meter").state is SensorState.OK
    assert box.sensor("meter").reason == ""
    assert "meter" in {s.tag["source"] for s in of(box.run(1.0), "energy")}
    assert len([r for r in caplog.records if "sensor meter" in r.getMessage()]) == 2


def test_nothing_changes_while_somebody_measures(clock: FakeClock) -> None:
    """What has become due meanwhile is done at once when the last lease ends."""
    sensor = Hardware(clock, steady(clock, 50.0))
    sensor.missing = SensorAbsent("no driver", "load it")
    box = box_of(clock, sensor)
    box.run(10.0)
    box.sampler.arm(100.0, "a")
    box.sampler.arm(60.0, "b")
    sensor.missing = None
    box.run(80.0)
    assert len(sensor.starts) == 1
    box.sampler.arm(0, "b")
    box.run(1.0)
    assert len(sensor.starts) == 1
    box.sampler.arm(0, "a")
    box.run(1.0)
    assert sensor.starts[1] == pytest.approx(91.0, abs=1.0)


def test_one_that_works_looks_for_its_hardware(clock: FakeClock) -> None:
    """About every 30 s, but not during a lease; its note is what it says now."""
    sensor = Hardware(clock, steady(clock, 50.0))
    box = box_of(clock, sensor)
    box.run(100.0)
    assert len(sensor.rescans) in {3, 4}
    sensor.words = "2 of 3 zones: dram is missing"
    box.sampler.arm(100.0)
    looks = len(sensor.rescans)
    box.run(90.0)
    assert len(sensor.rescans) == looks
    assert box.sensor("meter").note == "2 of 3 zones: dram is missing"
    box.sampler.arm(0)
    box.run(1.0)
    assert len(sensor.rescans) == looks + 1


def test_one_that_fails_for_long_is_started_afresh(clock: FakeClock) -> None:
    """Its counters begin new epochs; one that fails for a moment only is left alone."""
    broken = False

    def readings() -> Iterable[Reading]:
        if broken:
            raise SensorFailed("no GPU can be read any more")
        return steady(clock, 50.0)()

    sensor = Hardware(clock, readings)
    box = box_of(clock, sensor)
    box.run(20.0)
    broken = True
    box.run(5.0)
    broken = False
    box.run(20.0)
    assert len(sensor.starts) == 1
    broken = True
    box.run(45.0)
    assert len(sensor.starts) == 2
    assert sensor.closed == 1
    broken = False
    box.run(2.0)
    assert box.sensor("meter").state is SensorState.OK


def test_a_failure_in_the_look_is_the_sensors(clock: FakeClock) -> None:
    """One that finds its hardware gone is absent, and is tried again."""
    gone = True

    class Gone(Hardware):
        def rescan(self) -> None:
            super().rescan()
            if gone:
                raise SensorAbsent("the board was taken out", "put it back")

    sensor = Gone(clock, steady(clock, 50.0))
    box = box_of(clock, sensor)
    box.run(40.0)
    report = box.sensor("meter")
    assert (report.state, report.reason) == (SensorState.ABSENT, "the board was taken out")
    assert [series.state for series in report.energy] == [SensorState.FAILED] * len(report.energy)
    gone = False
    box.run(40.0)
    assert box.sensor("meter").state is SensorState.OK


def test_a_device_may_count_otherwise_but_not_while_somebody_measures(clock: FakeClock) -> None:
    """A GPU whose counter was at 0 when the driver was loaded: its power is integrated, and from
    when the counter counts that is its energy, as another series."""
    counts = False

    def readings() -> Iterable[Reading]:
        watts = 100.0
        if counts:
            joules = watts * clock.now_ns / 1e9
            yield Counter(Domain.GPU, "g", joules, TICKING if joules < 0 else FREE)
        yield Power(Domain.GPU, "g", watts, FREE, integrate=not counts)

    box = make_bench(clock, Scripted("nvml", readings))
    first = of(box.run(5.0), "energy")
    box.sampler.arm(60.0, "a")
    counts = True
    second = of(box.run(5.0), "energy")
    assert {s.tag["method"] for s in [*first, *second]} == {Method.INTEGRATED}
    assert len({s.fields["epoch"] for s in [*first, *second]}) == 1
    box.sampler.arm(0, "a")
    box.run(1.0)
    third = of(box.run(5.0), "energy")
    assert {s.tag["method"] for s in third} == {Method.COUNTER}
    assert [series.method for series in box.report().energy] == [Method.COUNTER]
    for samples in ([*first, *second], third):
        joules = samples[-1].fields["joules"] - samples[0].fields["joules"]
        seconds = (samples[-1].time_ns - samples[0].time_ns) / 1e9
        assert joules == pytest.approx(100.0 * seconds, rel=1e-6)


def test_what_is_left_out_is_told_once_by_name_and_counted(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Printable, in the log, in the note while it lasts, and in the number of what was dropped."""
    odd = True

    def readings() -> Iterable[Reading]:
        lines = [LeftOut(f"eth{n}\udce9", "no number\x1b") for n in range(5)] if odd else []
        return [*lines, *steady(clock, 50.0)()]

    box = make_bench(clock, Scripted("host", readings))
    samples = box.run(5.0)
    report = box.sensor("host")
    assert report.state is SensorState.OK
    assert report.note == (
        "left out: eth0\\xe9 (no number\\x1b), eth1\\xe9 (no number\\x1b),"
        " eth2\\xe9 (no number\\x1b) and 2 more"
    )
    assert caplog.text.count("is left out") == 5
    assert of(samples, "energy")
    dropped = of(samples, "sensor")[-1].fields["dropped"]
    assert dropped == pytest.approx(5 * 10 * 4.5, abs=60)
    odd = False
    box.run(1.0)
    assert box.sensor("host").note == ""
