"""The NVML sensor in the real exporter, on a stub of the driver's library whose truth is known."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries, ExporterClient, SensorReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]
Stub = Any
BOARD = "GPU-stub-0"


@pytest.fixture
def gpu(exporter: Start, nvml_stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Set knobs and start an exporter on the stub; gives its client."""

    def start(**knobs: float) -> ExporterClient:
        nvml_stub.set(**knobs)
        for name, value in nvml_stub.env.items():
            monkeypatch.setenv(name, value)
        client: ExporterClient = exporter("--without", "host", "--no-estimate").client
        return client

    return start


def report(client: ExporterClient) -> SensorReport:
    """The sensor's own."""
    (found,) = (sensor for sensor in client.sensors().sensors if sensor.name == "nvml")
    return found


def series(client: ExporterClient, device: str = BOARD) -> EnergySeries:
    """What ``GET /sensors`` says of a board's energy."""
    (found,) = (one for one in client.sensors().energy if one.device == device)
    return found


def samples(client: ExporterClient, measurement: str, device: str = BOARD) -> list[Sample]:
    """All samples of one board, oldest first."""
    found = [
        sample
        for sample in decode_lines(client.samples().text)
        if sample.measurement == measurement and dict(sample.tags).get("device") == device
    ]
    return sorted(found, key=lambda sample: sample.time_ns)


def watch(client: ExporterClient, seconds: float) -> None:
    """Sample closely for a while."""
    client.arm(seconds + 5)
    time.sleep(seconds)


def ratio(client: ExporterClient, stub: Stub, skip_seconds: float = 0.0) -> float:
    """Measured over true energy, from the first sample after ``skip_seconds`` to the last."""
    energy = samples(client, "energy")
    start_ns = energy[0].time_ns + skip_seconds * 1e9
    first = next(sample for sample in energy if sample.time_ns >= start_ns)
    last = energy[-1]
    assert first.fields["epoch"] == last.fields["epoch"]
    offset_ns = client.sensors().offset_ns
    begin, end = ((s.time_ns - offset_ns) / 1e9 for s in (first, last))
    assert end - begin > 2
    measured: float = last.fields["joules"] - first.fields["joules"]
    true: float = stub.joules(end) - stub.joules(begin)
    return measured / true


@pytest.mark.parametrize("period_ms", [20, 100])
def test_energy_follows_the_hardware(gpu: Start, nvml_stub: Stub, period_ms: int) -> None:
    """T is found within 30 %, and the counter's energy is the truth within 2 %."""
    client = gpu(period_ms=period_ms)
    watch(client, 3.5)
    board = series(client)
    assert board.method is Method.COUNTER
    assert board.update_period_seconds == pytest.approx(period_ms / 1e3, rel=0.3)
    assert (board.limit_watts, board.coverage_ratio) == (400.0, 0.25)
    assert (board.label, board.note) == ("NVIDIA Stub", "")
    assert ratio(client, nvml_stub, 0.5) == pytest.approx(1, abs=0.02)


def test_integrates_without_a_counter(gpu: Start, nvml_stub: Stub) -> None:
    """A board without counter gets its energy from instant power, and says so.

    Within 8 %: on a busy machine reads come late, and what happens between two is not seen.
    """
    client = gpu(counter=0)
    watch(client, 4.5)
    board = series(client)
    assert board.method is Method.INTEGRATED
    assert "no energy counter" in board.note
    assert ratio(client, nvml_stub, 0.5) == pytest.approx(1, abs=0.08)


def test_a_driver_without_field_values(gpu: Start, nvml_stub: Stub) -> None:
    """An older driver is asked by its older calls: a counter, and average power."""
    client = gpu(no_fields=1)
    watch(client, 3)
    assert series(client).method is Method.COUNTER
    assert "average over 1 s" in series(client).note
    assert ratio(client, nvml_stub, 0.5) == pytest.approx(1, abs=0.02)


def test_average_power_alone(gpu: Start, wait_until: Wait) -> None:
    """A board with average power only carries the averaging time and a note."""
    client = gpu(counter=0, average_only=1, architecture=7, major=9)
    wait_until(lambda: bool(client.sensors().energy))
    board = series(client)
    assert (board.method, board.averaging_seconds) == (Method.INTEGRATED, 1.0)
    assert "average over 1 s" in board.note
    assert "25 % assumed" in board.note


@pytest.mark.parametrize(("architecture", "major", "share"), [(5, 7, 0.5), (7, 8, 0.25)])
def test_what_the_chip_sees(
    gpu: Start, wait_until: Wait, architecture: int, major: int, share: float
) -> None:
    """Volta sees half the time, the A100 a quarter; neither averages its power over a second."""
    client = gpu(architecture=architecture, major=major, average_only=1, mig=architecture == 7)
    wait_until(lambda: bool(client.sensors().energy))
    board = series(client)
    assert board.coverage_ratio == share
    assert board.averaging_seconds == 0
    assert ("MIG" in board.note) == (architecture == 7)
    assert "average" not in board.note


