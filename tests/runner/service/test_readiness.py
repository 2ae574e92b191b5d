"""/readyz: can the service measure, and if not, what stands in the way?"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from wattmark_core.sample import Sample
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.readiness import FRESH_SECONDS, Readiness
from wattmark_runner.windows.exporter_link import read_host
from wattmark_runner.workloads.reading import load_config
from wattmark_store import open_store
from wattmark_store.testing import MemoryStore


@pytest.fixture
def context(service: Any, tmp_path: Path) -> Iterator[AppContext]:
    """What a service works with that can measure."""
    with (
        closing(open_store(service.store_url)) as store,
        closing(RunDatabase(tmp_path / "runner.sqlite")) as database,
    ):
        yield AppContext(
            service.exporter_url, store, database, tmp_path, tmp_path / "cache",
            load_config(service.config),
        )  # fmt: skip


def names(context: AppContext) -> set[str]:
    return set(Readiness(context).problems())


def test_a_service_that_can_measure_is_ready(context: AppContext) -> None:
    """Exporter, samples, store, records and disks: nothing stands in the way."""
    assert names(context) == set()


def test_each_part_that_stands_in_the_way_is_named(context: AppContext, tmp_path: Path) -> None:
    """Alone, and nothing else."""
    with closing(MemoryStore()) as empty:
        assert names(replace(context, store=empty)) == {"samples"}
    closed = MemoryStore()
    closed.close()
    assert names(replace(context, store=closed)) == {"store"}
    assert names(replace(context, exporter_url="http://127.0.0.1:9")) == {"exporter"}
    assert names(replace(context, folders=(tmp_path / "gone",))) == {"disk"}
    (tmp_path / "broken.sqlite").write_bytes(b"")
    broken = RunDatabase(tmp_path / "broken.sqlite")
    assert names(replace(context, database=broken)) == {"run records"}


def test_a_run_whose_end_is_not_written_is_told(context: AppContext) -> None:
    """Until it is."""
    run = RunRecord("r", RunRequest("quick", "m"), RunState.DONE, "h", "b", "i", 0, 1)
    assert not context.database.keep(replace(run, reason="\udce9"))
    problems = Readiness(context).problems()
    assert problems == {"run records": "the last state of 1 runs waits to be written"}
    assert context.database.keep(run)
    assert names(context) == set()


@pytest.mark.parametrize(
    ("age", "host", "source", "ready"),
    [
        (1.0, None, None, True), (FRESH_SECONDS + 5.0, None, None, False),
        (FRESH_SECONDS + 500.0, None, None, False), (1.0, "another", None, False),
        (1.0, None, "another", False),
    ],
)  # fmt: skip
def test_samples_arrive_if_one_of_this_exporter_is_fresh(
    context: AppContext, age: float, host: str | None, source: str | None, ready: bool
) -> None:
    """Not one of another host, nor of a sensor that this exporter does not have."""
    report = read_host(str(context.exporter_url))
    series = report.energy[0]
    now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + report.offset_ns
    tags = {**series.tags, "host": host or report.host, "source": source or series.source}
    sample = Sample(
        "energy", tuple(sorted(tags.items())),
        {"joules": 1.0, "epoch": 1, "uncertainty_seconds": 0.0}, now_ns - int(age * 1e9),
    )  # fmt: skip
    with closing(MemoryStore()) as store:
        store.write([sample])
        assert names(replace(context, store=store)) == (set() if ready else {"samples"})


def test_the_log_has_the_particulars_once(
    context: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    """However often somebody asks; and an answer stands for a second."""
    readiness = Readiness(replace(context, exporter_url="http://127.0.0.1:9"))
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            assert set(readiness.problems()) == {"exporter"}
    assert "no exporter answers at http://127.0.0.1:9" in caplog.messages[0]
    assert len(caplog.messages) <= 2


@pytest.mark.slow
def test_a_collector_that_stands_still_is_noticed(
    make_rooms: Callable[[], Any], waiting: Callable[..., Any]
) -> None:
    """The answer is a problem document that names the samples; later it is ready again."""
    rooms = make_rooms()
    ready = partial(httpx.get, f"{rooms.url}/readyz")
    waiting(lambda: ready().status_code == 200)
    collector = psutil.Process(rooms.processes["wattmark_collector"].pid)
    collector.suspend()
    try:
        refused = waiting(lambda: (r := ready()).status_code == 503 and r, FRESH_SECONDS + 30.0)
    finally:
        collector.resume()
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json()
    assert body["detail"] == "not ready: samples; see the log"
    (error,) = body["errors"]
    assert error["field"] == "samples"
    assert "s old; see to the collector" in error["message"] or "none came" in error["message"]
    waiting(lambda: ready().text == "ok\n")
