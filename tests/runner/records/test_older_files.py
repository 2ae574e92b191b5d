"""A file of an earlier version opens, is copied before it changes, and answers as it did."""

import fcntl
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from wattmark_core.errors import StoreError
from wattmark_core.machine import wattmark_version
from wattmark_core.results import ENERGY_SCORE, Verdict
from wattmark_runner.records.data_folder import alone
from wattmark_runner.records.database import RunDatabase, score_of
from wattmark_runner.views.tables import TABLES as PAPER_TABLES
from wattmark_runner.views.tables import Choice

NOBODY: Final = 65534
FILTERS: Final = ("", "workload=digits", "boundary=host", "host=lab1", "host=lab2&boundary=gpu")
TABLES: Final = [
    *(f"/tables/{number}?{chosen}" for number, chosen in product("123", FILTERS)),
    *(f"/tables/{number}?format={kind}"
      for number, kind in product("123", ("csv", "markdown", "latex"))),
    "/tables/3?baseline=lab2&paper=true", "/tables/3?baseline=nobody",
]  # fmt: skip
RANKINGS: Final = [
    *(f"/ranking?{chosen}" for chosen in FILTERS),
    *(f"/ranking?formula={formula}&format={kind}"
      for formula, kind in product(("", "accuracy^2/energy", "netscore"), ("json", "csv"))),
]  # fmt: skip


@pytest.fixture(scope="module")
def older(of_9ca66c9: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 runs of 6 models, of every kind, as 9ca66c9 leaves them."""
    path = tmp_path_factory.mktemp("older") / "runner.sqlite"
    of_9ca66c9("fill", str(path), "120", "6", "1")
    return path


@pytest.fixture
def file(older: Path, tmp_path: Path) -> Path:
    """A copy of the older file for this test alone."""
    return Path(shutil.copy(older, tmp_path / "runner.sqlite"))


def test_every_table_and_ranking_is_what_it_was(
    of_9ca66c9: Callable[..., str], of_today: Callable[..., str], older: Path, file: Path
) -> None:
    """To the last character: of every kind of run, filter and format, from the older file; and of
    the same runs when this version writes them."""
    before = json.loads(of_9ca66c9("ask", str(older), *TABLES, *RANKINGS))
    after = json.loads(of_today("ask", str(file), *TABLES, *RANKINGS))
    new = file.with_name("new.sqlite")
    of_today("fill", str(new), "120", "6", "1")
    written = json.loads(of_today("ask", str(new), *TABLES, *RANKINGS))
    for call, one, other, third in zip([*TABLES, *RANKINGS], before, after, written, strict=True):
        assert one == without_additions(other) == without_additions(third), call
    assert sum(len(text) > 1000 for text in before) > 0.7 * len(before)


def without_additions(answer: str) -> str:
    """An answer without what later versions added to it."""
    return answer.removesuffix(',"shown":[]}') + "}" * answer.endswith(',"shown":[]}')


def test_the_file_is_copied_before_it_changes(
    older: Path, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside it, whole, and a line of the log names the copy; later nothing is copied again."""
    with caplog.at_level(logging.INFO):
        database = RunDatabase(file)
        assert len(database.list()) == 120
    copy = file.with_name(f"runner.sqlite.before-{wattmark_version()}")
    assert f"a copy of it, before it is changed, is {copy}" in caplog.text
    with closing(sqlite3.connect(older)) as one, closing(sqlite3.connect(copy)) as other:
        assert list(one.iterdump()) == list(other.iterdump())
    copy.unlink()
    database.close()
    assert len(RunDatabase(file).list()) == 120
    assert not copy.exists()


def test_a_new_file_is_not_copied(tmp_path: Path) -> None:
    """There is nothing in it yet."""
    RunDatabase(tmp_path / "runner.sqlite").counts()
    assert not list(tmp_path.glob("*before*"))


def test_without_a_copy_nothing_changes(file: Path) -> None:
    """Where the copy cannot be written, the file is as it was, and the error is one line."""
    blocked = file.with_name(f"runner.sqlite.before-{wattmark_version()}.new")
    (blocked / "in the way").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"runner\.sqlite"):
        RunDatabase(file).counts()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert "body" in {row[1] for row in connection.execute("PRAGMA table_info(scores)")}


