"""Running the real command; a data folder as a fit leaves it, made by hand."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_store.sqlite import SqliteStore

S = 1_000_000_000
START = 1_700_000_000 * S
NASTY = '<b>&"quoted"[/x]'

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wattmark(tmp_path: Path) -> Wattmark:
    """Runs ``wattmark …`` in a folder of its own; ``cwd`` and ``env`` may be given."""

    def run(
        *arguments: str, cwd: Path = tmp_path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wattmark_cli", *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def make_score(model: str, value: float | None, verdict: Verdict, method: Method) -> Score:
    """An energy score of one model; its energy is what the value says at 90 % accuracy."""
    joules = None if value is None else 3.6 * 0.81 / value
    warned = Check("idle length", Verdict.WARNED, 10.0, 30.0, "s", "shorter idle baseline")
    return Score(
        f"run-{model}", "host1", model, "digits", Boundary.CPU, "accuracy^2/energy", START, method,
        verdict, value, value and 0.9 * value, value and 1.1 * value,
        accuracy=0.9, joules_per_inference=joules, watts=50.0, inferences_per_second=1000.0,
        checks=(warned,),
    )  # fmt: skip


def make_record(score: Score) -> RunRecord:
    """A run with one measured window of 4 s, on RAPL or on the estimate."""
    method = score.method or Method.COUNTER
    source = "estimate" if method is Method.ESTIMATED else "rapl"
    series = EnergySeries(Domain.PACKAGE, "socket0", source, method, 0.001)
    window = Window(
        f"w-{score.run_id}", "host1", Phase.INFERENCE, START + S, START + 5 * S,
        model=score.model, workload="digits", run_id=score.run_id, inferences=4000, correct=3600,
        joules=200.0,
    )  # fmt: skip
    return RunRecord(
        score.run_id, RunRequest("digits", score.model), RunState.DONE, "host1", "boot", "instance",
        0, START, series=(series,), environment={"cpu_model": "Test CPU", "kernel": "6.1"},
        test_images=360, accuracy=0.9, parameters=1000, macs=2000,
        windows=[window], checks=score.checks, scores=(score,),
    )  # fmt: skip


@pytest.fixture
def records(data: Path) -> list[RunRecord]:
    """The records of the three runs."""
    return list(RunDatabase(data / "runner.sqlite").list())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three runs: the best is measured and badly named, one is invalid, one is estimated; 50 W,
    and a new epoch after 3 s."""
    folder = tmp_path / "wattmark-data"
    folder.mkdir()
    scores = [
        make_score(NASTY, 50.0, Verdict.WARNED, Method.COUNTER),
        make_score("broken", None, Verdict.INVALID, Method.COUNTER),
        make_score("guessed", 900.0, Verdict.WARNED, Method.ESTIMATED),
    ]
    database = RunDatabase(folder / "runner.sqlite")
    store = SqliteStore(folder / "store.sqlite")
    for score in scores:
        record = make_record(score)
        database.save(record)
        store.put_score(score)
        store.put_window(record.windows[0])
        tags = make_tags({"host": "host1", **record.series[0].tags})
        store.write(
            Sample("energy", tags, {"joules": 5.0 * i if i < 30 else 5.0 * (i - 30),
                                    "epoch": 1 if i < 30 else 2, "uncertainty_seconds": 0.0005},
                   START + i * S // 10)
            for i in range(61)
        )  # fmt: skip
    store.close()
    return folder
