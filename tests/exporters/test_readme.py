"""The README's promises, tried on the real program."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wattmark_core.catalogue import CATALOGUE, Metric
from wattmark_core.exporter_api import SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_exporters.sensors.rapl.absent import UDEV_RULE

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]
README = (Path(__file__).parents[2] / "exporters/README.md").read_text()


def example() -> tuple[str, str]:
    """Name and text of the README's sensor."""
    match = re.search(r"`(\w+)\.py`:\n```python\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return match[1], match[2]


def test_sensor_of_the_readme(exporter: Start, tmp_path: Path, wait_until: Wait) -> None:
    """The README's sensor is under 20 lines, and its energy comes out of the real exporter."""
    module, text = example()
    assert len([line for line in text.splitlines() if line.strip()]) < 20
    option = re.search(r"^wattmark-exporter (--sensor \w+:\w+)$", README, re.MULTILINE)
    assert option is not None
    (tmp_path / f"{module}.py").write_text(text)
    (tmp_path / "plug_watts.txt").write_text("42.5\n")
    client = exporter(*option[1].split()).client
    wait_until(lambda: client.samples().text.count("\nenergy,") >= 5)
    energy = [s for s in decode_lines(client.samples().text) if s.measurement == "energy"]
    first, last = energy[0], energy[-1]
    joules = last.fields["joules"] - first.fields["joules"]
    seconds = (last.time_ns - first.time_ns) / 1e9
    assert abs(joules - 42.5 * seconds) < 1e-6
    assert first.tag == {
        "host": "test-host", "domain": "psys", "device": "wall", "source": "plug",
        "method": "integrated",
    }  # fmt: skip


def test_sensor_of_the_readme_without_its_meter(exporter: Start, tmp_path: Path) -> None:
    """Without its file the README's sensor is absent and says what to do."""
    module, text = example()
    (tmp_path / f"{module}.py").write_text(text)
    report = exporter("--sensor", f"{module}:Plug").client.sensors()
    plug = next(sensor for sensor in report.sensors if sensor.name == "plug")
    assert plug.state is SensorState.ABSENT
    assert "driver" in plug.remedy


def row(metric: Metric) -> str:
    """How the README lists a metric."""
    return (
        f"| `{metric.name}` | {metric.kind} | {metric.unit} |"
        f" `{metric.measurement}.{metric.field}` | {', '.join(metric.tags)} | {metric.meaning} |"
    )


def test_metrics_are_the_catalogue() -> None:
    """The README lists exactly the catalogue's metrics that an exporter gives."""
    rows = [line for line in README.splitlines() if line.startswith("| `wattmark_")]
    others = {"target", "collector"}
    assert rows == [row(metric) for metric in CATALOGUE if metric.measurement not in others]


def test_options_are_all_there() -> None:
    """The README names every option of the program, and no other."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_exporters", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", done.stdout)) - {"--help"}
    table = "\n".join(line for line in README.splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == options


def test_udev_rule() -> None:
    """The README's udev rule is the one that the sensor recommends."""
    assert UDEV_RULE in README
