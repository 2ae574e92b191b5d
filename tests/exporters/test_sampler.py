"""The sampler in virtual time: deadlines, lease, failures, clocks."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from itertools import pairwise
from threading import Event, Thread

import pytest

from tests.exporters.stepping import (
    FREE,
    TICKING,
    Bench,
    Scripted,
    Split,
    make_bench,
    of,
    steady,
    step,
)
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.line_format import LineFormat
from wattmark_exporters.readings import Counter, Lost, Power, Reading, Values
from wattmark_exporters.ring import Ring
from wattmark_exporters.sampler import Sampler

Build = Callable[..., Bench]


@pytest.fixture
def bench(clock: FakeClock) -> Build:
    """Make a bench of sensors."""
    return partial(make_bench, clock)


def test_energy_reaches_the_ring(bench: Build, clock: FakeClock) -> None:
    """A steady load arrives as energy at its power, with host and tags on every line."""
    samples = bench(Scripted("meter", steady(clock, 50.0))).run(10.0)
    energy = of(samples, "energy")
    first, last = energy[0], energy[-1]
    joules = last.fields["joules"] - first.fields["joules"]
    assert joules == pytest.approx(50.0 * (last.time_ns - first.time_ns) / 1e9, rel=1e-6)
    assert {sample.tag["host"] for sample in samples} == {"box"}
    assert energy[0].tag == {
        "host": "box", "domain": "package", "device": "socket0", "source": "meter",
        "method": "counter",
    }  # fmt: skip
    assert isinstance(energy[0].fields["epoch"], int)


def test_own_intervals_without_drift_or_lockstep(bench: Build, clock: FakeClock) -> None:
    """Each sensor has its own interval; deadlines do not drift, and do not keep step either."""
    fast = Scripted("fast", steady(clock, 50.0))
    slow = Scripted("slow", lambda: [Values("room", {}, {"value": 1.0})], interval_seconds=1.0,
                    energy=False)  # fmt: skip
    samples = of(bench(fast, slow).run(60.0), "energy")
    assert fast.reads == pytest.approx(600, abs=2)
    assert slow.reads == pytest.approx(60, abs=2)
    gaps = [b.time_ns - a.time_ns for a, b in pairwise(samples)]
    assert 75e6 < min(gaps) < 95e6
    assert 105e6 < max(gaps) < 125e6


def test_what_counts_no_energy_waits_for_company(bench: Build, clock: FakeClock) -> None:
    """Beside a sensor read once a second another one and the exporter's own wake nobody, mostly;
    both are read as often as they should be."""
    energy = Scripted("energy", steady(clock, 50.0), interval_seconds=1.0)
    values = Scripted("values", lambda: [Values("room", {}, {"value": 1.0})], interval_seconds=1.0,
                      energy=False)  # fmt: skip
    box = bench(energy, values)
    own = of(box.run(300.0), "exporter")
    assert energy.reads == pytest.approx(300, abs=8)
    assert values.reads == pytest.approx(300, abs=8)
    assert len(own) == pytest.approx(300, abs=8)
    assert len(box.delays) < 1.5 * 300


def test_missed_deadlines_are_skipped_and_counted(bench: Build, clock: FakeClock) -> None:
    """After a stall the sampler goes on at once, makes nothing up, and counts due beside taken."""
    sensor = Scripted("meter", steady(clock, 50.0))
    box = bench(sensor)
    box.run(1.0)
    clock.advance(5.0)
    reads = sensor.reads
    box.run(0.15)
    assert sensor.reads - reads <= 3
    report = box.sensor("meter")
    assert report.due == pytest.approx(61, abs=3)
    assert report.due - report.taken == pytest.approx(50, abs=2)
    assert min(box.delays) >= 0


def test_lease_reads_ticking_counters_closely(bench: Build, clock: FakeClock) -> None:
    """While armed a ticking counter is read every T/5, until the lease ends; others stay."""
    ticking = Scripted("gpu", steady(clock, 50.0, TICKING))
    other = Scripted("rapl", steady(clock, 50.0))
    box = bench(ticking, other)
    box.run(1.0)
    before = of(box.run(2.0), "energy")
    ticking.reads = other.reads = 0
    box.sampler.arm(2.0)
    during = of(box.run(2.0), "energy")
    assert ticking.reads == pytest.approx(100, abs=3)
    assert other.reads == pytest.approx(20, abs=2)
    ticking.reads = 0
    box.run(2.0)
    assert ticking.reads == pytest.approx(20, abs=2)

    def worst(samples: list[Sample]) -> float:
        return max(s.fields["uncertainty_seconds"] for s in samples[2:] if s.tag["source"] == "gpu")

    assert worst(during) <= 0.0125
    assert worst(before) > 0.04


def test_lease_reads_power_closely(bench: Build) -> None:
    """While armed, power to integrate is read every 20 ms; power beside a counter is not."""
    integrated = Scripted("a", lambda: [Power(Domain.GPU, "a", 50.0, integrate=True)])
    shown = Scripted("b", lambda: [Power(Domain.GPU, "b", 50.0)])
    box = bench(integrated, shown)
    box.run(0.5)
    integrated.reads = shown.reads = 0
    box.sampler.arm(1.0)
    samples = box.run(1.0)
    assert integrated.reads == pytest.approx(50, abs=3)
    assert shown.reads == pytest.approx(10, abs=2)
    energy = of(samples, "energy")
    assert {s.tag["method"] for s in energy} == {Method.INTEGRATED}
    joules = energy[-1].fields["joules"] - energy[0].fields["joules"]
    assert joules == pytest.approx(50.0 * (energy[-1].time_ns - energy[0].time_ns) / 1e9)


def test_lease_of_zero_ends_it(bench: Build, clock: FakeClock) -> None:
    """``arm(0)`` ends the lease; a shorter lease does not cut a longer one."""
    sensor = Scripted("gpu", steady(clock, 50.0, TICKING))
    box = bench(sensor)
    box.run(0.5)
    box.sampler.arm(100.0)
    box.sampler.arm(0.1)
    box.run(0.5)
    sensor.reads = 0
    box.run(1.0)
    assert sensor.reads > 40
    box.sampler.arm(0)
    box.run(0.1)
    sensor.reads = 0
    box.run(1.0)
    assert sensor.reads < 13


def test_sample_now(bench: Build, clock: FakeClock) -> None:
    """A forced sample reads all energy sensors at once, others not; calls within 20 ms share."""
    energy = Scripted("meter", steady(clock, 50.0))
    host = Scripted("host", lambda: [Values("room", {}, {"value": 1.0})], energy=False)
    box = bench(energy, host)
    box.run(1.0)
    energy.reads = host.reads = 0
    box.sampler.sample_now()
    clock.advance(0.019)
    box.sampler.sample_now()
    assert (energy.reads, host.reads) == (1, 0)
    clock.advance(0.002)
    box.sampler.sample_now()
    assert energy.reads == 2
    assert len(of(box.fetch(), "energy")) == 2


def test_one_failure_does_not_silence_others(
    bench: Build, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A sensor that raises anything is failed; the others go on. It is logged once when it starts
    to fail and once when it recovers."""
    broken = True

    def flaky() -> list[Reading]:
        if broken:
            raise ZeroDivisionError("oops")
        return steady(clock, 10.0)()

    box = bench(Scripted("flaky", flaky), Scripted("good", steady(clock, 50.0)))
    with caplog.at_level(logging.INFO):
        samples = box.run(3.0)
        assert len(of(samples, "energy")) == pytest.approx(30, abs=2)
        assert box.sensor("flaky").state is SensorState.FAILED
        assert "oops" in box.sensor("flaky").reason
        broken = False
        box.run(3.0)
    assert box.sensor("flaky").state is SensorState.OK
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]
    ups = [s.fields["up"] for s in of(samples, "sensor") if s.tag["sensor"] == "flaky"]
    assert set(ups) == {0.0}


