"""The run database: runs, scores, windows and events come back; lists page and filter."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.errors import StoreError, UnknownRun
from wattmark_core.results import ENERGY_SCORE, Boundary, Phase, Score, Verdict, Window
from wattmark_runner.records.database import Answer, Listing, RunDatabase, WindowRow, score_of
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.views.tables import TABLES as PAPER_TABLES
from wattmark_runner.views.tables import Choice
from wattmark_scoring.window_facts import WindowFacts


@pytest.fixture
def database(tmp_path: Path) -> RunDatabase:
    """An empty one."""
    return RunDatabase(tmp_path / "runner.sqlite")


def make_record(
    run_id: str, model: str = "m", time_ns: int = 1, value: float | None = 1.0,
    verdict: Verdict = Verdict.VALID, method: Method = Method.COUNTER, **request: object,
) -> RunRecord:  # fmt: skip
    """A run that has ended, with one score."""
    score = Score(
        run_id, "here", model, "digits", Boundary.CPU, ENERGY_SCORE, time_ns, method, verdict,
        value, value, value,
    )  # fmt: skip
    return RunRecord(
        run_id, RunRequest("digits", model, **request),  # type: ignore[arg-type]  # fields of it
        RunState.DONE, "here", "boot", "instance", 0, time_ns, scores=(score,),
    )  # fmt: skip


def test_runs_are_filtered_and_paged(database: RunDatabase) -> None:
    """Newest first, by page, by column and by label; a later save keeps a run's place."""
    for number in range(5):
        labels = {"odd": str(number % 2), "a'b": 'c"d'}
        database.save(make_record(f"run-{number}", owner="me", labels=labels))
    database.save(make_record("run-0", owner="you", labels={}))
    assert [r.run_id for r in database.rows(Listing(2))] == ["run-4", "run-3"]
    third = database.rows(Listing(2))[-1].seq
    assert [r.run_id for r in database.rows(Listing(9, third))] == ["run-2", "run-1", "run-0"]
    assert [r.run_id for r in database.rows(Listing(9, equal={"owner": "you"}))] == ["run-0"]
    odd = database.rows(Listing(9, labels={"odd": "1", "a'b": 'c"d'}))
    assert [r.run_id for r in odd] == ["run-3", "run-1"]
    assert odd[0].score == make_record("run-3").scores[0]


def test_the_newest_score_that_ranks_is_compared(database: RunDatabase) -> None:
    """Of each model the newest that can be ranked; an invalid one only if it is newer; estimated
    ones beside measured ones."""
    database.save(make_record("old", "a", 1, 1.0))
    database.save(make_record("new", "a", 2, 2.0))
    database.save(make_record("spoilt", "a", 3, 3.0, Verdict.INVALID))
    database.save(make_record("bad-before", "b", 1, None, Verdict.INVALID))
    database.save(make_record("good", "b", 2, 5.0))
    database.save(make_record("guess", "b", 1, 9.0, method=Method.ESTIMATED))
    bodies = database.compared({"formula": ENERGY_SCORE})
    assert {score_of(body).run_id for body in bodies} == {"new", "spoilt", "good", "guess"}
    assert database.compared({"formula": "another"}) == []


def test_a_valid_score_is_preferred_to_a_newer_warned_one(database: RunDatabase) -> None:
    """And to any number of them; a warned one counts where no valid one is, and hides no newer
    invalid one."""
    database.save(make_record("a-old", "a", 1, 1.0))
    database.save(make_record("a-valid", "a", 2, 2.0))
    database.save(make_record("a-warned", "a", 3, 9.0, Verdict.WARNED))
    database.save(make_record("a-spoilt", "a", 2, 9.0, Verdict.INVALID))
    database.save(make_record("b-first", "b", 1, 1.0, Verdict.WARNED))
    database.save(make_record("b-last", "b", 2, 2.0, Verdict.WARNED))
    database.save(make_record("c-valid", "c", 1, 1.0))
    database.save(make_record("c-warned", "c", 2, 1.0, Verdict.WARNED))
    database.save(make_record("c-spoilt", "c", 3, 1.0, Verdict.INVALID))
    expected = {"a-valid", "b-last", "c-valid", "c-spoilt"}
    bodies = database.compared({"formula": ENERGY_SCORE})
    assert {score_of(body).run_id for body in bodies} == expected
    assert {score.run_id for scores in database.newest_runs() for score in scores} == expected
    every = [record.scores for record in database.list()]
    of_all, of_newest = (
        [row for table in PAPER_TABLES["1"].make(runs, Choice()) for row in table.rows]
        for runs in (every, database.compared_runs({"formula": ENERGY_SCORE}))
    )
    assert of_all == of_newest


