"""Runs of an older version: what Grafana shows of them is written once more, and nothing else."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

from tests.influxdb.gate import Gate
from tests.influxdb.results import rows
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Score, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunSource, RunState
from wattmark_runner.scoring.run import score_run
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs import scoring_queue as scoring
from wattmark_runner.service.jobs.open_windows import OpenWindows
from wattmark_runner.service.jobs.scoring_queue import ScoringQueue
from wattmark_runner.workloads.config import RunnerConfig
from wattmark_store import Store, open_store
from wattmark_store.influx import InfluxStore
from wattmark_store.influx_views import RESULT_VIEWS

S = 1_000_000_000
START = 1_700_000_000 * S
RUNS = 8
SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
Serve = Callable[..., ScoringQueue]


class WatchedDatabase(RunDatabase):
    """Counts, whenever a run is saved, those that are not published."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.unpublished_then: list[int] = []

    def save(self, record: RunRecord) -> None:
        """See ``RunDatabase``."""
        self.unpublished_then.append(len(self.unpublished()))
        super().save(record)


def make_record(number: int, state: RunState = RunState.DONE) -> RunRecord:
    """A run of three windows."""
    run_id = f"run{number}"
    windows = [
        Window(f"{run_id}-{i}", "host", Phase.INFERENCE, START + (1 + 5 * i) * S,
               START + (5 + 5 * i) * S, model=f"m{number}", workload="digits", run_id=run_id,
               repeat=i, inferences=4000, correct=3600)
        for i in range(3)
    ]  # fmt: skip
    return RunRecord(
        run_id, RunRequest("digits", f"m{number}"), state, "host", "boot", "instance", 0,
        START + number, series=(SERIES,), accuracy=0.9, test_images=400, windows=windows,
        ended_ns=START + 20 * S,
    )  # fmt: skip


@pytest.fixture
def old(influx: Any, tmp_path: Path) -> Iterator[RunDatabase]:
    """The file that an older version left, and its results in InfluxDB: windows and scores without
    texts. Raw samples are gone, but for the power of one run nothing remains of them; of a run
    that waits, and of one that failed before its first window, there is nothing to publish."""
    with_samples = open_store(influx.url("admin"), influx.password_file("admin"))
    put_samples(with_samples)
    path = tmp_path / "runner.sqlite"
    database = RunDatabase(path)
    for number in range(RUNS):
        database.save(score_run(make_record(number), with_samples))
    database.save(replace(make_record(98), state=RunState.QUEUED, windows=[]))
    database.save(replace(make_record(99), state=RunState.FAILED, windows=[]))
    database.close()
    for name in set(RESULT_VIEWS) - {"window_power"}:
        influx.query("results", f'DROP SERIES FROM "{name}"')
    influx.query("results", 'DROP SERIES FROM "window_power" WHERE "run_id" != \'run3\'')
    influx.query("telemetry", "DROP SERIES FROM /.*/")
    for number in range(RUNS):
        for score in database.load(f"run{number}").scores:
            with_samples.put_score(score)
    with_samples.close()
    database.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE unpublished; UPDATE runs SET body = json_remove(body, '$.published')"
    )
    connection.close()
    made = RunDatabase(path)
    yield made
    made.close()