def test_absent(bench: Build, clock: FakeClock) -> None:
    """An absent sensor has reason and remedy, is never read, and makes no sample but of its
    state."""

    class Absent(Scripted):
        def start(self) -> None:
            raise SensorAbsent("no meter", "plug one in")

    absent = Absent("absent", steady(clock, 1.0))
    box = bench(absent)
    samples = box.run(3.0)
    report = box.sensor("absent")
    assert (report.state, report.reason, report.remedy) == (
        SensorState.ABSENT, "no meter", "plug one in",
    )  # fmt: skip
    assert absent.reads == 0
    assert {s.measurement for s in samples} == {"exporter", "sensor"}
    assert next(s.fields for s in samples if s.measurement == "sensor") == {"state": 2.0}


def test_permission_lost_half_way(bench: Build, clock: FakeClock) -> None:
    """A sensor that fails for a while begins a new epoch; energy in between is not made up."""
    broken = False

    def readings() -> list[Reading]:
        if broken:
            raise PermissionError(13, "Permission denied")
        return steady(clock, 50.0)()

    box = bench(Scripted("rapl", readings))
    first = of(box.run(2.0), "energy")
    broken = True
    assert of(box.run(2.0), "energy") == []
    broken = False
    second = of(box.run(2.0), "energy")
    assert len({s.fields["epoch"] for s in [*first, *second]}) == 2
    assert second[0].fields["joules"] == 0


