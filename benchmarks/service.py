"""What the runner's REST calls take: scores over many runs, windows from many clients."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from benchmarks.processes import started
from benchmarks.report import Goal, Row, Section
from wattmark_client import Client
from wattmark_core.catalogue import Method
from wattmark_core.results import ENERGY_SCORE, Boundary, Check, Score, Verdict
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState

SCORES_GOAL: Final = Goal(50.0)
OPEN_GOAL: Final = Goal(5.0)
ERRORS_GOAL: Final = Goal(0.0)
CLIENTS: Final = 20
CHECKS: Final = 21
"""As many as a run of ours has."""


def measure(runs: int, windows: int, repeats: int) -> Section:
    """Calls over ``runs`` runs; ``windows`` of 20 clients at once; medians of
    ``repeats`` calls."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as name:
        folder = Path(name)
        _fill(RunDatabase(folder / "runner.sqlite"), runs)
        with _rooms(folder) as url:
            scores, ranking = _time_calls(url, repeats)
            opening = _time_opening(url, repeats)
            errors, seconds = _crowd(url, windows)
    rows = [
        Row("GET /scores, median", "ms", scores, SCORES_GOAL),
        Row("GET /ranking, median", "ms", ranking),
        Row("opening a window over HTTP, median", "ms", opening, OPEN_GOAL),
        Row("errors of windows posted by 20 clients", "", errors, ERRORS_GOAL),
        Row("windows posted by 20 clients", "/s", windows / seconds),
    ]
    note = (
        f"{runs:,} runs in the database, {repeats} calls over one kept connection, one page of 100"
        f" scores; {windows:,} windows, each opened and closed, with their runs scored meanwhile."
    )
    return Section("The runner's calls", rows, note=note)


def _fill(database: RunDatabase, runs: int) -> None:
    check = Check("exclusive", Verdict.VALID, 0.0, 0.0, "", "no other window shares its time")
    blank = Score(
        "", "host", "", "digits", Boundary.CPU, ENERGY_SCORE, 0, Method.COUNTER, Verdict.VALID,
        1.0, 0.9, 1.1, accuracy=0.9, joules_per_inference=0.001, checks=(check,) * CHECKS,
    )  # fmt: skip
    for number in range(runs):
        run_id, model = f"run-{number}", f"model-{number % 50}"
        score = replace(blank, run_id=run_id, model=model, time_ns=number)
        others = [replace(score, formula=name) for name in ("netscore", "accuracy/parameters")]
        database.save(
            RunRecord(
                run_id, RunRequest("digits", model), RunState.DONE, "host", "boot", "instance", 0,
                number, scores=(score, *others), checks=score.checks,
            )
        )  # fmt: skip
    database.close()


@contextmanager
def _rooms(folder: Path) -> Iterator[str]:
    """Exporter, collector and runner; the runner's URL."""
    store = f"sqlite:///{folder / 'store.sqlite'}"
    python = [sys.executable, "-m"]
    with started([*python, "wattmark_exporters", "--listen", "127.0.0.1:0"]) as (_, exporter):
        targets = folder / "targets.yml"
        targets.write_text(
            "scrape_configs:\n"
            "  - job_name: wattmark\n"
            "    metrics_path: /samples\n"
            f"    static_configs: [{{targets: ['{exporter.removeprefix('http://')}']}}]\n"
        )
        collector = [*python, "wattmark_collector", "--config", str(targets), "--store", store]
        runner = [*python, "wattmark_runner", "--listen", "127.0.0.1:0", "--exporter", exporter,
                  "--store", store, "--data", str(folder)]  # fmt: skip
        with started(collector), started(runner) as (_, url):
            yield url


def _time_calls(url: str, repeats: int) -> tuple[float, float]:
    """Milliseconds of a call for scores and for the ranking."""
    taken: dict[str, list[float]] = {"/scores": [], "/ranking": []}
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60.0) as http:
        for _ in range(repeats):
            for path, times in taken.items():
                start = time.perf_counter()
                http.get(path).raise_for_status()
                times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken["/scores"]), statistics.median(taken["/ranking"])


def _time_opening(url: str, repeats: int) -> float:
    """Milliseconds that ``with client.window(…)`` takes to enter."""
    times = []
    with Client(url) as client:
        for _ in range(repeats):
            window = client.window(model="m", workload="opening")
            start = time.perf_counter()
            with window:
                times.append(1e3 * (time.perf_counter() - start))
            time.sleep(0.02)
    return statistics.median(times)


def _crowd(url: str, windows: int) -> tuple[int, float]:
    """Windows of 20 clients that came to nothing, and the seconds that all took."""

    def one(number: int) -> int:
        failed = 0
        with Client(url, timeout_seconds=60.0) as client:
            for _ in range(windows // CLIENTS):
                with client.window(model=f"m-{number}", workload="crowd") as window:
                    window.record(inferences=1, correct=1)
                if window.failure:
                    failed += 1
        return failed

    start = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        failed = sum(pool.map(one, range(CLIENTS)))
    return failed, time.monotonic() - start