def put_samples(store: Store) -> None:
    """Of a package that draws 50 W for 20 s."""
    tags = make_tags({"host": "host", **SERIES.tags})
    store.write(
        Sample("energy", tags, {"joules": 5.0 * i, "epoch": 1, "uncertainty_seconds": 0.0005},
               START + i * S // 10)
        for i in range(201)
    )  # fmt: skip


@pytest.fixture
def serve(
    influx: Any, old: RunDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serve]:
    """Start the scoring of a service, with a tick of 50 ms in which one old run has its turn."""
    monkeypatch.setattr(scoring, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(scoring, "PUBLISH_SECONDS", 0.5)
    monkeypatch.setattr(scoring, "PUBLISH_SHARE_SECONDS", 0.0)
    started: list[tuple[ScoringQueue, Store]] = []

    def start(url: str = "", database: RunDatabase = old) -> ScoringQueue:
        store = open_store(url or influx.url("runner"), influx.password_file("runner"))
        context = AppContext(
            "http://127.0.0.1:9", store, database, tmp_path, tmp_path, RunnerConfig(())
        )
        scorer = ScoringQueue(context, OpenWindows())
        scorer.start()
        started.append((scorer, store))
        return scorer

    yield start
    for scorer, store in started:
        scorer.stop()
        store.close()


def texts(influx: Any) -> list[str]:
    """The runs that have theirs."""
    return sorted(row["run_id"] for row in rows(influx, 'SELECT * FROM "score"')
                  if "energy_text" in row)  # fmt: skip


def test_the_runs_of_an_older_file_wait_to_be_published(old: RunDatabase) -> None:
    """All that have ended and have results, newest first; not again when it is opened again, and
    not in a new file."""
    waiting = [f"run{number}" for number in reversed(range(RUNS))]
    assert old.unpublished() == waiting
    old.mark("run3", published=True)
    old.close()
    waiting.remove("run3")
    assert RunDatabase(old.path).unpublished() == waiting
    assert RunDatabase(old.path.with_name("new.sqlite")).unpublished() == []


def test_old_runs_get_what_is_shown_of_them_and_keep_what_they_have(
    influx: Any, old: RunDatabase, serve: Serve, waiting: Any
) -> None:
    """Texts, checks, repeats and lines; scores and windows are as they were, in the database and in
    the store, and so is power whose raw samples are gone."""
    reader = open_store(influx.url("runner"), influx.password_file("runner"))
    names = [f"run{number}" for number in range(RUNS)]
    before = [reader.scores(), reader.windows(), [old.load(name).scores for name in names]]
    power = rows(influx, 'SELECT * FROM "window_power"')
    assert texts(influx) == []
    assert {row["run_id"] for row in power} == {"run3"}
    serve()
    waiting(lambda: old.unpublished() == [], 30.0)
    assert texts(influx) == names
    for name in ("check", "repeat"):
        assert {row["run_id"] for row in rows(influx, f'SELECT * FROM "{name}"')} == set(names)
    assert rows(influx, 'SELECT * FROM "isoline"')
    assert rows(influx, 'SELECT * FROM "window_power"') == power
    assert [reader.scores(), reader.windows(), [old.load(n).scores for n in names]] == before
    reader.close()


def test_old_runs_wait_for_a_store_that_is_away(
    influx: Any, old: RunDatabase, serve: Serve, waiting: Any
) -> None:
    """And all are there once it is back."""
    gate = Gate(influx.address, lambda _: len(old.unpublished()) > RUNS - 2)
    serve(gate.url(influx.name("runner")))
    waiting(lambda: len(old.unpublished()) == RUNS - 2, 30.0)
    gate.stop()
    time.sleep(1.5)  # longer than the pause after it was away
    assert len(old.unpublished()) == RUNS - 2
    gate.passed = lambda _: True
    gate.start()
    waiting(lambda: old.unpublished() == [], 30.0)
    assert len(texts(influx)) == RUNS
    gate.stop()


@pytest.mark.parametrize("source", RunSource)
def test_old_runs_wait_while_something_is_measured(
    influx: Any, old: RunDatabase, serve: Serve, waiting: Any, source: RunSource
) -> None:
    """It would cost CPU time beside a run of the runner's own, or a window from elsewhere that is
    open; afterwards all are written."""
    measured = replace(make_record(60, RunState.RUNNING), source=source, windows=[], ended_ns=None)
    old.save(measured)
    serve()
    time.sleep(1.0)  # twenty ticks
    assert len(old.unpublished()) == RUNS
    old.save(replace(measured, state=RunState.CANCELLED))
    waiting(lambda: old.unpublished() == [], 30.0)
    assert len(texts(influx)) == RUNS


def test_the_scores_of_a_workload_are_read_once_for_its_runs(
    old: RunDatabase, serve: Serve, waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those runs that are written in one turn."""
    read: list[str] = []

    def energy_scores(store: InfluxStore, workload: str, formula: str) -> list[Score]:
        read.append(workload)
        return own(store, workload, formula)

    own = InfluxStore.energy_scores
    monkeypatch.setattr(InfluxStore, "energy_scores", energy_scores)
    queue = serve()
    monkeypatch.setattr(scoring, "PUBLISH_SHARE_SECONDS", 60.0)
    waiting(lambda: old.unpublished() == [], 30.0)
    queue.stop()
    assert len(read) <= 2  # the first turn may have begun with a share of nothing


def test_a_new_run_is_scored_between_old_ones(
    influx: Any, old: RunDatabase, serve: Serve, waiting: Any
) -> None:
    """It waits for one of them at most."""
    store = open_store(influx.url("admin"), influx.password_file("admin"))
    put_samples(store)
    store.close()
    old.save(replace(make_record(50, RunState.SCORING), ended_ns=None))
    watched = WatchedDatabase(old.path)
    serve(database=watched)
    waiting(lambda: old.load("run50").state is RunState.DONE, 30.0)
    assert watched.unpublished_then[0] >= RUNS - 1
    watched.close()
    waiting(lambda: old.unpublished() == [], 30.0)


def test_a_run_that_cannot_be_published_does_not_hold_up_others(
    influx: Any, old: RunDatabase, serve: Serve, waiting: Any
) -> None:
    """It is tried again after them."""
    newest = f"run{RUNS - 1}"
    assert old.unpublished()[0] == newest
    old.close()
    connection = sqlite3.connect(old.path)
    connection.execute("UPDATE runs SET body = '{}' WHERE run_id = ?", (newest,))
    connection.commit()
    connection.close()
    serve()
    waiting(lambda: old.unpublished() == [newest], 30.0)
    assert texts(influx) == [f"run{number}" for number in range(RUNS - 1)]
