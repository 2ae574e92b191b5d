"""An InfluxDB after recorded runs, and queries as Grafana sends them."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dashboards.grafana import Shown, expand
from wattmark_core.catalogue import CATALOGUE, Domain, Kind, Method
from wattmark_core.results import (
    ENERGY_SCORE,
    NETSCORE,
    Boundary,
    Check,
    Phase,
    Score,
    Verdict,
    Window,
)
from wattmark_core.sample import Sample, make_tags
from wattmark_store import ViewPoint, open_store

S = 1_000_000_000
DATABASES = {
    "datasource": "telemetry", "results": "results", "wattmark-telemetry": "telemetry",
}  # fmt: skip
VARIABLES = {
    "host:regex": "(h1|h2)", "place": "h1", "place:regex": "(h1|h1 GPU-12345678)",
    "reference": "h1", "workload": "w", "boundary": "host", "formula": ENERGY_SCORE,
    "run_id": "run0", "variant": "m",
}  # fmt: skip
RUNS = (
    (Method.COUNTER, Verdict.VALID), (Method.ESTIMATED, Verdict.WARNED),
    (Method.COUNTER, Verdict.INVALID),
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """A server with ten minutes of host h1 and four of its runs, up to ``end_ns``."""

    influxd: Any
    end_ns: int

    def expand(self, query: str, interval: str = "10s", seconds: int = 700, **chosen: str) -> str:
        """Macros and variables filled in; the time shown ends at ``end_ns``."""
        values = {**VARIABLES, **chosen}
        values |= {f"{name}:regex": value.replace("/", r"\/") for name, value in chosen.items()}
        end_ms = self.end_ns // 1_000_000
        return expand(query, Shown(end_ms - 1000 * seconds, end_ms, values), interval)

    def ask(
        self, source: str, query: str, interval: str = "10s", seconds: int = 700, **chosen: str
    ) -> Any:
        """The series of a query, asked by Grafana's read-only user."""
        database = DATABASES[source.strip("${}")]
        text = self.expand(query, interval, seconds, **chosen)
        return self.influxd.query(database, text, user="grafana").get("series", [])

    def shown(self, panel: Any, interval: str = "10s", seconds: int = 700) -> list[Any]:
        """The series that a panel shows, of all its queries."""
        return [
            series for target in panel["targets"]
            for series in self.ask(target["datasource"]["uid"], target["query"], interval, seconds)
        ]  # fmt: skip

    def write(self, samples: list[Sample]) -> None:
        """More samples, and what the collector makes of them."""
        store = open_store(self.influxd.url("admin"), self.influxd.password_file("admin"))
        store.write(samples)
        store.roll_up(self.end_ns + 20 * S)  # type: ignore[attr-defined]
        store.close()


@pytest.fixture(scope="module")
def recorded(influxd: Any) -> Iterator[Recorded]:
    """Ten minutes of one host: every metric of the catalogue, and all that is stored of runs: three
    on its CPU, and one on its GPU, of one network at twice the energy."""
    influxd.make_databases()
    end_ns = time.time_ns() // (60 * S) * 60 * S
    store = open_store(influxd.url("admin"), influxd.password_file("admin"))
    store.write(_samples(end_ns - 600 * S, end_ns))
    store.roll_up(end_ns + 20 * S)  # type: ignore[attr-defined]
    for run, (method, verdict) in enumerate(RUNS):
        _write_run(store, f"run{run}", end_ns - 500 * S + run * S, method, verdict)
    on_gpu = score("run3", "m", end_ns - 400 * S, value=0.75, joules_per_inference=18.0,
                   gpu="GPU-12345678-90ab")  # fmt: skip
    store.put_shown_score(on_gpu, extras(on_gpu.time_ns))  # type: ignore[attr-defined]
    store.show("isoline", {"workload": "w"}, list(_isolines()))  # type: ignore[attr-defined]
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
        if work:
            store.show("repeat", {"run_id": run, "phase": str(phase)},
                       [_repeat(run, n, phase, begin)])  # fmt: skip
        store.show("window_power", {"run_id": run, "window_id": f"{run}-{n}"},
                   list(_curve(run, n, phase, begin)))  # fmt: skip
    store.show("check", {"run_id": run}, list(_checks(run, start_ns)))
    check = Check("duration", verdict, 3.0, 10.0, "s", "length")
    value = None if verdict is Verdict.INVALID else 1.5
    for model in ("m", "n"):
        store.put_shown_score(
            score(run, model, start_ns, value=value, method=method, verdict=verdict,
                  checks=(check,)), extras(start_ns),
        )  # fmt: skip
        store.put_shown_score(Score(
            run, "h1", model, "w", Boundary.HOST, NETSCORE, start_ns, None, Verdict.VALID, 80.0,
            80.0, 80.0, accuracy=0.9,
        ), {**extras(start_ns), "score_text": "80"})  # fmt: skip


