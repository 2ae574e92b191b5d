"""A driver that does not return from its calls, at the start and later, in the real exporter."""

import os
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.exporter_api import ExporterClient, SensorReport, SensorState
from wattmark_core.line_protocol import decode_lines

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]


class Driver:
    """The stub reads its knobs at each call: from a pipe that nobody writes to, for ever."""

    def __init__(self, knobs: Path) -> None:
        self._knobs = knobs
        self._pipe = knobs.with_suffix(".pipe")

    def hang(self) -> None:
        """Let no call return from now on."""
        os.mkfifo(self._pipe)
        self._pipe.replace(self._knobs)

    def go_on(self) -> None:
        """Let all calls return."""
        self._knobs.rename(self._pipe)
        self._knobs.write_text("")
        os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))
        self._pipe.unlink()


def sensor(client: ExporterClient, name: str) -> SensorReport:
    """One sensor's report."""
    return next(sensor for sensor in client.sensors().sensors if sensor.name == name)


def test_a_driver_that_hangs_takes_nothing_else_along(
    exporter: Start, nvml_stub: Any, tmp_path: Path, wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """In ``nvmlInit``: the exporter is ready all the same and names the sensor, which joins when
    the call returns. In a read: RAPL has no gap, all questions are answered, and the board goes on
    in another epoch."""
    for name, value in nvml_stub.env.items():
        monkeypatch.setenv(name, value)
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    for name, text in (
        ("name", "package-0"), ("energy_uj", "5000000"), ("max_energy_range_uj", "262143328850"),
    ):  # fmt: skip
        (zone / name).write_text(f"{text}\n")
    driver = Driver(Path(nvml_stub.env["WATTMARK_NVML_STUB"]))
    driver.hang()
    began = time.monotonic()
    client = exporter("--without", "host", "--no-estimate").client
    assert time.monotonic() - began < 15.0
    assert sensor(client, "nvml").state is SensorState.FAILED
    assert sensor(client, "nvml").reason.startswith("nvml has not returned from its start for ")
    assert sensor(client, "rapl").state is SensorState.OK
    driver.go_on()

    def epochs(source: str) -> set[object]:
        samples = decode_lines(client.samples().text)
        return {
            s.fields["epoch"] for s in samples
            if s.measurement == "energy" and s.tag["source"] == source
        }  # fmt: skip

    wait_until(lambda: len(epochs("nvml")) == 1)
    assert sensor(client, "nvml").state is SensorState.OK

    driver.hang()
    wait_until(lambda: sensor(client, "nvml").state is SensorState.FAILED)
    assert sensor(client, "nvml").reason.startswith("nvml has not returned from a read for ")
    began = time.monotonic()
    client.sample_now()
    client.arm(1, lease="x")
    client.arm(0, lease="x")
    client.samples()
    assert time.monotonic() - began < 1.0
    driver.go_on()
    wait_until(lambda: sensor(client, "nvml").state is SensorState.OK)

    wait_until(lambda: len(epochs("nvml")) == 2)
    assert len(epochs("rapl")) == 1
    times = [
        s.time_ns for s in decode_lines(client.samples().text)
        if s.measurement == "energy" and s.tag["source"] == "rapl"
    ]  # fmt: skip
    assert max(b - a for a, b in pairwise(times)) < 1e9
