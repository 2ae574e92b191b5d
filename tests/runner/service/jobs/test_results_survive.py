"""Results in InfluxDB after a runner that was killed, or a store that went away, between the two
calls that replace one; and beside what another version left there."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.influxdb.gate import Gate
from tests.influxdb.servers import Server, write
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.run import score_run
from wattmark_store import Store, open_store

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
pytestmark = pytest.mark.parametrize("each_influx", ["influxdb-2.7"], indirect=True)

S = 1_000_000_000
START = 1_700_000_000 * S
SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)


@pytest.fixture
def store(each_influx: Server) -> Iterator[Store]:
    """Each InfluxDB, with the samples of a package that drew 50 W for 20 s."""
    opened = open_store(each_influx.url("admin"), each_influx.password_file("admin"))
    tags = make_tags({"host": "host", **SERIES.tags})
    opened.write(
        Sample("energy", tags, {"joules": 5.0 * i, "epoch": 1, "uncertainty_seconds": 0.0005},
               START + i * S // 10)
        for i in range(201)
    )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture
def database(store: Store, tmp_path: Path) -> Iterator[RunDatabase]:
    """A run in it that was scored, and in the store."""
    windows = [
        Window(f"w{i}", "host", Phase.INFERENCE, START + (1 + 5 * i) * S, START + (5 + 5 * i) * S,
               model="model", workload="digits", run_id="run", repeat=i, inferences=4000)
        for i in range(3)
    ]  # fmt: skip
    record = RunRecord(
        "run", RunRequest("digits", "model"), RunState.DONE, "host", "boot", "instance", 0,
        START, series=(SERIES,), windows=windows, ended_ns=START + 20 * S,
    )  # fmt: skip
    score_run(record, store)
    made = RunDatabase(tmp_path / "runner.sqlite")
    made.save(record)
    yield made
    made.close()


@dataclass
class Runner:
    """A runner that was started, and what it says after READY."""

    process: subprocess.Popen[str]
    url: str

    def score_again(self) -> None:
        """Ask for it, and do not wait for the answer of one that is killed."""
        httpx.post(f"{self.url}/api/v1/runs/run/score", timeout=60.0)


@pytest.fixture
def start_runner(tmp_path: Path, each_influx: Server) -> Iterator[Callable[[str], Runner]]:
    """Start a runner on the database and the store at a URL."""
    started: list[subprocess.Popen[str]] = []

    def start(store_url: str) -> Runner:
        process = subprocess.Popen(
            [sys.executable, "-m", "wattmark_runner", "--listen", "127.0.0.1:0", "--store",
             store_url, "--store-password-file", str(each_influx.password_file("runner")),
             "--data", str(tmp_path), "--cache", str(tmp_path / "cache")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        return Runner(process, process.stdout.readline().removeprefix("READY").strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def leave_a_field(server: Server) -> None:
    """A field in each window that the record has not: it is deleted before it is written again."""
    series = f"window,host=host,model=model,phase=inference,run_id=run,workload=digits {{}} {START}"
    lines = [
        series.format("correct=1i").replace(str(START), str(START + (1 + 5 * i) * S))
        for i in range(3)
    ]
    write(server, "\n".join(lines), "results")


def windows(store: Store) -> list[Window]:
    """The run's windows in the store."""
    return store.windows(run_id="run")


def test_a_runner_killed_between_delete_and_write_ends_with_the_result_written(
    each_influx: Server, store: Store, database: RunDatabase, start_runner: Callable[[str], Runner],
    waiting: Any,
) -> None:  # fmt: skip
    """SIGKILL when InfluxDB has deleted and before it is written: after the next start all windows
    and scores are there as the database has them."""
    before = windows(store), store.scores()
    leave_a_field(each_influx)
    gate = Gate(each_influx.address)
    runner = start_runner(gate.url(each_influx.name("runner")))

    def kill_at_a_deletion(what: str) -> bool:
        if what.startswith('DELETE FROM "window"'):
            os.kill(runner.process.pid, signal.SIGKILL)
        return True

    gate.passed = kill_at_a_deletion
    with pytest.raises(httpx.HTTPError):
        runner.score_again()
    assert runner.process.wait(10) == -signal.SIGKILL
    assert len(windows(store)) == 2
    assert database.unpublished() == ["run"]
    gate.passed = lambda _: True
    start_runner(gate.url(each_influx.name("runner")))
    waiting(lambda: database.unpublished() == [], 30.0)
    assert (windows(store), store.scores()) == before
    gate.stop()


