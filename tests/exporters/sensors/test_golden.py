"""Golden output: what the real program says of a fake machine.

``WATTMARK_REWRITE_GOLDEN=1`` writes the files again; look at the difference before you keep it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wattmark_core.exporter_api import ExporterClient, HostReport, SensorReport
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample

CASES = Path(__file__).parents[1] / "cases"
SENSORS = ("rapl", "host", "estimate")
HOST_MEASUREMENTS = ("cpu", "memory", "disk", "network")


@contextmanager
def exporter(case: Path) -> Iterator[ExporterClient]:
    """The program as a user starts it, on the machine of the case."""
    command = [
        sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0",
        "--host-name", "golden", "--sysfs", str(case / "sys"), "--procfs", str(case / "proc"),
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WATTMARK_")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        ready, _, url = process.stdout.readline().strip().partition(" ")
        try:
            assert ready == "READY"
            client = ExporterClient(url)
            yield client
            client.close()
        finally:
            process.terminate()


def samples_of(client: ExporterClient) -> list[Sample]:
    """Samples, as soon as energy and host have been read."""
    deadline = time.monotonic() + 30
    while True:
        samples = list(decode_lines(client.samples().text))
        if {"energy", "cpu"} <= {sample.measurement for sample in samples}:
            return samples
        assert time.monotonic() < deadline, "no samples within 30 s"
        time.sleep(0.05)


def describe(report: HostReport, samples: list[Sample], case: Path) -> str:
    """The parts of report and samples that do not depend on the time."""
    lines = [line for s in report.sensors if s.name in SENSORS for line in sensor_lines(s)]
    found = set()
    for sample in samples:
        tags = ",".join(f"{name}={value}" for name, value in sample.tags)
        if sample.measurement == "energy" and sample.tag["source"] in SENSORS:
            found.add(f"energy {tags} {','.join(sorted(sample.fields))}")
        elif sample.measurement in HOST_MEASUREMENTS:
            fields = ",".join(f"{name}={value}" for name, value in sample.fields.items())
            found.add(f"{sample.measurement} {tags} {fields}")
    return "\n".join([*lines, *sorted(found), ""]).replace(str(case), "ROOT")


def sensor_lines(sensor: SensorReport) -> Iterator[str]:
    """State of a sensor and what is known of its energy."""
    yield f"sensor {sensor.name}: {sensor.state} every {sensor.interval_seconds:g} s"
    if sensor.reason:
        yield f"  reason: {sensor.reason}"
        yield f"  remedy: {sensor.remedy}"
    for name, value in sensor.constants:
        yield f"  constant {name}: {value:g}"
    for energy in sensor.energy:
        limit = "none" if energy.limit_watts is None else f"{energy.limit_watts:g} W"
        yield (
            f"  {energy.domain} {energy.device}: {energy.method},"
            f" T {energy.update_period_seconds:g} s, limit {limit},"
            f" label {energy.label!r}, note {energy.note!r}"
        )


@pytest.mark.parametrize("name", ["xeon-e5-2680v4-two-sockets", "virtual-machine"])
def test_the_exporter_says_of_a_machine_what_the_golden_file_says(name: str) -> None:
    """States, reasons, remedies, energy series and host metrics, to the letter."""
    case = CASES / name
    with exporter(case) as client:
        samples = samples_of(client)
        text = describe(client.sensors(), samples, case)
    golden = case / "golden.txt"
    if os.environ.get("WATTMARK_REWRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
