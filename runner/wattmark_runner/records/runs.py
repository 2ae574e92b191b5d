"""Runs: the whole record of each, and each at a glance."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from wattmark_core.codec import from_json, to_json
from wattmark_core.errors import StoreError, UnknownRun
from wattmark_core.results import Score
from wattmark_runner.records.connections import Connections
from wattmark_runner.records.events import put_event
from wattmark_runner.records.listing import Listing
from wattmark_runner.records.model import RunRecord, RunSource, RunState
from wattmark_runner.records.scores import put_scores, score_of
from wattmark_scoring.window_facts import WindowFacts

_ROW: Final = (
    "seq, run_id, state, source, reason, workload, model, parameters, owner, labels, host,"
    " created_ns, started_ns, ended_ns,"
    " (SELECT b.body FROM scores s JOIN score_bodies b USING (id) WHERE s.seq = runs.seq"
    " AND s.boundary = runs.boundary AND s.formula = 'accuracy^2/energy')"
)
_RECORD: Final = (
    "SELECT body, NOT EXISTS (SELECT 1 FROM unpublished u WHERE u.run_id = runs.run_id),"
    " (SELECT f.body FROM window_facts f WHERE f.run_id = runs.run_id) FROM runs"
)
_STATE: Final = ("state", "reason")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run at a glance. Times are Unix ns; ``started_ns`` None: it waits in the queue."""

    seq: int
    run_id: str
    state: RunState
    source: RunSource
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


class Runs(Connections):
    """The runs in the database. Methods raise ``StoreError``."""

    def save(self, record: RunRecord) -> None:
        """Write a record with its scores; the same ``run_id`` again replaces it.

        A change of its state is an event, written in the same transaction.
        """
        with self.transaction() as connection:
            before = connection.execute(
                "SELECT state, reason FROM runs WHERE run_id = ?", (record.run_id,)
            ).fetchone()
            seq = _put_run(connection, record)
            now = (str(record.state), record.reason)
            if before != now:
                put_event(connection, record.run_id, "state", dict(zip(_STATE, now, strict=True)))
            put_scores(connection, seq, record)
            _mark(connection, record.run_id, published=record.published)
            _put_facts(connection, record)

    def load(self, run_id: str) -> RunRecord:
        """The whole record of one run. Raises ``UnknownRun``."""
        with self.transaction() as connection:
            row = connection.execute(f"{_RECORD} WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise UnknownRun(f"no run {run_id!r}; list what there is")
        return self._record(*row)

    def list(self) -> tuple[RunRecord, ...]:
        """All records, newest first."""
        with self.transaction() as connection:
            rows = connection.execute(f"{_RECORD} ORDER BY seq DESC").fetchall()
        return tuple(self._record(*row) for row in rows)

    def row(self, run_id: str) -> RunRow:
        """One run at a glance. Raises ``UnknownRun``."""
        rows = self.rows(Listing(1, equal={"run_id": run_id}))
        if not rows:
            raise UnknownRun(f"no run {run_id!r}; list what there is")
        return rows[0]

    def rows(self, listing: Listing) -> Sequence[RunRow]:
        """Runs at a glance, newest first."""
        where, values = listing.where()
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT {_ROW} FROM runs WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608 - our own columns
                [*values, listing.limit],
            ).fetchall()
        return [_row(*row) for row in rows]

    def queue(self) -> Sequence[str]:
        """The names of the runs that wait, oldest first."""
        return self.in_state(RunState.QUEUED)

    def in_state(self, *states: RunState) -> Sequence[str]:
        """The names of the runs in these states, oldest first."""
        marks = ",".join("?" * len(states))
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT run_id FROM runs WHERE state IN ({marks}) ORDER BY seq",  # noqa: S608 - question marks
                [str(state) for state in states],
            ).fetchall()
        return [run_id for (run_id,) in rows]

    def counts(self) -> dict[RunState, int]:
        """How many runs are in each state."""
        with self.transaction() as connection:
            rows = connection.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall()
        return {state: dict(rows).get(str(state), 0) for state in RunState}

    def mark(self, run_id: str, *, published: bool) -> None:
        """Note whether the store holds the windows and scores of a run as they are here."""
        with self.transaction() as connection:
            _mark(connection, run_id, published=published)

    def unpublished(self) -> Sequence[str]:
        """The runs of which the store may lack something that is here, newest first."""
        with self.transaction() as connection:
            rows = connection.execute(
                "SELECT run_id FROM unpublished JOIN runs USING (run_id) ORDER BY seq DESC"
            ).fetchall()
        return [run_id for (run_id,) in rows]

    def _record(self, body: str, published: int, facts: str | None) -> RunRecord:
        try:
            record = from_json(RunRecord, json.loads(body), exact=True)
            noted = json.loads(facts or "{}")
            record.facts = {name: from_json(WindowFacts, one) for name, one in noted.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{self.path} holds a run that cannot be read: {error}") from error
        record.published = bool(published)
        return record


def _put_run(connection: sqlite3.Connection, record: RunRecord) -> int:
    request = record.request
    waiting = record.state is RunState.QUEUED
    values = {
        "run_id": record.run_id, "state": str(record.state), "source": str(record.source),
        "reason": record.reason, "workload": request.workload, "model": request.model,
        "parameters": json.dumps(request.parameters), "owner": request.owner,
        "labels": json.dumps(request.labels), "host": record.host,
        "created_ns": record.created_ns, "started_ns": None if waiting else record.started_ns,
        "ended_ns": record.ended_ns, "boundary": str(request.main_boundary),
        "body": json.dumps(_body(record)),
    }  # fmt: skip
    changed = ",".join(f"{name} = excluded.{name}" for name in values if name != "run_id")
    (seq,) = connection.execute(
        f"INSERT INTO runs ({','.join(values)}) VALUES ({','.join('?' * len(values))})"  # noqa: S608 - our own columns
        f" ON CONFLICT (run_id) DO UPDATE SET {changed} RETURNING seq",
        list(values.values()),
    ).fetchone()
    return int(seq)


def _body(record: RunRecord) -> dict[str, Any]:
    """The record without what tables hold: an older program could not read it."""
    body: dict[str, Any] = to_json(record)
    del body["published"], body["facts"]
    return body


def _put_facts(connection: sqlite3.Connection, record: RunRecord) -> None:
    body = json.dumps(to_json(record.facts))
    connection.execute("INSERT OR REPLACE INTO window_facts VALUES (?,?)", (record.run_id, body))


def _mark(connection: sqlite3.Connection, run_id: str, *, published: bool) -> None:
    if published:
        connection.execute("DELETE FROM unpublished WHERE run_id = ?", (run_id,))
    else:
        connection.execute("INSERT OR IGNORE INTO unpublished VALUES (?)", (run_id,))


def _row(seq: int, run_id: str, state: str, source: str, reason: str, workload: str, model: str,
         parameters: str, owner: str, labels: str, host: str, created_ns: int,
         started_ns: int | None, ended_ns: int | None, score: str | None) -> RunRow:  # fmt: skip
    return RunRow(
        seq, run_id, RunState(state), RunSource(source), reason, workload, model,
        json.loads(parameters), owner, json.loads(labels), host, created_ns, started_ns, ended_ns,
        None if score is None else score_of(score),
    )  # fmt: skip
