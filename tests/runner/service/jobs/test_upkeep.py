"""What grows has an end: logs, events, progress, and runs if that is asked for."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.runner.records.test_records import full_record
from wattmark_core.errors import UnknownRun
from wattmark_core.results import Phase, Window
from wattmark_runner.records.database import Act, RunDatabase, WindowRow
from wattmark_runner.records.events import MOST_PROGRESS
from wattmark_runner.records.model import RunRecord, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.upkeep import DAY_SECONDS, USUAL, Ages, Upkeep
from wattmark_runner.workloads.config import RunnerConfig
from wattmark_store.testing import MemoryStore

NOW_NS: Final = time.time_ns()
DAY_NS: Final = int(DAY_SECONDS * 1e9)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[AppContext]:
    """Two runs, one of 100 days ago and one of today, each with a log and events."""
    config = RunnerConfig(())
    with (
        closing(MemoryStore()) as store,
        closing(RunDatabase(tmp_path / "runner.sqlite")) as database,
    ):
        made = AppContext("http://127.0.0.1:9", store, database, tmp_path, tmp_path, config)
        (tmp_path / "logs").mkdir()
        for run_id, age in (("old", 100), ("new", 0)):
            record = run(run_id, NOW_NS - age * DAY_NS)
            database.save(record)
            for score in record.scores:
                store.put_score(score)
            for kind in ("window", "notice", "progress"):
                database.add_event(run_id, kind, {"text": "x" * 1000})
            made.log_of(run_id).write_text("a line\n")
            at = NOW_NS / 1e9 - age * DAY_SECONDS
            os.utime(made.log_of(run_id), (at, at))
        yield made


def run(run_id: str, ended_ns: int) -> RunRecord:
    record = full_record(run_id, ended_ns)
    scores = tuple(replace(score, run_id=run_id) for score in record.scores)
    return replace(record, ended_ns=ended_ns, scores=scores)


def kinds(context: AppContext, run_id: str) -> list[str]:
    return [event.kind for event in context.database.events(run_id)]


def test_logs_and_events_of_old_runs_go_and_their_scores_stay(context: AppContext) -> None:
    """After 90 days, unless something else is asked for; a state is kept for ever."""
    assert Upkeep(context, USUAL).forget_old()
    assert not context.log_of("old").exists()
    assert context.log_of("new").exists()
    assert kinds(context, "old") == ["state"]
    assert kinds(context, "new") == ["state", "window", "notice"]  # progress ends with its run
    assert [record.run_id for record in context.database.list()] == ["new", "old"]
    assert all(record.scores for record in context.database.list())
    assert {score.run_id for score in context.store.scores()} == {"old", "new"}


def test_runs_go_with_their_scores_if_that_is_asked_for(context: AppContext) -> None:
    """And with nothing of the others."""
    assert Upkeep(context, Ages(None, 30.0)).forget_old()
    with pytest.raises(UnknownRun):
        context.database.load("old")
    assert kinds(context, "old") == []
    assert {score.run_id for score in context.store.scores()} == {"new"}
    assert [record.run_id for record in context.database.list()] == ["new"]
    assert kinds(context, "new")[:3] == ["state", "window", "notice"]


def test_no_table_keeps_anything_of_a_run_that_went(context: AppContext) -> None:
    """Who asked for it and what its windows were like included."""
    database = context.database
    database.note(Act.REQUESTED, "ann", "old", "new")
    window = Window("w-old", "h", Phase.INFERENCE, 0, 1, run_id="old")
    database.put_window(WindowRow(window))
    database.note(Act.CLOSED, "ann", "w-old")
    assert Upkeep(context, Ages(None, 30.0)).forget_old()
    with closing(sqlite3.connect(database.path)) as connection:
        dump = list(connection.iterdump())
    assert [line for line in dump if "'new'" in line]
    assert not [line for line in dump if "'old'" in line or "w-old" in line]


def test_nothing_is_forgotten_while_something_is_measured(context: AppContext) -> None:
    """It would be CPU time beside the measurement."""
    context.database.save(replace(run("now", NOW_NS), state=RunState.RUNNING))
    assert not Upkeep(context, USUAL).forget_old()
    assert context.log_of("old").exists()


def test_the_file_becomes_small_again(context: AppContext) -> None:
    """By pages."""
    database = context.database
    for _ in range(300):
        database.add_event("old", "notice", {"text": "x" * 10_000})
    database.close()
    before = database.path.stat().st_size
    Upkeep(context, USUAL).forget_old()
    database.close()
    assert database.path.stat().st_size < before / 3


def test_progress_of_a_long_run_is_bounded(context: AppContext) -> None:
    """The newest stays, and what is no progress."""
    database = context.database
    for number in range(MOST_PROGRESS + 50):
        database.add_event("new", "progress", {"number": number})
    events = database.events("new")
    progress = [event for event in events if event.kind == "progress"]
    assert len(progress) == MOST_PROGRESS
    assert progress[-1].body == {"number": MOST_PROGRESS + 49}
    assert [event.kind for event in events[:3]] == ["state", "window", "notice"]


def test_the_thread_writes_what_was_kept(context: AppContext) -> None:
    """As soon as it can be, and at the latest when it ends."""
    upkeep = Upkeep(context, USUAL)
    upkeep.start()
    record = run("kept", NOW_NS)
    assert not context.database.keep(replace(record, reason="\udce9"))
    assert context.database.kept == ["kept"]
    assert context.database.load("kept").reason == "\udce9"
    assert context.database.keep(record)
    upkeep.stop()
    assert context.database.kept == []
    assert context.database.load("kept") == record
