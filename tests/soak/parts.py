"""The parts that the soak runs, each a process that can be killed, stopped and started again."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from tests.influxdb.local import Influxd, free_port

READY_SECONDS: Final = 60.0
HOST: Final = "soak"
WORKLOADS: Final = """\
[workloads.soak]
meaning = "sums, for the soak"
command = ["{python}", "{script}"]
models = ["a", "b", "c"]
"""


@dataclass(slots=True)
class Part:
    """One program. ``starts``: how often it was started."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[str] | None = None
    starts: int = 0

    def start(self) -> None:
        """Start it, and wait until it says READY. Raises ``RuntimeError``."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command], stdout=subprocess.PIPE, stderr=log,
                text=True, start_new_session=True, env={**os.environ, "WATTMARK_HOST": HOST},
            )  # fmt: skip
        self.starts += 1
        stdout = self.process.stdout
        ready = stdout is not None and select.select([stdout], [], [], READY_SECONDS)[0]
        if not ready or stdout is None or not stdout.readline().startswith("READY"):
            raise RuntimeError(f"{self.name} did not start; see {self.log}")

    def send(self, number: signal.Signals) -> None:
        """A signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait for it."""
        if self.process is None:
            return
        self.send(number)
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def about(self) -> psutil.Process | None:
        """Its process; None if it does not run."""
        return None if self.process is None else psutil.Process(self.process.pid)


@dataclass(slots=True)
class House:
    """All parts of the soak, their folders and addresses."""

    folder: Path
    influxd: Influxd
    exporter_url: str = ""
    collector_url: str = ""
    runner_url: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    outages: list[tuple[str, float, float]] = field(default_factory=list)
    """Name of a fault, and the CLOCK_BOOTTIME seconds from which to which it lasted."""

    @property
    def disk(self) -> Path:
        """The small disk: data of the runner, spool of the collector."""
        return self.folder / "disk"

    @property
    def spool(self) -> Path:
        """Where samples wait for the store."""
        return self.disk / "spool"

    def store(self, user: str) -> list[str]:
        """The options that open the store as ``user``."""
        return ["--store", self.influxd.url(user), "--store-password-file",
                str(self.influxd.password_file(user))]  # fmt: skip

    def make(self) -> None:
        """Write what the parts read, and start them all."""
        exporter, collector, runner = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.exporter_url, self.collector_url = f"http://{exporter}", f"http://{collector}"
        self.runner_url = f"http://{runner}"
        targets, workloads = self.folder / "targets.yml", self.folder / "workloads.toml"
        targets.write_text(
            "global: {scrape_interval: 2s}\n"
            "scrape_configs:\n"
            "  - job_name: wattmark\n"
            "    metrics_path: /samples\n"
            f"    static_configs: [{{targets: ['{exporter}']}}]\n"
        )
        script = Path(__file__).with_name("work.py")
        workloads.write_text(WORKLOADS.format(python=sys.executable, script=script))
        self._add("exporter", "wattmark_exporters", "--listen", exporter, "--without", "estimate",
                  "--sensor", "tests.soak.meter:Meter")  # fmt: skip
        self._add("collector", "wattmark_collector", "--config", str(targets), "--listen",
                  collector, "--spool", str(self.spool), *self.store("collector"))  # fmt: skip
        self._add("runner", "wattmark_runner", "--listen", runner, "--exporter",
                  self.exporter_url, "--data", str(self.disk / "data"), "--config",
                  str(workloads), *self.store("runner"))  # fmt: skip
        for part in self.parts.values():
            part.start()

    def each(self, do: Callable[[Part], None]) -> None:
        """With every part, the runner first."""
        for part in reversed(self.parts.values()):
            do(part)

    def _add(self, name: str, *command: str) -> None:
        self.parts[name] = Part(name, list(command), self.folder / f"{name}.log")
