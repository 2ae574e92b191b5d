"""The ledger: every run, queued to ended, with its record, scores, windows and events.

One SQLite file, authoritative for runs. Any thread or process may use it.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from wattmark_core.catalogue import Method
from wattmark_core.codec import from_json, to_json
from wattmark_core.errors import StoreError, WattmarkError
from wattmark_core.results import Score, Window
from wattmark_runner.records.model import RunRecord, RunState, Source, main_boundary
from wattmark_runner.records.schema import make_tables

MANY: Final = 1_000_000
_PLACE: Final = "formula, host, gpu, model, settings, workload, boundary, estimated"
"""What tells scores apart that are not each other's newer ones."""


class UnknownRun(WattmarkError):
    """The ledger holds no run, or no window, of that name."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run at a glance. Times are Unix ns; ``started_ns`` None: it waits in the queue."""

    seq: int
    run_id: str
    state: RunState
    source: Source
    reason: str
    workload: str
    model: str
    parameters: dict[str, Any]
    owner: str
    labels: dict[str, str]
    host: str
    created_ns: int
    started_ns: int | None
    ended_ns: int | None
    score: Score | None
    """accuracy² / energy within the boundary that the run is about."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run; ``id`` grows."""

    id: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer given before to the same request."""

    fingerprint: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window of code that runs elsewhere. ``end_ns`` of ``window`` is its start while open."""

    window: Window
    state: str = "open"
    clock: str = "server"
    max_seconds: float | None = None
    warnings: tuple[str, ...] = ()
    seq: int = 0


_LABELLED: Final = "EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND value = ?)"


@dataclass(frozen=True, slots=True)
class Page:
    """What to list: ``equal`` column → value, ``labels`` that a run must have, newest first from
    before ``before`` (exclusive)."""

    limit: int
    before: int | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    place: str = "seq"

    def where(self) -> tuple[str, list[Any]]:
        """Its conditions in SQL with their values; column names are ours, never the caller's."""
        conditions: list[str] = ["1"]
        values: list[Any] = []
        for name, value in self.equal.items():
            conditions.append(f"{name} = ?")
            values.append(value)
        for name, value in self.labels.items():
            conditions.append(
                "EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND value = ?)"
            )
            values += [name, value]
        if self.before is not None:
            conditions.append(f"{self.place} < ?")
            values.append(self.before)
        return " AND ".join(conditions), values


_ROW: Final = (
    "seq, run_id, state, source, reason, workload, model, parameters, owner, labels, host,"
    " created_ns, started_ns, ended_ns,"
    " (SELECT s.body FROM scores s WHERE s.seq = runs.seq AND s.boundary = runs.boundary"
    " AND s.formula = 'accuracy^2/energy')"
)


_RECORDS: Final = (
    "SELECT body, NOT EXISTS (SELECT 1 FROM unpublished u WHERE u.run_id = runs.run_id) FROM runs"
)


