"""Windows and scores that another version wrote: what cannot be read is left out, nothing else."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.influxdb.servers import KINDS, server_of, write
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_store import Showing, Store, open_store

CHECK = Check("gap", Verdict.WARNED, 0.5, 0.2, "s", "late")
SCORE = Score(
    "r1", "h1", "m", "digits", Boundary.CPU, "paper", 50, Method.COUNTER, Verdict.VALID, 1.5, 1.0,
    2.0, checks=(CHECK,),
)  # fmt: skip
WINDOW = Window("w1", "h1", Phase.INFERENCE, 100, 200, "m", "digits", "r1")
Rewrite = Callable[[str, str, object], None]
"""Puts another value in a column of the only row of a table."""


@pytest.fixture(params=["sqlite", *KINDS])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Rewrite]]:
    """Each store with a window and a score, and what changes them as nobody here would."""
    path = tmp_path / "store.sqlite"
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{path}")
    else:
        pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
        server = server_of(request)
        server.make_databases()
        store = open_store(server.url("admin"), server.password_file("admin"))

    def in_file(table: str, column: str, value: object) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f'UPDATE "{table}" SET {column} = ?', (value,))
            connection.commit()

    def in_series(table: str, column: str, value: object) -> None:
        held = {"score": "host=h1,model=m,run_id=r1,workload=digits,boundary=cpu,formula=paper",
                "window": "host=h1,model=m,run_id=r1,workload=digits,phase=inference"}  # fmt: skip
        time_ns = {"score": 50, "window": 100}[table]
        point = {"score": 'verdict="valid",value=1.5', "window": 'window_id="w1",end_ns=200i'}
        tags = held[table].split(",")
        if any(tag.startswith(f"{column}=") for tag in tags):
            tags = [f"{column}={value}" if t.startswith(f"{column}=") else t for t in tags]
            write(server, f"{table},{','.join(tags)} {point[table]} {time_ns}", "results")
        else:
            text = json.dumps(value, ensure_ascii=False)
            write(server, f"{table},{held[table]},variant=m,place=h1 {column}={text} {time_ns}"
                  if table == "score" else f"{table},{held[table]} {column}={text} {time_ns}",
                  "results")  # fmt: skip

    yield store, in_file if request.param == "sqlite" else in_series
    store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [("verdict", "doubtful"), ("method", "guessed"), ("boundary", "node"), ("checks", "[{}]"),
     ("checks", "none")],
)  # fmt: skip
def test_a_score_that_cannot_be_read_is_left_out(
    opened: tuple[Store, Rewrite], column: str, value: object
) -> None:
    """It, or the one beside it; others are read, and can be written."""
    store, rewrite = opened
    store.put_score(SCORE)
    rewrite("score", column, value)
    other = replace(SCORE, run_id="r2")
    store.put_score(other)
    if isinstance(store, Showing):
        known = [replace(score, checks=()) for score in store.scores()]
        if column != "checks":
            assert store.energy_scores("digits", "paper") == known
    assert [score for score in store.scores() if score != SCORE] == [other]
    assert [score.run_id for score in store.scores()].count("r1") == int(
        column == "boundary" and isinstance(store, Showing)
    )
    store.put_score(SCORE)
    assert store.scores() == [SCORE, other]


@pytest.mark.parametrize(("column", "value"), [("phase", "nap"), ("boundary", "node")])
def test_a_window_that_cannot_be_read_is_left_out(
    opened: tuple[Store, Rewrite], column: str, value: object
) -> None:
    """And can be written again as one that can."""
    store, rewrite = opened
    store.put_window(WINDOW)
    rewrite("window", column, value)
    assert [window for window in store.windows() if window != WINDOW] == []
    store.put_window(WINDOW)
    assert store.windows() == [WINDOW]


def test_what_a_check_has_beside_its_own_is_set_aside(opened: tuple[Store, Rewrite]) -> None:
    """The score is read, with the check as far as it is known."""
    store, rewrite = opened
    store.put_score(SCORE)
    rewrite("score", "checks", json.dumps([{**asdict(CHECK), "since": 3}]))
    assert store.scores() == [SCORE]


def test_a_run_keeps_no_score_that_it_has_no_longer(opened: tuple[Store, Rewrite]) -> None:
    """Those of another formula, boundary or time go; other runs' stay."""
    store, _ = opened
    other = replace(SCORE, run_id="r2")
    newest = replace(SCORE, settings="batch_size=1")
    for score in (other, newest, replace(SCORE, formula="mine", value=None, method=None),
                  replace(SCORE, boundary=Boundary.GPU)):  # fmt: skip
        store.put_score(score)
    store.keep_scores("r1", [newest])
    assert store.scores() == [newest, other]
    store.keep_scores("r1", [newest])
    assert store.scores() == [newest, other]
    store.keep_scores("r1", [])
    assert store.scores() == [other]
