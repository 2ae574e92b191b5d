"""The program ``wattmark-exporter``: start, refusals, end."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.exporter_api import ExporterClient, SamplesPage, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sources import pin

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]
STAT = "cpu  100 0 50 1000 5 0 0 0 0 0\ncpu0 100 0 50 1000 5 0 0 0 0 0\n"


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
    """Run a program that ends by itself: status and what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_exporters", *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd=cwd,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert "READY" not in done.stdout
    return done.returncode, done.stderr


def refused(status: int, *arguments: str, cwd: Path | None = None) -> str:
    """The one line with which the program refuses."""
    got, text = run(*arguments, cwd=cwd)
    assert got == status, text
    assert text.count("\n") == 1, text
    assert text.startswith("wattmark-exporter: ")
    return text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_on_signal(exporter: Start, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with status 0, after READY was its only line."""
    process = exporter().process
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert process.stdout.read() == ""


OPTIONED = """
from wattmark_core.catalogue import Domain
from wattmark_exporters import Power, Sensor, Traits
from wattmark_exporters.readings import Option


class Lamp(Sensor):
    name = "lamp"
    options = (Option("--lamp-watts", "its power", "W", float),)

    def __init__(self, watts):
        self._watts = watts

    @classmethod
    def make(cls, options):
        return cls(options.lamp_watts)

    def read(self):
        return [Power(Domain.PSYS, "lamp", self._watts, Traits(), integrate=True)]


class Greedy(Lamp):
    options = (Option("--listen", "where"),)
"""


def test_a_sensor_of_ones_own_has_its_options(
    exporter: Start, wait_until: Wait, tmp_path: Path
) -> None:
    """They stand beside the program's, in its help as well."""
    (tmp_path / "lamps.py").write_text(OPTIONED)
    client = exporter("--sensor", "lamps:Lamp", "--lamp-watts", "7.5").client
    wait_until(lambda: "watts=7.5" in client.samples().text)
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_exporters", "--sensor=lamps:Lamp", "--help"],
        capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert "--lamp-watts W" in done.stdout
    text = refused(2, "--sensor", "lamps:Greedy", cwd=tmp_path)
    assert "--listen is an option already" in text


def test_port_in_use() -> None:
    """A port in use is one line, and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"127.0.0.1:{port}" in refused(1, "--listen", f"127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["0.0.0.0:0", ":0", "[::]:0"])
def test_off_loopback(address: str) -> None:
    """Off loopback it refuses to listen without TLS and token."""
    assert "--insecure-network" in refused(2, "--listen", address)


def test_off_loopback_when_set(exporter: Start) -> None:
    """On a private network it listens when set so."""
    running = exporter("--listen", "0.0.0.0:0", "--insecure-network")
    assert running.url.startswith("http://0.0.0.0:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "nonsense"], "HOST:PORT"),
        (["--host-name", os.fsdecode(b"caf\xe9")], "is not UTF-8"),
        (["--listen", "127.0.0.1:99999"], "HOST:PORT"),
        (["--without", "nothing"], "no such sensor; there are"),
        (["--sensor", "nonsense"], "package.module:Class"),
        (["--sensor", "no_such_module:X"], "no_such_module"),
        (["--sensor", "json:NoSuchClass"], "NoSuchClass"),
        (["--sensor", "json:JSONDecoder"], "not a subclass"),
        (["--sensor", "wattmark_exporters:Sensor"], "abstract"),
        (["--token-file", "missing"], "missing"),
        (["--tls-cert", "missing"], "missing"),
        (["--tls-key", "missing"], "--tls-cert"),
        (["--tdp-watts", "-3"], "TDP"),
    ],
)
def test_bad_options(tmp_path: Path, arguments: list[str], words: str) -> None:
    """What was asked for and cannot be gets one clear line and status 2."""
    assert words in refused(2, *arguments, cwd=tmp_path)


def test_two_sensors_of_one_name(tmp_path: Path) -> None:
    """Two sensors may not share a name: their samples would be one series."""
    (tmp_path / "mine.py").write_text(
        "from wattmark_exporters import Sensor\n"
        "class Mine(Sensor):\n    name = 'rapl'\n    def read(self):\n        return ()\n"
    )
    assert "'rapl'" in refused(2, "--sensor", "mine:Mine", cwd=tmp_path)


def test_help() -> None:
    """``--help`` shows an example."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_exporters", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "example:" in done.stdout
    assert "wattmark-exporter --listen" in done.stdout


def test_estimate_where_nothing_measures(exporter: Start, tmp_path: Path, wait_until: Wait) -> None:
    """Without a sensor of package energy the estimate stands in, with its constants."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    client = exporter("--tdp-watts", "15").client
    wait_until(lambda: "method=estimated" in client.samples().text)
    estimate = next(s for s in client.sensors().sensors if s.name == "estimate")
    assert estimate.state is SensorState.OK
    assert dict(estimate.constants)["tdp_watts"] == 15.0


def test_estimate_where_a_counter_stands_at_zero(exporter: Start, tmp_path: Path) -> None:
    """A RAPL zone of a virtual machine gives no energy: by the time that the exporter is ready the
    estimate counts in its place, and the report says so."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    for name, text in (
        ("name", "package-0"), ("energy_uj", "0"), ("max_energy_range_uj", "262143328850"),
    ):  # fmt: skip
        (zone / name).write_text(f"{text}\n")
    report = exporter().client.sensors()
    sensors = {sensor.name: sensor for sensor in report.sensors}
    assert sensors["estimate"].state is SensorState.OK
    assert [series.moving for series in sensors["rapl"].energy] == [False]
    assert sensors["rapl"].note == (
        "package socket0 stands still at 0 J; the estimate counts in its place"
    )
    assert [series.source for series in pin(report.energy)] == ["estimate"]


