"""What a line costs the collector, from an exporter's answer into the store, beside the version
before it."""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.before import COMMIT, before, today
from benchmarks.feeder import ask
from benchmarks.processes import NotRun, started, usage
from benchmarks.report import Goal, Row, Section

GOALS: Final = {"InfluxDB": Goal(4.0, least=True), "SQLite": Goal(2.0, least=True)}
MOST_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.05


def measure(pages: int, rounds: int) -> Section:
    """``rounds`` of each version and store, interleaved; the median of lines a CPU second."""
    rates: dict[tuple[str, str], list[float]] = {}
    with before() as old:
        versions = {COMMIT: old, "today": today()}
        for _ in range(rounds):
            for store in GOALS:
                for version, environment in versions.items():
                    rate = _rate(environment, store, pages)
                    rates.setdefault((store, version), []).append(rate)
    rows = []
    for store, goal in GOALS.items():
        first, now = (median(rates[store, version]) for version in (COMMIT, "today"))
        rows += [
            Row(f"to {store}, {COMMIT}", "lines/s a core", first),
            Row(f"to {store}, today", "lines/s a core", now),
            Row(f"to {store}, × as fast as {COMMIT}", "", now / first, goal),
        ]
    return Section(
        "The way of a sample", rows,
        note=f"Median of {rounds} rounds, interleaved, of {pages} pages of 4,450 lines, one a"
        " poll, as after an outage. CPU time of the collector's process alone; InfluxDB is a server"
        " that takes lines and keeps none.",
    )  # fmt: skip


def _rate(environment: Mapping[str, str], store: str, pages: int) -> float:
    """Lines a CPU second of a collector that catches up with one exporter."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wattmark-bench-")))
        feeder = [sys.executable, "-m", "benchmarks.feeder"]
        _, exporter = stack.enter_context(started([*feeder, "exporter"], environment=today()))
        _, sink = stack.enter_context(started([*feeder, "sink"], environment=today()))
        config = folder / "targets.yml"
        config.write_text(
            "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
            "scrape_configs:\n  - job_name: bench\n    metrics_path: /samples\n"
            f'    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]\n', encoding="utf-8",
        )  # fmt: skip
        command = [sys.executable, "-m", "wattmark_collector", "--config", str(config), "--store"]
        if store == "SQLite":
            command.append(f"sqlite:///{folder}/store.sqlite")
            taken = lambda: _rows(folder / "store.sqlite")  # noqa: E731
        else:
            command += [f"influxdb://127.0.0.1:{sink}", "--spool", f"{folder}/spool"]
            taken = lambda: ask(sink, "/taken")  # noqa: E731
        collector, _ = stack.enter_context(started(command, environment=environment))
        seconds = usage(collector.pid).cpu_seconds
        lines = ask(exporter, f"/go?pages={pages}")
        _await(taken, lines)
        return lines / (usage(collector.pid).cpu_seconds - seconds)


def _rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND sql LIKE '%time_ns%'"
        )]  # fmt: skip
        return sum(
            connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for name in tables
            if name not in {"target", "collector", "score"} and not name.endswith("_1m")
        )


def _await(taken: Callable[[], int], lines: int) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while taken() < lines:
        if time.monotonic() > deadline:
            raise NotRun(f"of {lines} lines {taken()} came within {MOST_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