def test_a_board_is_lost_and_comes_back(gpu: Start, nvml_stub: Stub, wait_until: Wait) -> None:
    """A lost board fails alone; it comes back in a new epoch."""
    client = gpu(boards=2)
    lost, other = "GPU-stub-1", BOARD
    wait_until(lambda: bool(samples(client, "energy", lost)))
    nvml_stub.set(lost=1)
    wait_until(lambda: series(client, lost).state is SensorState.FAILED)
    assert "GPU is lost" in series(client, lost).note
    assert report(client).state is SensorState.OK
    before = samples(client, "energy", lost)[-1]
    count = len(samples(client, "energy", other))
    wait_until(lambda: len(samples(client, "energy", other)) > count + 12)
    assert samples(client, "energy", lost)[-1] == before
    nvml_stub.set(lost=-1)
    wait_until(lambda: samples(client, "energy", lost)[-1].fields["epoch"] > before.fields["epoch"])
    assert series(client, lost).state is SensorState.OK
    assert len({sample.fields["epoch"] for sample in samples(client, "energy", other)}) == 1


def test_without_any_board_the_sensor_fails(gpu: Start, nvml_stub: Stub, wait_until: Wait) -> None:
    """When its last board is lost the sensor has failed, until the board is back."""
    client = gpu()
    wait_until(lambda: bool(samples(client, "energy")))
    nvml_stub.set(lost=0)
    wait_until(lambda: report(client).state is SensorState.FAILED)
    assert "GPU is lost" in report(client).reason
    nvml_stub.set(lost=-1)
    wait_until(lambda: report(client).state is SensorState.OK)


def test_sentinels_never_appear(gpu: Start, nvml_stub: Stub, wait_until: Wait) -> None:
    """Values that mean "no value" are left out of every field, and energy goes on after them."""
    client = gpu(reasons=0x80)
    wait_until(lambda: len(samples(client, "gpu")) > 1)
    nvml_stub.set(sentinel=1)
    time.sleep(1.5)
    count = len(samples(client, "gpu"))
    nvml_stub.set(sentinel=0)
    wait_until(lambda: len(samples(client, "gpu")) > count + 1)
    for sample in samples(client, "gpu"):
        for name, value in expected_gpu_fields().items():
            assert sample.fields.get(name, value) == value
        assert 0 <= sample.fields["throttled_power_brake_seconds"] < 60
    assert {59 < s.fields["watts"] < 301 for s in samples(client, "power")} == {True}
    energy = samples(client, "energy")
    assert energy[-1].fields["joules"] < 300 * 60
    assert samples(client, "gpu")[-1].fields.keys() >= expected_gpu_fields().keys()


def expected_gpu_fields() -> dict[str, float]:
    """What the stub answers, in base units."""
    return {
        "utilization_ratio": 0.75, "memory_used_bytes": 2.0**30, "memory_total_bytes": 2.0**31,
        "temperature_celsius": 45, "sm_clock_hertz": 1.5e9, "memory_clock_hertz": 2.6e9,
        "power_limit_watts": 400, "processes": 0,
    }  # fmt: skip


def test_throttled_time_grows(gpu: Start, nvml_stub: Stub, wait_until: Wait) -> None:
    """Each reason's seconds grow while its bit is set, and only then."""
    client = gpu(reasons=0x4 | 0x20)
    wait_until(lambda: bool(found := samples(client, "gpu")) and seconds(found[-1]) > 1.9)
    first, *_, last = samples(client, "gpu")
    span = (last.time_ns - first.time_ns) / 1e9
    assert seconds(last) - seconds(first) == pytest.approx(span, abs=0.3)
    assert last.fields["throttled_power_cap_seconds"] == seconds(last)
    assert last.fields["throttled_hw_thermal_seconds"] == 0
    assert dict(last.tags)["gpu"] == "0"
    assert dict(last.tags)["model"] == "NVIDIA Stub"
    nvml_stub.set(reasons=0)
    count = len(samples(client, "gpu"))
    wait_until(lambda: len(samples(client, "gpu")) > count + 2)
    after = samples(client, "gpu")
    assert seconds(after[-1]) == seconds(after[-2])


def seconds(sample: Sample) -> float:
    """Held down by software for heat."""
    value: float = sample.fields["throttled_sw_thermal_seconds"]
    return value


def test_a_counter_at_zero(gpu: Start, wait_until: Wait) -> None:
    """A counter that reads 0 counts nothing: where there is power it is integrated instead."""
    client = gpu(counter=2)
    wait_until(lambda: bool(samples(client, "energy")))
    assert series(client).method is Method.INTEGRATED


def test_a_counter_that_stands_still(gpu: Start, wait_until: Wait) -> None:
    """T cannot be measured then: 0.1 s is assumed with a note, and no energy is reported."""
    client = gpu(period_ms=20e3)
    wait_until(lambda: bool(samples(client, "power")))
    assert series(client).update_period_seconds == 0.1
    assert "did not move" in series(client).note
    assert samples(client, "energy") == []


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"init": 9}, "not loaded"),
        ({"init": 4}, "may not be used"),
        ({"init": 12}, "cannot be loaded"),
        ({"boards": 0}, "finds no GPU"),
    ],
)
def test_absent(gpu: Start, knobs: dict[str, float], reason: str) -> None:
    """A driver that gives nothing makes the sensor absent, with the reason and a remedy."""
    found = report(gpu(**knobs))
    assert found.state is SensorState.ABSENT
    assert reason in found.reason
    assert found.remedy


def test_no_library(exporter: Start) -> None:
    """Without the driver's library the sensor is absent, and the remedy names the driver."""
    found = report(exporter("--without", "host", "--no-estimate").client)
    if found.state is SensorState.OK:
        pytest.skip("this machine has an NVIDIA driver")
    assert found.state is SensorState.ABSENT
    assert "driver" in found.remedy