@pytest.mark.parametrize("option", [["--no-estimate"], ["--without", "estimate"]])
def test_estimate_switched_off(exporter: Start, tmp_path: Path, option: list[str]) -> None:
    """The estimate can be switched off; then there is no energy rather than a guess."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    client = exporter(*option).client
    assert "estimate" not in {sensor.name for sensor in client.sensors().sensors}
    assert not client.sensors().energy


def test_environment(tmp_path: Path) -> None:
    """Host name and roots may come from the environment; options go before it."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    (tmp_path / "sys").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "WATTMARK_HOST": "from-env", "WATTMARK_PROCFS": str(tmp_path / "proc"),
             "WATTMARK_SYSFS": str(tmp_path / "sys")},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        client = ExporterClient(process.stdout.readline().split()[1])
        cpu = next(
            sample for sample in decode_lines(client.samples().text) if sample.measurement == "cpu"
        )
        client.close()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert cpu.tag["host"] == "from-env"
    assert cpu.fields["busy_seconds"] == 1.5


def _first_energy(client: ExporterClient, wait_until: Wait) -> SamplesPage:
    wait_until(lambda: "energy," in client.samples().text)
    return client.samples()


def test_restart_is_a_new_epoch(exporter: Start, tmp_path: Path, wait_until: Wait) -> None:
    """After a SIGKILL the next exporter is another instance and opens another epoch."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    epochs, instances = set(), set()
    for _ in range(2):
        running = exporter()
        page = _first_energy(running.client, wait_until)
        instances.add(page.cursor.partition(":")[0])
        epochs |= {
            sample.fields["epoch"]
            for sample in decode_lines(page.text)
            if sample.measurement == "energy"
        }
        running.process.kill()
        running.process.wait()
    assert len(epochs) == len(instances) == 2


def test_package_energy_after_a_bad_first_read(
    exporter: Start, tmp_path: Path, wait_until: Wait
) -> None:
    """A meter whose very first read fails still keeps the estimate out."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    (tmp_path / "slow.py").write_text(
        "from wattmark_core.catalogue import Domain\n"
        "from wattmark_exporters import Counter, Sensor, Traits\n"
        "T = Traits()\n"
        "class Slow(Sensor):\n"
        "    name = 'slow'\n"
        "    reads = 0\n"
        "    def read(self):\n"
        "        self.reads += 1\n"
        "        if self.reads == 1:\n"
        "            raise OSError('not yet')\n"
        "        return [Counter(Domain.PACKAGE, 'p', float(self.reads), T)]\n"
    )
    client = exporter("--sensor", "slow:Slow").client
    states = {sensor.name: sensor.state for sensor in client.sensors().sensors}
    assert states["estimate"] is SensorState.ABSENT
    wait_until(lambda: "source=slow" in client.samples().text)