def test_a_device_that_never_gave_anything_is_named(
    bench: Build, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no series in which that could stand: it is left out, told once, and counted."""

    def readings() -> list[Reading]:
        return [*steady(clock, 50.0)(), Lost(Domain.DRAM, "socket0", "energy_uj reads 'abc'")]

    box = bench(Scripted("rapl", readings))
    box.run(2.0)
    assert [series.domain for series in box.report().energy] == [Domain.PACKAGE]
    (sensor,) = box.report().sensors
    assert "left out: dram socket0 (energy_uj reads 'abc')" in sensor.note
    assert [text for text in caplog.messages if "dram" in text] == [
        "sensor rapl: dram socket0 is left out: energy_uj reads 'abc'"
    ]


def test_one_device_lost(bench: Build, clock: FakeClock) -> None:
    """Of two devices one may be lost: the other goes on in its epoch, the report says which."""
    lost = False

    def readings() -> list[Reading]:
        joules = 100.0 * clock.now_ns / 1e9
        yours: Reading = Counter(Domain.GPU, "gpu1", joules, FREE)
        if lost:
            yours = Lost(Domain.GPU, "gpu1", "fell off the bus")
        return [Counter(Domain.GPU, "gpu0", joules, FREE), yours]

    box = bench(Scripted("nvml", readings))
    box.run(1.0)
    lost = True
    samples = of(box.run(1.0), "energy")
    assert {s.tag["device"] for s in samples} == {"gpu0"}
    states = {series.device: (series.state, series.note) for series in box.report().energy}
    assert states == {
        "gpu0": (SensorState.OK, ""), "gpu1": (SensorState.FAILED, "fell off the bus"),
    }  # fmt: skip
    lost = False
    back = of(box.run(1.0), "energy")
    epochs = {d: {s.fields["epoch"] for s in back if s.tag["device"] == d} for d in states}
    old = {s.fields["epoch"] for s in samples}
    assert epochs["gpu0"] == old
    assert epochs["gpu1"].isdisjoint(old)


@pytest.mark.parametrize("event", ["step", "suspend"])
def test_torn_time_begins_epochs(bench: Build, clock: FakeClock, event: str) -> None:
    """A clock step or a suspend begins a new epoch of every counter, and no third one."""
    box = bench(
        Scripted("a", steady(clock, 50.0)),
        Scripted("b", lambda: [Power(Domain.PSYS, "b", 5.0, integrate=True)]),
    )
    before = of(box.run(2.0), "energy")
    if event == "step":
        clock.step(-30.0)
    else:
        clock.suspend(30.0)
    after = of(box.run(2.0), "energy")
    for source in ("a", "b"):
        olds = {s.fields["epoch"] for s in before if s.tag["source"] == source}
        news = [s.fields["epoch"] for s in after if s.tag["source"] == source]
        assert len(olds) == len(set(news)) == 1
        assert max(olds) < min(news)


def test_moving(bench: Build, clock: FakeClock) -> None:
    """A counter that moves is moving; one that stands still is found out after some seconds."""
    box = bench(
        Scripted("live", steady(clock, 50.0)),
        Scripted("dead", lambda: [Counter(Domain.DRAM, "d", 7.0, FREE)]),
    )
    box.run(0.05)
    assert box.sensor("dead").moving is None
    box.run(5.0)
    assert box.sensor("live").moving is True
    assert box.sensor("dead").moving is False


def test_counter_against_power(bench: Build, clock: FakeClock) -> None:
    """Where a GPU gives counter and power, their ratio over 10 s is served, with the GPU's tags."""
    tags = {"device": "GPU-1", "gpu": "0", "model": "X"}

    def readings() -> list[Reading]:
        ticks = clock.now_ns // 100_000_000
        return [
            Counter(Domain.GPU, "GPU-1", 105.0 * ticks * 0.1, TICKING),
            Power(Domain.GPU, "GPU-1", 100.0, TICKING),
            Values("gpu", tags, {"temperature_celsius": 40.0}),
        ]

    samples = of(bench(Scripted("nvml", readings)).run(25.0), "gpu")
    ratios = [s for s in samples if "counter_to_integral_ratio" in s.fields]
    assert len(ratios) == 2
    for sample in ratios:
        assert sample.fields["counter_to_integral_ratio"] == pytest.approx(1.05, abs=0.012)
        assert sample.tag == {**tags, "host": "box"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (Values("energy", {}, {"joules": 1.0}), "measurement 'energy'"),
        (Values("cpu", {}, {"smell": 1.0}), "no field 'smell'"),
        ("text", "gave a str"),
        (Values("room", {"place": "\udce9"}, {"x": 1.0}), "not UTF-8"),
        (Values("room", {}, {"\udce9": 1.0}), "not UTF-8"),
        (Power(Domain.PSYS, "\udce9", 1.0), "not UTF-8"),
    ],
)  # fmt: skip
def test_readings_that_may_not_be(bench: Build, values: Reading, reason: str) -> None:
    """A reading that would break the store fails its sensor, and says why."""
    box = bench(Scripted("odd", lambda: [values]))
    assert of(box.run(1.0), "energy") == []
    assert box.sensor("odd").state is SensorState.FAILED
    assert reason in box.sensor("odd").reason