class RunDatabase:
    """Runs in the file ``path``, which is made if it is not there.

    All methods raise ``StoreError`` with one line; ``UnknownRun`` for what it does not hold.
    Connections are kept until ``close``: opening one costs as much as three transactions.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made = False
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()

    def close(self) -> None:
        """Close the kept connections; the next call opens one again."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    # Runs

    def save(self, record: RunRecord) -> None:
        """Write a record with its scores; the same ``run_id`` again replaces it.

        A change of its state is an event, written in the same transaction.
        """
        with self._connection() as connection:
            before = connection.execute(
                "SELECT state, reason FROM runs WHERE run_id = ?", (record.run_id,)
            ).fetchone()
            seq = _put_run(connection, record)
            now = (str(record.state), record.reason)
            if before != now:
                _put_event(connection, record.run_id, "state", dict(zip(_STATE, now, strict=True)))
            connection.execute("DELETE FROM scores WHERE seq = ?", (seq,))
            connection.executemany(
                "INSERT INTO scores VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                [_score_row(seq, score) for score in record.scores],
            )
            _mark(connection, record.run_id, published=record.published)

    def load(self, run_id: str) -> RunRecord:
        """The whole record of one run."""
        with self._connection() as connection:
            row = connection.execute(f"{_RECORDS} WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise UnknownRun(f"no run {run_id!r}; list what there is")
        return self._record(*row)

    def list(self) -> tuple[RunRecord, ...]:
        """All records, newest first."""
        with self._connection() as connection:
            rows = connection.execute(f"{_RECORDS} ORDER BY seq DESC").fetchall()
        return tuple(self._record(*row) for row in rows)

    def row(self, run_id: str) -> RunRow:
        """One run at a glance."""
        found = self.rows(Page(1, equal={"run_id": run_id}))
        if not found:
            raise UnknownRun(f"no run {run_id!r}; list what there is")
        return found[0]

    def rows(self, page: Page) -> Sequence[RunRow]:
        """Runs, newest first."""
        where, values = page.where()
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT {_ROW} FROM runs WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - our own columns
                [*values, page.limit],
            ).fetchall()
        return [_row(*row) for row in rows]

    def queue(self) -> Sequence[str]:
        """The names of the runs that wait, oldest first."""
        return self.in_state(RunState.QUEUED)

    def in_state(self, *states: RunState) -> Sequence[str]:
        """The names of the runs in these states, oldest first."""
        marks = ",".join("?" * len(states))
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT run_id FROM runs WHERE state IN ({marks}) ORDER BY seq",  # noqa: S608
                [str(state) for state in states],
            ).fetchall()
        return [run_id for (run_id,) in rows]

    def counts(self) -> dict[RunState, int]:
        """How many runs are in each state."""
        with self._connection() as connection:
            rows = connection.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall()
        return {state: dict(rows).get(str(state), 0) for state in RunState}

    def mark(self, run_id: str, *, published: bool) -> None:
        """Note whether the store holds the windows and scores of a run as they are here."""
        with self._connection() as connection:
            _mark(connection, run_id, published=published)

    def unpublished(self) -> Sequence[str]:
        """The runs of which the store may lack something that is here, newest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT run_id FROM unpublished JOIN runs USING (run_id) ORDER BY seq DESC"
            ).fetchall()
        return [run_id for (run_id,) in rows]

    # Scores

    def scores(self, page: Page) -> Sequence[tuple[int, str]]:
        """Scores as JSON, last scored first, with the place of each.

        Not decoded: a page of them is 350 kB, and they go out as they are.
        """
        where, values = page.where()
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT id, body FROM scores WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
                [*values, page.limit],
            ).fetchall()
        return [(place, body) for place, body in rows]

    def compared(self, equal: Mapping[str, str]) -> Sequence[Score]:
        """The scores to rank: of each host and GPU, model and settings, workload, boundary and
        method the newest that can be ranked, and the newest that cannot where none is newer."""
        where, values = Page(0, equal=equal).where()
        fit = "verdict <> 'invalid' AND value IS NOT NULL"
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT id, max(time_ns), {fit}, {_PLACE} FROM scores WHERE {where}"  # noqa: S608
                f" GROUP BY {_PLACE}, {fit}",
                values,
            ).fetchall()
            bodies = [
                connection.execute("SELECT body FROM scores WHERE id = ?", (row[0],)).fetchone()[0]
                for row in _newest(rows)
            ]
        return [score_of(body) for body in bodies]

    # Windows from elsewhere

    def put_window(self, row: WindowRow) -> None:
        """Write a window; the same ``window_id`` again replaces it and keeps its place."""
        body = json.dumps(to_json(row))
        window = row.window
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO windows (window_id, run_id, state, body) VALUES (?,?,?,?)"
                " ON CONFLICT (window_id) DO UPDATE SET state = excluded.state,"
                " body = excluded.body",
                (window.window_id, window.run_id, row.state, body),
            )

    def window(self, window_id: str) -> WindowRow:
        """One window."""
        found = self.windows(Page(1, equal={"window_id": window_id}))
        if not found:
            raise UnknownRun(f"no window {window_id!r}; list what there is")
        return found[0]

    def windows(self, page: Page) -> Sequence[WindowRow]:
        """Windows, newest first."""
        where, values = page.where()
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT seq, body FROM windows WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608
                [*values, page.limit],
            ).fetchall()
        return [
            from_json(WindowRow, json.loads(body) | {"seq": seq}, exact=True) for seq, body in rows
        ]

    def open_windows(self, run_id: str) -> Sequence[WindowRow]:
        """The windows of a run that have not closed."""
        return self.windows(Page(MANY, equal={"run_id": run_id, "state": "open"}))

    # Events

    def add_event(self, run_id: str, kind: str, body: Mapping[str, Any]) -> None:
        """Note something that happened in a run."""
        with self._connection() as connection:
            _put_event(connection, run_id, kind, body)

    def events(self, run_id: str, after: int = 0) -> Sequence[Event]:
        """What happened in a run after event ``after``, in order."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, kind, body FROM events WHERE run_id = ? AND id > ? ORDER BY id",
                (run_id, after),
            ).fetchall()
        return [Event(number, kind, json.loads(body)) for number, kind, body in rows]

    def forget_progress(self, run_id: str) -> None:
        """Drop the progress of a run that is over; what happened in it stays."""
        with self._connection() as connection:
            connection.execute(
                "DELETE FROM events WHERE run_id = ? AND kind = 'progress'", (run_id,)
            )

    # Answers to requests with an Idempotency-Key

    def answer(self, key: str) -> Answer | None:
        """The answer given under ``key`` before."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT fingerprint, status, headers, body FROM answers WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        return Answer(row[0], row[1], [(n, v) for n, v in json.loads(row[2])], row[3])

    def put_answer(self, key: str, answer: Answer, forget_seconds: float) -> None:
        """Keep an answer, and forget those older than ``forget_seconds``."""
        now = time.time_ns()
        with self._connection() as connection:
            connection.execute(
                "DELETE FROM answers WHERE created_ns < ?", (now - int(forget_seconds * 1e9),)
            )
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,?)",
                (key, answer.fingerprint, now, answer.status, json.dumps(answer.headers),
                 answer.body),
            )  # fmt: skip

    def _record(self, body: str, published: int) -> RunRecord:
        try:
            record = from_json(RunRecord, json.loads(body), exact=True)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{self.path} holds a run that cannot be read: {error}") from error
        record.published = bool(published)
        return record

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end, or not at all."""
        try:
            connection = self._take()
            try:
                with connection:
                    yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.put(connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"run records {self.path}: {error}; choose another file or make room"
            ) from error

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._open()

    def _open(self) -> sqlite3.Connection:
        if not self._made:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        # One thread at a time uses it, though not always the same.
        connection = sqlite3.connect(self.path, timeout=30.0, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            if not self._made:
                make_tables(connection, self.path)
                self._made = True
        except BaseException:
            connection.close()
            raise
        return connection


def _put_run(connection: sqlite3.Connection, record: RunRecord) -> int:
    request = record.request
    waiting = record.state is RunState.QUEUED
    values = {
        "run_id": record.run_id, "state": str(record.state), "source": str(record.source),
        "reason": record.reason, "workload": request.workload, "model": request.model,
        "parameters": json.dumps(request.parameters), "owner": request.owner,
        "labels": json.dumps(request.labels), "host": record.host,
        "created_ns": record.created_ns, "started_ns": None if waiting else record.started_ns,
        "ended_ns": record.ended_ns, "boundary": str(main_boundary(record)),
        "body": json.dumps(_body(record)),
    }  # fmt: skip
    changed = ",".join(f"{name} = excluded.{name}" for name in values if name != "run_id")
    (seq,) = connection.execute(
        f"INSERT INTO runs ({','.join(values)}) VALUES ({','.join('?' * len(values))})"  # noqa: S608
        f" ON CONFLICT (run_id) DO UPDATE SET {changed} RETURNING seq",
        list(values.values()),
    ).fetchone()
    return int(seq)


def _body(record: RunRecord) -> dict[str, Any]:
    """The record without what a table holds: an older program could not read it."""
    body: dict[str, Any] = to_json(record)
    del body["published"]
    return body


def _mark(connection: sqlite3.Connection, run_id: str, *, published: bool) -> None:
    if published:
        connection.execute("DELETE FROM unpublished WHERE run_id = ?", (run_id,))
    else:
        connection.execute("INSERT OR IGNORE INTO unpublished VALUES (?)", (run_id,))


_STATE: Final = ("state", "reason")


def _put_event(
    connection: sqlite3.Connection, run_id: str, kind: str, body: Mapping[str, Any]
) -> None:
    connection.execute(
        "INSERT INTO events (run_id, kind, body) VALUES (?, ?, ?)", (run_id, kind, json.dumps(body))
    )


def _score_row(seq: int, score: Score) -> tuple[Any, ...]:
    return (
        seq, score.run_id, str(score.boundary), score.formula, score.host, score.model,
        score.workload, score.time_ns, score.method is Method.ESTIMATED, str(score.verdict),
        score.value, json.dumps(to_json(score)), score.settings, score.gpu,
    )  # fmt: skip


def score_of(body: str) -> Score:
    """A score from its JSON."""
    return from_json(Score, json.loads(body))


def _row(seq: int, run_id: str, state: str, source: str, reason: str, workload: str, model: str,
         parameters: str, owner: str, labels: str, host: str, created_ns: int,
         started_ns: int | None, ended_ns: int | None, score: str | None) -> RunRow:  # fmt: skip
    return RunRow(
        seq, run_id, RunState(state), Source(source), reason, workload, model,
        json.loads(parameters), owner, json.loads(labels), host, created_ns, started_ns, ended_ns,
        None if score is None else score_of(score),
    )  # fmt: skip


def _newest(rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Of rows (id, time, fit, place …) all that fit, and the unfit that are newer."""
    fit = {row[3:]: row[1] for row in rows if row[2]}
    return [row for row in rows if row[2] or row[1] > fit.get(row[3:], -1)]
