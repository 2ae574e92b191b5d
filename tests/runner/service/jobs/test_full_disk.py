"""A disk without room: what a run has come to is kept, told, and written when there is room."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.machine import verdict_of_the_rest
from tests.small_disk import small_disk
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_runner.records.database import Listing, RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState

RUN = RunRecord(
    "run-1", RunRequest("quick", "steady"), RunState.RUNNING, "here", "boot", "instance", 0, 1,
    created_ns=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 24 MiB."""
    with small_disk(tmp_path_factory.mktemp("small"), "24m") as folder:
        yield folder


def fill(folder: Path) -> Path:
    """Write until there is no room; the file that takes it."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return filler


def test_a_run_on_a_full_disk_ends_whole_once_there_is_room(
    service: Any, small: Path, tmp_path: Path, api_of: Callable[..., Any], waiting: Any
) -> None:
    """Store and records have none while it is measured: /readyz says so by name, the run is
    measured all the same, and nothing stays running."""
    folder = small / "rooms"
    folder.mkdir()
    (folder / "logs").symlink_to(tmp_path)  # a program may stop when what it prints has no room
    rooms = type(service)(folder)
    try:
        api = api_of(rooms.url)
        ready = partial(httpx.get, f"{rooms.url}/readyz")
        waiting(lambda: ready().status_code == 200)
        run_id = api.post("/runs", {**rooms.quick, "repeats": 3, "seconds": 1.0})["run_id"]
        waiting(lambda: api.get(f"/runs/{run_id}")["record"]["windows"])
        filler = fill(small)
        refused = waiting(lambda: (r := ready()).status_code == 503 and r)
        assert refused.headers["content-type"] == "application/problem+json"
        assert "disk" in {error["field"] for error in refused.json()["errors"]}
        assert str(small) not in refused.text
        waiting(lambda: len(api.get(f"/runs/{run_id}")["record"]["windows"]) >= 5)
        time.sleep(4.0)  # the collector has tried, and so has scoring
        assert rooms.processes["wattmark_runner"].poll() is None
        assert api.http.post("/runs", json=rooms.quick).status_code == 503
        filler.unlink()
        ended = api.ended(run_id)
        assert (ended["state"], ended["reason"]) == ("done", "")
        assert verdict_of_the_rest(ended["score"]) == "warned"
        waiting(lambda: ready().status_code == 200)
        rows = waiting(lambda: rows_of(folder / "runner.sqlite"))
        assert [(row.run_id, row.state) for row in rows] == [(run_id, RunState.DONE)]
        log = (folder / "wattmark_runner.log").read_text()
        assert "the states of all runs are written again" in log  # before, the log had no room
        assert "Traceback" not in log
    finally:
        rooms.end_all()


def rows_of(path: Path) -> Any:
    with closing(RunDatabase(path)) as database:
        return database.rows(Listing(10))


def test_a_final_state_is_read_while_it_waits_to_be_written(small: Path) -> None:
    """In each list; after it is written the file says the same."""
    folder = small / "records"
    folder.mkdir()
    database = RunDatabase(folder / "runner.sqlite")
    database.save(replace(RUN, run_id="other"))
    database.save(RUN)
    filler = fill(small)
    done = replace(RUN, state=RunState.FAILED, reason="x" * 200_000, ended_ns=2)
    with pytest.raises(StoreUnavailable, match="no space is left on its disk"):
        database.save(done)
    assert not database.keep(done)
    assert database.something_kept.is_set()
    assert database.kept == ["run-1"]

    def seen() -> object:
        return (
            database.load("run-1"), database.row("run-1").state, database.row("run-1").reason,
            database.in_state(RunState.RUNNING), database.in_state(RunState.FAILED),
            [row.run_id for row in database.rows(Listing(9, equal={"state": "running"}))],
            {state: count for state, count in database.counts().items() if count},
        )  # fmt: skip

    while_full = seen()
    assert not database.save_kept()
    filler.unlink()
    assert database.save_kept()
    assert not database.something_kept.is_set()
    assert database.kept == []
    assert seen() == while_full
    assert while_full[1:2] == (RunState.FAILED,)  # type: ignore[index]
    with closing(RunDatabase(folder / "runner.sqlite")) as again:
        assert again.load("run-1") == done
    database.close()


def test_a_limit_on_the_length_of_files_is_a_full_disk_too(tmp_path: Path) -> None:
    """As is a quota: records and store say so in one line, and take it when it is gone."""
    code = f"""
import resource
from pathlib import Path
from wattmark_core.errors import StoreUnavailable
from wattmark_core.sample import Sample
from wattmark_runner.records.database import RunDatabase
from wattmark_store.sqlite import SqliteStore
from tests.runner.service.jobs.test_full_disk import RUN
from dataclasses import replace
folder = Path({str(tmp_path)!r})
database, store = RunDatabase(folder / "runner.sqlite"), SqliteStore(folder / "store.sqlite")
database.save(RUN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
long = replace(RUN, reason="x" * 400_000)
many = [Sample("power", (), {{"watts": 1.0}}, n) for n in range(60_000)]
for call in (lambda: database.save(long), lambda: store.write(many)):
    try:
        call()
    except StoreUnavailable as error:
        print(error)
assert not database.keep(long)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert database.save_kept() and store.write(many) == len(many)
assert database.load("run-1") == long
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records, store = done.stdout.splitlines()
    assert records.startswith("run records ")
    assert store.startswith("store ")
    for line in (records, store):
        assert "no space is left" in line or "its disk does not take what is written" in line


def test_a_record_that_alone_cannot_be_written_keeps_no_other_waiting(tmp_path: Path) -> None:
    """Here a text that is no Unicode; and a newer state of a run replaces the one that is kept."""
    with closing(RunDatabase(tmp_path / "runner.sqlite")) as database:
        bad = replace(RUN, reason="\udce9")
        with pytest.raises(StoreError, match="is not Unicode"):
            database.save(bad)
        assert not database.keep(bad)
        assert database.keep(replace(RUN, run_id="other"))
        assert database.kept == ["run-1"]
        assert database.keep(RUN)
        assert (database.kept, database.load("run-1").reason) == ([], "")