def test_samples_do_not_wait_for_a_poll_for_ever(bench: Build, clock: FakeClock) -> None:
    """Where nobody polls, reads become samples all the same: 32 reads of a sensor wait at most."""
    sensor = Split("meter", steady(clock, 50.0))
    box = bench(sensor)
    box.run(0.05)
    cursor = box.cursor
    while sensor.reads < 300:
        clock.advance(step(box.sampler) + 1e-6)
    page = box.sampler._ring.after(cursor)
    assert len(of(decode_lines(page.text()), "energy")) >= 300 - 33


def test_field_types_are_fixed(bench: Build) -> None:
    """Floats stay floats and counts integers, whatever a sensor gives; NaN is dropped, counted."""
    box = bench(
        Scripted("odd", lambda: [
            Values("memory", {}, {"used_bytes": 3, "total_bytes": float("nan")}),
            Values("cpu", {}, {"cpus": 4.0}),
            Values("mine", {}, {"value": 1, "since_ns": 5}),
        ], energy=False)
    )  # fmt: skip
    samples = box.run(0.05)
    fields = {s.measurement: s.fields for s in samples}
    assert repr(fields["memory"]) == "{'used_bytes': 3.0}"
    assert repr(fields["cpu"]) == "{'cpus': 4}"
    assert repr(fields["mine"]) == "{'value': 1.0, 'since_ns': 5}"
    assert of(box.run(2.0), "sensor")[-1].fields["dropped"] > 0


def test_counter_and_integrated_power_of_one_device(bench: Build) -> None:
    """A device with a counter is not integrated as well: it would be counted twice."""
    box = bench(
        Scripted("both", lambda: [
            Counter(Domain.GPU, "g", 1.0, FREE), Power(Domain.GPU, "g", 9.0, integrate=True),
        ])
    )  # fmt: skip
    samples = box.run(1.0)
    assert {s.tag["method"] for s in samples if "method" in s.tag} == {"counter"}
    assert {s.fields["joules"] for s in of(samples, "energy")} == {0.0}


def test_failed_start(bench: Build, clock: FakeClock) -> None:
    """A sensor that fails at its start is failed, not absent, and is not read."""

    class Failing(Scripted):
        def start(self) -> None:
            raise SensorFailed("driver in a bad state")

    failing = Failing("failing", steady(clock, 1.0))
    box = bench(failing)
    box.run(1.0)
    assert box.sensor("failing").state is SensorState.FAILED
    assert box.sensor("failing").reason == "driver in a bad state"
    assert failing.reads == 0


def test_a_dead_sampler_ends_the_exporter(clock: FakeClock) -> None:
    """If the sampling thread dies of a fault of its own, the exporter ends."""

    class FullRing(Ring):
        def append(self, line_format: LineFormat, data: bytes, lines: int, time_ns: int) -> None:
            raise MemoryError

    crashed = Event()
    sampler = Sampler(
        [], TimeBaseClock(clock), clock, FullRing(), "box",
        jitter=random.Random(1),  # noqa: S311 - jitter, not secrets
        on_crash=crashed.set,
    )  # fmt: skip
    sampler.start()
    assert crashed.wait(20)
    sampler.stop()