@pytest.fixture
def not_ours() -> Iterator[Path]:
    """A runner.sqlite of an older version that this process, then not root, can read alone."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "runner.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("CREATE TABLE runs (x); PRAGMA user_version = 2")
        path.chmod(0o444)
        path.parent.chmod(0o555)
        os.seteuid(os.getuid() or NOBODY)
        yield path
        os.seteuid(os.getuid())
        path.parent.chmod(0o755)


def test_a_file_that_may_not_be_written_is_a_matter_of_permissions(not_ours: Path) -> None:
    """Room would not help."""
    with pytest.raises(StoreError, match="change the permissions of it and its folder"):
        RunDatabase(not_ours).counts()


def test_an_older_file_is_not_changed_under_a_running_service(file: Path) -> None:
    """A service of the older version holds the folder's lock, and would no longer find its
    tables. Once it has stopped, the file opens."""
    before = file.read_bytes()
    with (file.parent / "runner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "wattmark_cli", "table1", "--data", str(file.parent)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "a runner of an older version works on it; stop it first" in done.stderr
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert file.read_bytes() == before
        assert not list(file.parent.glob("*before*"))
    assert len(RunDatabase(file).list()) == 120


def test_a_service_changes_the_older_file_in_its_own_folder(file: Path) -> None:
    """It holds the folder's lock then."""
    with alone(file.parent):
        assert len(RunDatabase(file).list()) == 120


def test_two_may_open_an_older_file_at_once(file: Path) -> None:
    """One changes it, the other waits; both see all of it."""
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: len(RunDatabase(file).newest_runs()), range(4)))
    assert len(set(runs)) == 1
    assert runs[0] > 10


def test_two_may_make_a_file_at_once(tmp_path: Path) -> None:
    """Neither takes the tables that the other has made so far for another version's."""
    for attempt in range(20):
        path = tmp_path / f"{attempt}.sqlite"
        with ThreadPoolExecutor(4) as pool:
            assert all(map(dict, pool.map(lambda _, p=path: RunDatabase(p).counts(), range(4))))


def test_a_file_of_the_first_version_opens(file: Path) -> None:
    """Its scores had neither settings nor GPU, nor a use of the machine: the run's is taken."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "DROP INDEX scores_compared; ALTER TABLE scores DROP COLUMN settings;"
            " ALTER TABLE scores DROP COLUMN gpu; UPDATE scores SET body = json_remove(body,"
            " '$.settings', '$.gpu', '$.test_images', '$.cpu_utilization_ratio',"
            " '$.memory_used_bytes', '$.gpu_utilization_ratio', '$.gpu_memory_used_bytes');"
            " PRAGMA user_version = 1"
        )
    database = RunDatabase(file)
    records = {record.run_id: record for record in database.list()}
    scored = database.newest_runs()
    assert 10 < len(scored) < len(records) == 120
    for scores in scored:
        record = records[scores[0].run_id]
        assert {score.settings for score in scores} == {""}
        assert {score.test_images for score in scores} == {record.test_images}
        for name, value in record.usage.items():
            assert {getattr(score, name) for score in scores} == {value}
    old, *_ = map(score_of, database.compared({"formula": ENERGY_SCORE}))
    new = replace(old, run_id="new", time_ns=10**18, verdict=Verdict.VALID, value=1.0)
    database.save(replace(records[old.run_id], run_id="new", scores=(new,)))
    compared = [score_of(body) for body in database.compared({"formula": ENERGY_SCORE})]
    assert new in compared
    assert old not in compared


def test_the_newest_runs_make_the_tables_of_all(file: Path) -> None:
    """What the columns leave out would stand in no table."""
    database = RunDatabase(file)
    every = [record.completed_scores for record in database.list()]
    newest = database.newest_runs()
    assert len(newest) < len(every)
    for table, host in product(PAPER_TABLES.values(), ("", "lab1")):
        choice = Choice(host=host, baseline="lab2")
        assert table.make(newest, choice) == table.make(every, choice)