@pytest.mark.slow
def test_a_store_that_went_away_between_delete_and_write_gets_the_result(
    each_influx: Server, store: Store, database: RunDatabase, start_runner: Callable[[str], Runner],
    waiting: Any,
) -> None:  # fmt: skip
    """And the service was stopped before it was back: the next one writes it."""
    before = windows(store), store.scores()
    leave_a_field(each_influx)
    gate = Gate(each_influx.address)
    runner = start_runner(gate.url(each_influx.name("runner")))
    gate.passed = lambda what: not what.startswith('DELETE FROM "window"')
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{runner.url}/api/v1/runs/run/score", timeout=2.0)
    gate.stop()
    runner.process.terminate()
    assert runner.process.wait(30) == 0
    assert len(windows(store)) == 2
    gate.start()
    gate.passed = lambda _: True
    start_runner(gate.url(each_influx.name("runner")))
    waiting(lambda: database.unpublished() == [], 30.0)
    assert (windows(store), store.scores()) == before
    gate.stop()


def test_what_is_confirmed_is_not_written_again(
    each_influx: Server, store: Store, database: RunDatabase, start_runner: Callable[[str], Runner]
) -> None:
    """A run that was scored in peace costs the store nothing afterwards."""
    gate = Gate(each_influx.address)
    runner = start_runner(gate.url(each_influx.name("runner")))
    runner.score_again()
    assert database.unpublished() == []
    gate.calls.clear()
    time.sleep(3.0)  # longer than a turn of the thread that looks for what is not written
    assert gate.calls == []
    gate.stop()


def test_a_score_of_another_version_stops_no_run(
    each_influx: Server, store: Store, database: RunDatabase, start_runner: Callable[[str], Runner],
    waiting: Any,
) -> None:  # fmt: skip
    """Of another host, within a boundary that nobody here knows: a run of the same workload is
    scored, and so is one that waits for it."""
    before = windows(store), store.scores()
    write(each_influx, "score,host=other,model=m,workload=digits,boundary=node,run_id=x,"
          f'formula=accuracy^2/energy value=1.0,verdict="valid",method="counter" {START}',
          "results")  # fmt: skip
    record = database.load("run")
    record.state = RunState.SCORING
    database.save(record)
    runner = start_runner(each_influx.url("runner"))
    waiting(lambda: database.load("run").state is RunState.DONE, 30.0)
    answer = httpx.post(f"{runner.url}/api/v1/runs/run/score", timeout=60.0)
    assert answer.status_code == 200, answer.text
    assert (windows(store), store.scores()) == before
    assert database.unpublished() == []


def test_a_record_that_cannot_be_read_keeps_no_other_waiting(
    each_influx: Server, store: Store, database: RunDatabase, start_runner: Callable[[str], Runner],
    waiting: Any,
) -> None:  # fmt: skip
    """The store gets what it lacks of the runs after it, which wait for nothing."""
    record = database.load("run")
    database.save(replace(record, run_id="a newer one", windows=[], scores=(), published=False))
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute(
            "UPDATE runs SET body = json_set(body, '$.newer_field', 1) WHERE run_id LIKE 'a %'"
        )
        connection.commit()
    database.mark("run", published=False)
    start_runner(each_influx.url("runner"))
    waiting(lambda: database.unpublished() == ["a newer one"], 30.0)
    assert len(windows(store)) == 3
