"""An InfluxDB after recorded runs, and queries as Grafana sends them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dashboards.grafana import Shown, expand
from wattmark_core.catalogue import CATALOGUE, Domain, Kind, Method
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_scoring.scores import ENERGY_SCORE, NETSCORE
from wattmark_store import open_store

S = 1_000_000_000
DATABASES = {
    "datasource": "telemetry", "datasource_1m": "telemetry_1m", "results": "results",
    "wattmark-telemetry": "telemetry",
}  # fmt: skip
VARIABLES = {
    "host:regex": "(h1|h2)", "place:raw": "h1", "place:regex": "(h1|h1 GPU-12345678)",
    "reference:raw": "h1", "workload:raw": "w",
    "boundary:raw": "host", "formula:raw": ENERGY_SCORE, "run_id:raw": "run0",
}  # fmt: skip
RUNS = (
    (Method.COUNTER, Verdict.VALID), (Method.ESTIMATED, Verdict.WARNED),
    (Method.COUNTER, Verdict.INVALID),
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """A server with ten minutes of host h1 and three of its runs, up to ``end_ns``."""

    influxd: Any
    end_ns: int

    def expand(self, query: str, interval: str, seconds: int = 700) -> str:
        """Macros and variables filled in; the time shown ends at ``end_ns``."""
        end_ms = self.end_ns // 1_000_000
        return expand(query, Shown(end_ms - 1000 * seconds, end_ms, VARIABLES), interval)

    def ask(self, source: str, query: str, interval: str = "", seconds: int = 700) -> Any:
        """The series of a query, asked by Grafana's read-only user."""
        database = DATABASES[source.strip("${}")]
        interval = interval or ("1m" if database == "telemetry_1m" else "10s")
        text = self.expand(query, interval, seconds)
        return self.influxd.query(database, text, user="grafana").get("series", [])

    def write(self, samples: list[Sample]) -> None:
        """More samples."""
        store = open_store(self.influxd.url("admin"), self.influxd.password_file("admin"))
        store.write(samples)
        store.close()


@pytest.fixture(scope="module")
def recorded(influxd: Any) -> Iterator[Recorded]:
    """Ten minutes of one host: every metric of the catalogue, windows and scores of three runs."""
    influxd.make_databases()
    end_ns = time.time_ns() // (60 * S) * 60 * S
    store = open_store(influxd.url("admin"), influxd.password_file("admin"))
    store.write(_samples(end_ns - 600 * S, end_ns))
    store.roll_up(end_ns)  # type: ignore[attr-defined]
    for run, (method, verdict) in enumerate(RUNS):
        _write_run(store, f"run{run}", end_ns - 500 * S + run * S, method, verdict)
    store.close()
    yield Recorded(influxd, end_ns)
    influxd.make_databases()


def _samples(start_ns: int, end_ns: int) -> Iterator[Sample]:
    """Counters grow by one a second, energy by 300; gauges are at one."""
    energy = {"host": "h1", "device": "GPU-1", "source": "nvml", "method": Method.COUNTER}
    epoch = start_ns // 1_000_000
    for time_ns in range(start_ns, end_ns, S):
        seconds = (time_ns - start_ns) / S
        fields = {"joules": 300.0 * seconds, "epoch": epoch, "uncertainty_seconds": 0.01}
        for domain in (Domain.GPU, Domain.PACKAGE):
            yield Sample("energy", make_tags({**energy, "domain": domain}), fields, time_ns)
        for metric in CATALOGUE:
            if metric.measurement == "energy":
                continue
            value = seconds if metric.kind is Kind.COUNTER else 1
            tags = make_tags({"host": "h1"} | {tag: f"{tag}1" for tag in metric.tags})
            yield Sample(metric.measurement, tags, {metric.field: value}, time_ns)


def _write_run(store: Any, run: str, start_ns: int, method: Method, verdict: Verdict) -> None:
    for n, phase in enumerate(Phase):
        begin = start_ns + n * 60 * S
        work = phase in {Phase.INFERENCE, Phase.TRAINING}
        store.put_window(Window(
            f"{run}-{n}", "h1", phase, begin, begin + 30 * S, model="m" if work else "",
            workload="w" if work else "", run_id=run, joules=9000.0, joules_low=8900.0,
            inferences=1000 if work else None, correct=900 if work else None, joules_high=9100.0,
            boundary=Boundary.HOST, method=method,
        ))  # fmt: skip
    check = Check("duration", verdict, 3.0, 10.0, "s", "length")
    value = None if verdict is Verdict.INVALID else 1.5
    for model in ("m", "n"):
        store.put_score(Score(
            run, "h1", model, "w", Boundary.HOST, ENERGY_SCORE, start_ns, method, verdict, value,
            1.0, 2.0, 0.9, 2.1, 0.9, 9.0, 8.9, 9.1, 300.0, 33.0, checks=(check,), test_images=1000,
            cpu_utilization_ratio=0.5, memory_used_bytes=2e9, gpu_utilization_ratio=0.9,
            gpu_memory_used_bytes=3e9,
        ))  # fmt: skip
        store.put_score(Score(
            run, "h1", model, "w", Boundary.HOST, NETSCORE, start_ns, None, Verdict.VALID, 80.0,
            80.0, 80.0, accuracy=0.9,
        ))  # fmt: skip