def test_facts_of_windows_come_back(database: RunDatabase) -> None:
    """They stand beside the record, so that an older program can read that."""
    record = make_record("noted")
    facts = WindowFacts(0.5, 0.0, 1.5, 8.0, others=("you",), claims={"v": "theirs"})
    record.facts = {"w": facts}
    database.save(record)
    assert database.load("noted") == record
    with closing(sqlite3.connect(database.path)) as connection:
        (body,) = connection.execute("SELECT body FROM runs").fetchone()
    assert "facts" not in json.loads(body)


def test_other_settings_and_gpus_are_compared_too(database: RunDatabase) -> None:
    """A run on another framework, or another GPU, is not a newer one of the same."""
    for number, (settings, gpu) in enumerate([("", ""), ("backend=torch", ""), ("", "GPU-1")]):
        record = make_record(f"run-{number}", "a", number)
        record.scores = (replace(record.scores[0], settings=settings, gpu=gpu),)
        database.save(record)
    database.save(make_record("newer", "a", 9))
    bodies = database.compared({"formula": ENERGY_SCORE})
    assert {score_of(body).run_id for body in bodies} == {"newer", "run-1", "run-2"}


def test_an_older_program_can_read_what_the_store_lacks(database: RunDatabase) -> None:
    """Whether the store has a run's results stands beside the record, which has no field that a
    program of the same version of the file does not know; it comes back with it."""
    for number in range(2):
        record = make_record(f"run-{number}")
        record.published = bool(number)
        database.save(record)
    with closing(sqlite3.connect(database.path)) as connection:
        bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM runs")]
    assert len(bodies) == 2
    assert not any("published" in body for body in bodies)
    assert [record.published for record in database.list()] == [True, False]
    assert not database.load("run-0").published
    database.mark("run-0", published=True)
    assert database.load("run-0").published


def test_scores_page_without_gap(database: RunDatabase) -> None:
    """Page after page gives every score once; scoring again replaces, and adds none."""
    for number in range(7):
        database.save(make_record(f"run-{number}"))
    database.save(make_record("run-3", value=8.0))
    seen: list[str] = []
    cursor = None
    while rows := database.scores(Listing(3, cursor, place="id")):
        seen += [score_of(body).run_id for _, body in rows]
        cursor = rows[-1][0]
    assert sorted(seen) == [f"run-{number}" for number in range(7)]
    assert seen[0] == "run-3"


def test_windows_come_back_equal(database: RunDatabase) -> None:
    """A window keeps its place when it closes; all that is known of it returns."""
    window = Window("w", "here", Phase.IDLE, 1, 1, run_id="r")
    database.put_window(WindowRow(window, max_seconds=5.0))
    database.put_window(WindowRow(replace(window, window_id="later")))
    closed = WindowRow(replace(window, end_ns=2), "closed", "client", None, ("a warning",))
    database.put_window(closed)
    assert database.window("w") == replace(closed, seq=1)
    assert [row.window.window_id for row in database.windows(Listing(9))] == ["later", "w"]
    assert [row.window.window_id for row in database.open_windows("r")] == ["later"]


def test_events_are_replayed_in_order(database: RunDatabase) -> None:
    """Events after a number, of one run; progress is forgotten, the rest stays."""
    for kind in ("state", "progress", "window"):
        database.add_event("r", kind, {"kind": kind})
        database.add_event("another", kind, {})
    first = database.events("r")[0]
    assert [event.kind for event in database.events("r", first.id)] == ["progress", "window"]
    database.forget_progress("r")
    assert [event.body for event in database.events("r")] == [{"kind": "state"}, {"kind": "window"}]


def test_an_answer_is_kept_for_its_time(database: RunDatabase) -> None:
    """The answer to a key comes back whole, until it is too old."""
    answer = Answer("print", 202, [("location", "/x")], b"\x00body")
    database.put_answer("key", answer, 60.0)
    assert database.answer("key") == answer
    database.put_answer("other", answer, -1.0)
    assert database.answer("key") is None


def test_what_is_not_there_is_said(database: RunDatabase) -> None:
    """An unknown run or window is one line."""
    for ask in (database.load, database.row, database.window):
        with pytest.raises(UnknownRun, match="'x'"):
            ask("x")


def test_a_file_of_another_version_is_refused(database: RunDatabase) -> None:
    """One that this version does not know is left as it is."""
    connection = sqlite3.connect(database.path)
    connection.execute("CREATE TABLE runs (run_id TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="another version"):
        database.list()
