"""Collector → InfluxDB beside Prometheus: the same exporters, the same time, one after the other.

And a soak: many exporters for long, does memory stay flat?
"""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import influxd
from benchmarks.processes import NotRun, started, usage
from benchmarks.report import Goal, Row, Section
from benchmarks.simulated import PERIOD_NS, VALUES_PER_TICK

SETTLE_SECONDS: Final = 5.0
MEMORY_GOAL: Final = Goal(1.05)
SOAK_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What one side took: field values stored, CPU seconds, memory at the end."""

    values: int
    cpu_seconds: float
    resident_bytes: int
    seconds: float


def measure(exporters: int, seconds: float) -> Section:
    """Both sides for ``seconds`` each; per million values stored, which makes them comparable."""
    rows: list[Row] = []
    sides = {"collector and InfluxDB": _wattmark, "Prometheus": _prometheus}
    first: float | None = None
    for name, side in sides.items():
        try:
            taken = side(exporters, seconds)
        except NotRun as reason:
            rows.append(Row(name, "CPU-s per million values", None, note=str(reason)))
            continue
        cost = taken.cpu_seconds / taken.values * 1e6
        first = first or cost
        rows += [
            Row(name, "CPU-s per million values", cost, ratio=cost / first),
            Row(name, "values/s", taken.values / taken.seconds),
            Row(name, "MiB", taken.resident_bytes / 2**20),
        ]
    return Section(
        "From exporters into a database", rows, ratio_of="collector and InfluxDB",
        note=f"{exporters} simulated exporters, {seconds:g} s each, polled once a second. Wattmark"
        " stores every sample of 10 Hz, Prometheus the last of each second. CPU time of all"
        " processes of a side, the exporters' not among them.",
    )  # fmt: skip


def soak(exporters: int, seconds: float) -> Section:
    """Memory of collector and InfluxDB over the time."""
    with _pipeline(exporters) as (collector, server, address):
        started_at, cpu = time.monotonic(), usage(collector).cpu_seconds
        held = [usage(collector).resident_bytes]
        for step in range(1, SOAK_STEPS + 1):
            time.sleep(max(0.0, started_at + step * seconds / SOAK_STEPS - time.monotonic()))
            held.append(usage(collector).resident_bytes)
        cpu = usage(collector).cpu_seconds - cpu
        stored = _count(address)
        due = exporters * seconds * 1e9 / PERIOD_NS * VALUES_PER_TICK
        rows = [
            Row("collector's memory at the end ÷ at half-time", "",
                held[-1] / held[SOAK_STEPS // 2], MEMORY_GOAL,
                note="MiB at each tenth: " + " ".join(f"{size / 2**20:.0f}" for size in held)),
            Row("collector's memory, the most", "MiB", max(held) / 2**20),
            Row("collector", "CPU-s/min", cpu / seconds * 60),
            Row("values stored of those due in that time", "%", min(1.0, stored / due) * 100,
                Goal(99, least=True)),
            Row("InfluxDB's memory", "MiB", usage(server).resident_bytes / 2**20),
        ]  # fmt: skip
    return Section(
        "Many exporters for long", rows,
        note=f"{exporters} simulated exporters at 10 Hz for {seconds / 60:g} min.",
    )  # fmt: skip


def _wattmark(exporters: int, seconds: float) -> Taken:
    with _pipeline(exporters) as (collector, server, address):
        time.sleep(SETTLE_SECONDS)
        before, values = _seconds(collector, server), _count(address)
        time.sleep(seconds)
        values = _count(address) - values
        cpu = _seconds(collector, server) - before
        memory = sum(usage(pid).resident_bytes for pid in (collector, server))
    return Taken(values, cpu, memory, seconds)


def _prometheus(exporters: int, seconds: float) -> Taken:
    program = shutil.which("prometheus")
    if program is None:
        raise NotRun("prometheus is not installed: apt install prometheus")
    with _simulated(exporters) as ports, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "prometheus.yml"
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        config.write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: simulated\n"
            f"    static_configs: [{{targets: [{targets}]}}]\n", encoding="utf-8",
        )  # fmt: skip
        address = f"127.0.0.1:{influxd.free_port()}"
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={address}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            time.sleep(2 * SETTLE_SECONDS)
            before, values = _seconds(process.pid), _appended(address)
            time.sleep(seconds)
            values = _appended(address) - values
            cpu = _seconds(process.pid) - before
            memory = usage(process.pid).resident_bytes
        finally:
            process.terminate()
            process.wait()
    return Taken(values, cpu, memory, seconds)


@contextmanager
def _pipeline(exporters: int) -> Iterator[tuple[int, int, str]]:
    """Simulated exporters, a collector and InfluxDB: two pids and an address."""
    with (
        influxd.running() as (server, address),
        _simulated(exporters) as ports,
        tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder,
    ):
        targets = Path(folder) / "targets.yml"
        listed = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        targets.write_text(
            "scrape_configs:\n  - job_name: simulated\n    metrics_path: /samples\n"
            f"    static_configs: [{{targets: [{listed}]}}]\n", encoding="utf-8",
        )  # fmt: skip
        command = [
            sys.executable, "-m", "wattmark_collector", "--config", str(targets),
            "--store", f"influxdb://{address}", "--spool", f"{folder}/spool",
        ]  # fmt: skip
        with started(command) as (collector, _):
            yield collector.pid, server.pid, address


@contextmanager
def _simulated(exporters: int) -> Iterator[Sequence[str]]:
    command = [sys.executable, "-m", "benchmarks.simulated", str(exporters)]
    with started(command) as (_, ports):
        yield ports.split(",")


def _seconds(*pids: int) -> float:
    return sum(usage(pid).cpu_seconds for pid in pids)


def _count(address: str) -> int:
    """Field values in the database."""
    text = "SELECT count(*) FROM /^(energy|power)$/"
    answer = influxd.query(address, text, "telemetry").get("series", [])
    return sum(int(value or 0) for series in answer for value in series["values"][0][1:])


def _appended(address: str) -> int:
    """Samples that Prometheus has taken, by its own count."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10.0) as answer:
        text = answer.read().decode()
    name = "prometheus_tsdb_head_samples_appended_total"
    return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith(name))