TEXTS: dict[str, str | int] = {
    "energy_text": "9.0 ± 0.1 J", "accuracy_text": "90.0 ± 1.9 %", "score_text": "1.5 (1.0–2.0)",
    "previous_text": "×1.02 (0.98–1.06): no difference seen", "previous_run_id": "run1",
    "findings": "every check passed", "main": 1,
}  # fmt: skip


def extras(time_ns: int) -> dict[str, str | int]:
    """``TEXTS``, and the time of a run of five windows that began at ``time_ns``."""
    start_ms = time_ns // 1_000_000
    return TEXTS | {"from_ms": start_ms - 13_500, "to_ms": start_ms + 283_500}


def score(run: str, model: str, time_ns: int, **more: Any) -> Score:
    """An energy score of workload w on h1; ``more``: what is unlike this one's."""
    variables = {
        "boundary": Boundary.HOST, "formula": ENERGY_SCORE, "method": Method.COUNTER,
        "verdict": Verdict.VALID, "value": 1.5, "low": 1.0, "high": 2.0, "population_low": 0.9,
        "population_high": 2.1, "accuracy": 0.9, "joules_per_inference": 9.0,
        "joules_per_inference_low": 8.9, "joules_per_inference_high": 9.1, "watts": 300.0,
        "inferences_per_second": 33.0, "test_images": 1000, "cpu_utilization_ratio": 0.5,
        "memory_used_bytes": 2e9, "gpu_utilization_ratio": 0.9, "gpu_memory_used_bytes": 3e9,
    }  # fmt: skip
    return Score(run, "h1", model, "w", time_ns=time_ns, **{**variables, **more})


def _checks(run: str, time_ns: int) -> Iterator[ViewPoint]:
    """One that passed, one that warns, one that failed, in the order of their names."""
    ranks = {"drift": 2, "foreign CPU": 1, "steady": 0}
    for (name, rank), verdict in zip(ranks.items(), ("valid", "warned", "invalid"), strict=True):
        tags = make_tags({"run_id": run, "host": "h1", "boundary": "host", "check": name})
        yield ViewPoint("check", tags, {
            "verdict": verdict, "rank": rank, "found": "0.90 cores", "allowed": "0.05 cores",
            "meaning": "Other programs used the CPUs.",
        }, time_ns)  # fmt: skip


def _repeat(run: str, n: int, phase: Phase, start_ns: int) -> ViewPoint:
    """The training is the outlier."""
    tags = make_tags({
        "run_id": run, "host": "h1", "model": "m", "workload": "w", "variant": "m", "place": "h1",
        "boundary": "host", "phase": str(phase),
    })  # fmt: skip
    fields: dict[str, float | int | str] = {
        "repeat": n, "joules_per_inference": 9.0, "energy_text": "9.0 ± 0.1 J",
        "deviation_ratio": 0.38 if phase is Phase.TRAINING else 0.0, "watts": 300.0,
        "seconds": 30.0, "inferences": 1000, "start_ms": start_ns // 1_000_000,
        "end_ms": start_ns // 1_000_000 + 30_000,
    }  # fmt: skip
    if phase is Phase.TRAINING:
        fields["outlier"] = "outlier: 38 % above the median"
    return ViewPoint("repeat", tags, fields, start_ns)


def _curve(run: str, n: int, phase: Phase, start_ns: int) -> Iterator[ViewPoint]:
    """300 W of the GPU and of the package, and 200 of its cores, each second of the window."""
    for domain, device, watts in (
        ("gpu", "GPU-12345678-90ab", 300.0),
        ("package", "socket0", 300.0),
        ("core", "socket0", 200.0),
    ):
        tags = make_tags({
            "run_id": run, "host": "h1", "window_id": f"{run}-{n}", "phase": str(phase),
            "domain": domain, "device": device, "method": "counter",
        })  # fmt: skip
        for second in range(31):
            fields = {"watts": watts, "seconds": float(second)}
            yield ViewPoint("window_power", tags, fields, start_ns + second * S)


def _isolines() -> Iterator[ViewPoint]:
    for energy, score_per_mwh in itertools.product(("measured", "estimated"), (1, 3)):
        tags = make_tags({"workload": "w", "boundary": "host", "energy": energy,
                          "line": f"{score_per_mwh} /mWh"})  # fmt: skip
        for n in range(12):
            accuracy = 0.85 + n / 110
            joules = 3.6 * accuracy**2 / score_per_mwh
            fields = {"joules_per_inference": joules, "accuracy": accuracy}
            yield ViewPoint("isoline", tags, fields, n)
