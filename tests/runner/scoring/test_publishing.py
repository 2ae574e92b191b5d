"""A run's results into a store that holds other things already: nothing of it stops a run."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.influxdb.gate import Gate
from tests.influxdb.servers import KINDS, Server, server_of, write
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.publishing import publish
from wattmark_runner.scoring.run import score_run, score_when_sampled
from wattmark_runner.windows.overlap import put_marked
from wattmark_store import Store, open_store
from wattmark_store.testing import CountingStore

S = 1_000_000_000
START = 1_700_000_000 * S
SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)


def with_samples(store: Store) -> Store:
    """A package that drew 50 W for 20 s."""
    tags = make_tags({"host": "host", **SERIES.tags})
    store.write(
        Sample("energy", tags, {"joules": 5.0 * i, "epoch": 1, "uncertainty_seconds": 0.0005},
               START + i * S // 10)
        for i in range(201)
    )  # fmt: skip
    return store


@pytest.fixture(params=["sqlite", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store."""
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    else:
        pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
        server = server_of(request)
        server.make_databases()
        opened = open_store(server.url("admin"), server.password_file("admin"))
    yield with_samples(opened)
    opened.close()


@pytest.fixture
def open_influx() -> Iterator[Callable[..., Store]]:
    """Open an InfluxDB, perhaps through a gate."""
    pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
    opened: list[Store] = []

    def at(server: Server, url: str = "") -> Store:
        opened.append(open_store(url or server.url("admin"), server.password_file("admin")))
        return with_samples(opened[-1])

    yield at
    for store in opened:
        store.close()


def make_record(run_id: str = "run", **known: Any) -> RunRecord:
    """Three windows of 4 s, 4,000 inferences each."""
    windows = [
        Window(f"{run_id}-{i}", "host", Phase.INFERENCE, START + (1 + 5 * i) * S,
               START + (5 + 5 * i) * S, model="model", workload="digits", run_id=run_id,
               repeat=i, inferences=4000)
        for i in range(3)
    ]  # fmt: skip
    return RunRecord(
        run_id, RunRequest("digits", "model"), RunState.DONE, "host", "boot", "instance", 0,
        START, series=(SERIES,), windows=windows, ended_ns=START + 20 * S, **known,
    )  # fmt: skip


def marked(store: Store) -> dict[str, bool]:
    """Which windows the store has, and whether each is marked."""
    return {window.window_id: window.overlapping for window in store.windows()}


def test_a_run_scored_again_has_the_scores_that_it_has_now(store: Store) -> None:
    """Not those that need an accuracy, which is no longer known."""
    known = score_run(make_record(accuracy=0.9, test_images=100, parameters=1000, macs=9), store)
    assert len(known.scores) == 3
    assert sorted(store.scores(), key=str) == sorted(known.scores, key=str)
    unknown = score_run(make_record(), store)
    assert len(unknown.scores) == 1
    assert store.scores() == list(unknown.scores)


def test_a_mark_outlives_publishing(store: Store) -> None:
    """A window of another run shares the time of one that is published again; the record does not
    know it yet."""
    record = score_run(make_record(), store)
    shared = replace(record.windows[1], window_id="other", run_id="other")
    put_marked(shared, store)
    after = {"run-0": False, "run-1": True, "run-2": False, "other": True}
    assert marked(store) == after
    publish(record, store)
    assert marked(store) == after
    assert not any(window.overlapping for window in record.windows)


def test_scoring_writes_each_window_once(store: Store) -> None:
    """With its mark and its joules, and marks the one that shares its time."""
    record = make_record()
    other = replace(record.windows[1], window_id="other", run_id="other")
    store.put_window(other)
    counting = CountingStore(store)
    score_when_sampled(record, counting.store)
    assert counting.calls["put_window"] == len(record.windows) + 1
    stored = {window.window_id: window for window in store.windows()}
    assert stored.pop("other").overlapping
    assert list(stored.values()) == record.windows
    assert [window.overlapping for window in record.windows] == [False, True, False]


def test_publishing_marks_what_it_shares_time_with(store: Store) -> None:
    """As in a store that is filled from saved records: in any order, windows of both runs; idle
    ones take nobody's mark."""
    work = make_record()
    idle = replace(work.windows[2], window_id="idle", run_id="other", phase=Phase.IDLE)
    other = make_record("other")
    other.windows = [replace(work.windows[0], window_id="other-0", run_id="other"), idle]
    for record in (work, other, work):
        publish(record, store)
    assert marked(store) == {
        "run-0": True, "run-1": False, "run-2": False, "other-0": True, "idle": True
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", ['score,run_id=x main="yes"', 'check,run_id=x rank="first"', 'isoline accuracy="all"']
)
def test_what_cannot_be_shown_stops_no_run(
    each_influx: Server, open_influx: Callable[..., Store], line: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """InfluxDB refuses a text, or a point, since another version wrote the field with another
    type: windows and scores are there all the same, and it is logged once."""
    store = open_influx(each_influx)
    for time_ns in (0, START):
        write(each_influx, f"{line} {time_ns}", "results")
    with caplog.at_level(logging.WARNING):
        record = score_run(make_record(accuracy=0.9, test_images=100), store)
    assert record.published
    assert sorted(store.windows(run_id="run"), key=str) == sorted(record.windows, key=str)
    assert store.scores(run_id="run") == list(record.scores)
    (record_logged,) = caplog.records
    assert record_logged.getMessage().startswith("of run run something is not shown: ")
    assert record_logged.exc_info is None


def test_a_store_that_goes_away_while_it_shows_a_run_gets_the_rest_later(
    each_influx: Server, open_influx: Callable[..., Store]
) -> None:
    """Windows and scores are there; the record says that not all is."""
    gate = Gate(each_influx.address)
    store = open_influx(each_influx, gate.url(each_influx.name("admin")))
    gate.passed = lambda what: 'FROM "check"' not in what
    record = score_run(make_record(accuracy=0.9, test_images=100), store)
    assert not record.published
    gate.passed = lambda _: True
    assert store.scores() == list(record.scores)
    assert "series" not in each_influx.query("results", 'SELECT * FROM "repeat"')
    assert publish(record, store)
    assert each_influx.query("results", 'SELECT * FROM "repeat"')["series"]
    gate.stop()
