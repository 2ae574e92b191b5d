"""The queue of runs: what it saves of a run, and when."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import FINAL, RunRecord, RunRequest, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.follower import RunFollower
from wattmark_runner.service.services import Services
from wattmark_runner.workloads.reading import load_config
from wattmark_store import open_store

QUICK: Final = RunRequest(
    "quick", "steady", repeats=1, seconds=0.2, warmup_seconds=0.0, idle_before_seconds=0.2,
    idle_after_seconds=0.2,
)  # fmt: skip


class CountingDatabase(RunDatabase):
    """Keeps how many windows each saved record had."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.saved: list[tuple[RunState, int]] = []

    def save(self, record: RunRecord) -> None:
        """See ``RunDatabase``."""
        super().save(record)
        self.saved.append((record.state, len(record.windows)))


@pytest.fixture
def services(service: Any, tmp_path: Path) -> Iterator[Services]:
    """The jobs of a service over a database of the test's own."""
    with (
        closing(open_store(service.store_url)) as store,
        closing(CountingDatabase(tmp_path / "runner.sqlite")) as database,
    ):
        context = AppContext(
            service.exporter_url, store, database, tmp_path, tmp_path / "cache",
            load_config(service.config),
        )  # fmt: skip
        made = Services.of(context)
        made.start()
        yield made
        made.stop()


def carried_out(services: Services, waiting: Any, request: RunRequest) -> RunRecord:
    """The record of a run that has ended."""
    database = services.context.database
    run_id = services.queue.submit(request).run_id
    waiting(lambda: database.row(run_id).state in FINAL)
    return database.load(run_id)


@pytest.mark.parametrize("repeats", [1, 5])
def test_a_record_is_saved_at_the_ends_of_phases(
    services: Services, waiting: Any, repeats: int
) -> None:
    """Seven times, however many windows it has, and every window is an event and in the store."""
    database = services.context.database
    assert isinstance(database, CountingDatabase)
    record = carried_out(services, waiting, replace(QUICK, repeats=repeats))
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert database.saved == [
        (RunState.QUEUED, 0),
        (RunState.RUNNING, 0),
        (RunState.RUNNING, 1),
        (RunState.RUNNING, 1),
        (RunState.RUNNING, 1 + len(record.windows[1:-1])),
        (RunState.SCORING, len(record.windows)),
        (RunState.DONE, len(record.windows)),
    ]
    names = [window.window_id for window in record.windows]
    events = database.events(record.run_id)
    assert [e.body["window_id"] for e in events if e.kind == "window"] == names
    stored = services.context.store.windows(run_id=record.run_id)
    assert {window.window_id for window in stored} == set(names)


def test_a_run_under_way_shows_the_windows_that_are_not_saved_yet(
    services: Services, waiting: Any
) -> None:
    """A follower sees each window as soon as it has closed."""
    database = services.context.database
    run_id = services.queue.submit(replace(QUICK, repeats=4, seconds=0.5)).run_id
    waiting(lambda: len(services.record(run_id).windows) == 3)
    assert len(database.load(run_id).windows) == 1
    waiting(lambda: database.row(run_id).state in FINAL)
    assert services.queue.record(run_id) is None
    assert services.record(run_id) == database.load(run_id)


def test_a_killed_service_leaves_windows_and_notices_to_the_next(
    services: Services, waiting: Any
) -> None:
    """Those that came after the record was saved last, too, as they were."""
    database = services.context.database
    whole = carried_out(services, waiting, replace(QUICK, repeats=3))
    services.stop()
    idle, *measured = whole.windows
    run = replace(whole, run_id="killed", state=RunState.RUNNING, windows=[idle], scores=(),
                  notices=["early"], ended_ns=None)  # fmt: skip
    follower = RunFollower(services.context, "killed", threading.Event())
    follower.save(run)
    run.windows += measured
    run.notices += ["late"]
    follower.changed(run)
    assert len(database.load("killed").windows) == 1
    later = Services.of(services.context)
    later.start()
    later.stop()
    left = database.load("killed")
    assert left.state is RunState.INTERRUPTED
    assert left.windows == run.windows
    assert left.notices == ["early", "late"]


def test_a_request_is_checked_when_it_is_queued(services: Services) -> None:
    """What cannot be carried out here is refused at once and leaves no run."""
    with pytest.raises(ConfigurationError, match="workload quick has no model 'shaky'"):
        services.queue.submit(replace(QUICK, model="shaky"))
    assert services.context.database.list() == ()


def test_a_run_that_an_earlier_service_queued_is_checked_against_todays_configuration(
    service: Any, tmp_path: Path, services: Services, waiting: Any
) -> None:
    """It fails with the reason if its parameters are no longer known."""
    services.stop()
    database = services.context.database
    run_id = services.queue.submit(QUICK).run_id
    queued = database.load(run_id)
    database.save(replace(queued, request=replace(queued.request, parameters={"gone": 1})))
    later = Services.of(services.context)
    later.start()
    try:
        waiting(lambda: database.row(run_id).state in FINAL)
    finally:
        later.stop()
    ended = database.load(run_id)
    assert ended.state is RunState.FAILED
    assert "workload quick has no parameter 'gone'" in ended.reason