def test_a_sensor_that_hangs_keeps_nobody_from_the_samples(bench: Build) -> None:
    """They come at once while it reads, and what others read meanwhile comes after its read."""
    reading, go_on = Event(), Event()

    def hang() -> Iterable[Reading]:
        reading.set()
        assert go_on.wait(20)
        return [Values("slow", {}, {"x": 1.0})]

    idle = Scripted("idle", lambda: [Values("room", {}, {"x": 2.0})])
    hanging = Scripted("hanging", hang)
    sampler = bench(idle, hanging).sampler
    thread = Thread(target=step, args=(sampler,))
    thread.start()
    try:
        assert reading.wait(20)
        start = time.monotonic()
        pages = [sampler.samples("") for _ in range(3)]
        assert time.monotonic() - start < 1.0
    finally:
        go_on.set()
        thread.join(20)
    assert "slow" not in pages[-1].text()
    after = sampler.samples(pages[-1].cursor)
    assert of(decode_lines(after.text()), "slow")
    assert of(decode_lines(sampler.samples("").text()), "room")


@pytest.mark.parametrize("kind", [Scripted, Split])
def test_a_sensor_that_never_gives_a_reading_is_down_from_the_start(
    bench: Build, kind: type[Scripted]
) -> None:
    """On every line of its own, whoever asks when: its reads do not count as taken."""
    box = bench(kind("bad", lambda: [Values("energy", {}, {"x": 1.0})]))
    own = [sample.fields for sample in of(box.run(5.0), "sensor")]
    assert len(own) >= 4
    assert {(fields["up"], fields["state"], fields["taken"]) for fields in own[1:]} == {(0, 0, 0)}
    assert (box.sensor("bad").state, box.sensor("bad").taken) == (SensorState.FAILED, 0)


@pytest.mark.parametrize("kind", [Scripted, Split])
@pytest.mark.parametrize("poll_seconds", [0.3, 1.0, 20.0])
def test_taken_counts_the_reads_that_went_well(
    bench: Build, kind: type[Scripted], poll_seconds: float
) -> None:
    """Of a sensor that goes bad every second time, half; on its lines as in ``/sensors``."""
    flaky: Scripted = kind(
        "flaky", lambda: [Values("room" if flaky.reads % 2 else "energy", {}, {"x": 1.0})]
    )
    box = bench(flaky)
    samples: list[Sample] = []
    for _ in range(round(20 / poll_seconds)):
        samples += box.run(poll_seconds)
    for fields in (sample.fields for sample in of(samples, "sensor") if sample.fields["due"] > 1):
        assert abs(fields["taken"] - fields["due"] / 2) <= 1
    report = box.sensor("flaky")
    assert abs(report.taken - report.due / 2) <= 1
    assert report.due > 150


def test_a_sensor_may_use_its_objects_again(bench: Build) -> None:
    """What it returned may change with the next read: each sample has the values of its own."""
    fields = {"i": 0.0}
    readings: list[Reading] = [Values("again", {}, fields)]

    def count() -> list[Reading]:
        fields["i"] += 1
        return readings

    samples = of(bench(Scripted("again", count)).run(2.0), "again")
    assert [sample.fields["i"] for sample in samples] == [i + 1.0 for i in range(len(samples))]
    assert len(samples) > 15


def test_one_reading_that_is_no_list_is_named(bench: Build) -> None:
    """It is a tuple of its parts, which are no readings."""
    box = bench(Scripted("one", lambda: Power(Domain.PSYS, "w", 1.0)))  # type: ignore[arg-type, return-value]
    box.run(1.0)
    assert box.sensor("one").reason == "read() returned one reading; return a list of them"


def test_values_may_be_decimals_and_the_least_integer(bench: Build) -> None:
    """In every read alike, as they are written as 64 bits."""
    values = {"x": Decimal("1.5"), "y": 2.0, "z_ns": -(2**63)}
    samples = of(bench(Scripted("odd", lambda: [Values("odd", {}, values)])).run(1.0), "odd")  # type: ignore[arg-type]
    assert len(samples) > 5
    assert {tuple(s.fields.items()) for s in samples} == {tuple(values.items())}


def test_values_of_many_series_take_one_chunk_a_read(bench: Build) -> None:
    """Or fewer: 165 chunks would take three times the memory."""
    box = bench(Scripted("many", lambda: [
        Values("room", {"d": str(n)}, {"x": 1.0 * n}) for n in range(165)
    ], energy=False))  # fmt: skip
    samples = of(box.run(2.0), "room")
    assert {(s.tag["d"], s.fields["x"]) for s in samples} == {(str(n), n) for n in range(165)}
    chunks = box.sampler.samples("").chunks
    assert len(samples) / 165 >= len([chunk for chunk in chunks if chunk.lines > 1]) > 0
    assert len(chunks) < len(samples) / 20
