"""What several rooms share: an NVML library without a GPU, made from C; a running service."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.influxdb.local import running
from tests.influxdb.remote import connected
from tests.influxdb.servers import KINDS, REAL, Influxdb27, Server, server_of
from tests.side_by_side import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)

__all__ = [
    "pytest_addoption", "pytest_collection_modifyitems", "pytest_xdist_make_scheduler",
]  # fmt: skip

SOURCE = Path(__file__).parent / "exporters/nvml/nvml_stub.c"
LOW_WATTS, HIGH_WATTS, HALF_SECONDS = 60.0, 300.0, 0.3


class NvmlStub:
    """Hardware under a test's control: ``env`` for the program that is to see it."""

    def __init__(self, library: Path, knobs: Path) -> None:
        paths = [str(library.parent), os.environ.get("LD_LIBRARY_PATH", "")]
        self.env = {
            "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
            "WATTMARK_NVML_STUB": str(knobs),
        }
        self._file = knobs
        self._knobs: dict[str, float] = {}
        self.set()

    def set(self, **knobs: float) -> None:
        """Change knobs, named at the top of the C source; a running program sees it at once."""
        self._knobs.update(knobs)
        text = "".join(f"{name} {float(value)}\n" for name, value in self._knobs.items())
        new = self._file.with_suffix(".new")
        new.write_text(text)
        new.replace(self._file)

    @staticmethod
    def joules(seconds: float) -> float:
        """Energy of board 0 from boot to ``seconds`` of CLOCK_BOOTTIME; board i draws i + 1 times
        as much."""
        cycles, rest = divmod(seconds, 2 * HALF_SECONDS)
        low = min(rest, HALF_SECONDS)
        return cycles * (LOW_WATTS + HIGH_WATTS) * HALF_SECONDS + (
            low * LOW_WATTS + (rest - low) * HIGH_WATTS
        )


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub, compiled."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.fail("gcc is missing: the NVML tests compile a stub; apt-get install gcc libc6-dev")
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    subprocess.run([gcc, "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library


@pytest.fixture
def nvml_stub(nvml_library: Path, tmp_path: Path) -> NvmlStub:
    """One board: 60 W and 300 W in turns of 0.3 s, counter every 20 ms, limit 400 W."""
    return NvmlStub(nvml_library, tmp_path / "nvml-stub")


QUICK = """\
import json, os, sys, time

def report(**event):
    print(json.dumps(event), flush=True)

how = sys.argv[1]
print("a line for the log", flush=True)
if how == "fails":
    sys.exit("the workload's own reason")
for repeat in range(int(os.environ["WATTMARK_REPEATS"])):
    report(event="start")
    end = time.monotonic() + float(os.environ["WATTMARK_SECONDS"])
    done = 0
    while time.monotonic() < end:
        sum(range(10_000))
        done += 1
        if how == "idle":
            time.sleep(0.01)
    report(event="end", inferences=10 * done, correct=9 * done)
"""
WORKLOADS = """\
[workloads.quick]
meaning = "sums, for tests"
command = [{python}, {script}, "{{how}}"]
models = ["steady", "other", '<b>&"']

[workloads.quick.parameters.how]
type = "string"
default = "busy"
choices = ["busy", "idle", "fails"]
meaning = "how hard it works"

[workloads.digits]
builtin = "digits"

[scores]
"accuracy-per-joule" = "accuracy / energy_joules_per_inference"
"""
QUICK_RUN = {
    "workload": "quick", "model": "steady", "repeats": 2, "seconds": 1.0,
    "idle_before_seconds": 1.0, "idle_after_seconds": 1.0,
}  # fmt: skip


class Rooms:
    """Exporter, collector and runner as processes of their own, on a folder ``data``.

    ``url``: the runner's. ``quick``: the body of a run that takes some seconds.
    """

    def __init__(self, data: Path, host: str = "testhost") -> None:
        self.data = data
        self.host = host
        self.quick = dict(QUICK_RUN)
        self.config = data / "workloads.toml"
        script = data / "quick.py"
        script.write_text(QUICK)
        self.config.write_text(
            WORKLOADS.format(python=_toml(sys.executable), script=_toml(str(script)))
        )
        self.store_url = f"sqlite:///{data / 'store.sqlite'}"
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.exporter_url = self.start("wattmark_exporters", "--listen", "127.0.0.1:0")
        self.start_collector()
        self.url = self.start_runner()

    def start(self, module: str, *options: str) -> str:
        """Start a room; what it says after READY. Its output is in ``data``."""
        with (self.data / f"{module}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *options], stdout=subprocess.PIPE, stderr=log,
                text=True, start_new_session=True,
                env={**os.environ, "WATTMARK_HOST": self.host},
            )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("READY"):
            process.communicate()
            raise AssertionError((self.data / f"{module}.log").read_text())
        self.processes[module] = process
        return line.removeprefix("READY").strip()

    def start_collector(self) -> None:
        """Start a collector that polls the exporter."""
        targets = self.data / "targets.yml"
        address = self.exporter_url.removeprefix("http://")
        targets.write_text(
            "scrape_configs:\n"
            "  - job_name: wattmark\n"
            "    metrics_path: /samples\n"
            f"    static_configs: [{{targets: ['{address}']}}]\n"
        )
        self.start("wattmark_collector", "--config", str(targets), "--store", self.store_url)

    def start_runner(self, *options: str, listen: str = "127.0.0.1:0") -> str:
        """Start the runner; its URL."""
        self.url = self.start(
            "wattmark_runner", "--listen", listen, "--exporter", self.exporter_url,
            "--store", self.store_url, "--data", str(self.data), "--config", str(self.config),
            "--cache", str(self.data / "cache"), *options,
        )  # fmt: skip
        return self.url

    def end(self, module: str, *, kill: bool = False) -> int:
        """End a room and wait for it; its exit status."""
        process = self.processes.pop(module)
        (process.kill if kill else process.terminate)()
        status = process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
        return status

    def end_all(self) -> None:
        """End every room, the runner first."""
        for module in reversed(list(self.processes)):
            self.end(module)


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    """A running service that all tests share: none stops it, and others' runs may be in it."""
    rooms = Rooms(tmp_path_factory.mktemp("service"))
    time.sleep(2.0)  # so much is measured already: tests post windows that begin 2 s ago
    yield rooms
    rooms.end_all()


@pytest.fixture
def make_rooms(tmp_path: Path) -> Iterator[Callable[..., Rooms]]:
    """Rooms of a test's own, which it may kill."""
    with ExitStack() as stack:

        def make(host: str = "testhost") -> Rooms:
            folder = tmp_path / "rooms"
            folder.mkdir()
            rooms = Rooms(folder, host)
            stack.callback(rooms.end_all)
            return rooms

        yield make


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running InfluxDB with users: Debian's 1.6, or the one that is named. ``influx`` has empty
    databases."""
    folder = tmp_path_factory.mktemp("influxd")
    if REAL:
        with connected(REAL, folder) as server:
            yield server
    else:
        yield from running(folder)


@pytest.fixture
def influx(influxd: Server) -> Server:
    """The running InfluxDB, its databases empty."""
    influxd.make_databases()
    return influxd


@pytest.fixture(scope="session")
def influxdb27(influxd: Server) -> Iterator[Influxdb27]:
    """The stand-in for InfluxDB 2.7, before that one."""
    server = Influxdb27(influxd)
    yield server
    server.close()


@pytest.fixture(params=KINDS)
def each_influx(request: pytest.FixtureRequest) -> Server:
    """Each InfluxDB in turn, its databases empty."""
    server = server_of(request)
    server.make_databases()
    return server
