"""Scores: their columns, by which they are chosen and shown in tables, and the JSON of each."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from wattmark_core.codec import from_json, to_json
from wattmark_core.results import Score
from wattmark_runner.records.connections import Connections
from wattmark_runner.records.listing import Listing
from wattmark_runner.records.model import RunRecord
from wattmark_runner.records.schema import VARIANT
from wattmark_runner.records.score_columns import NAMES, put_columns, score_from


class Scores(Connections):
    """The scores in the database. Methods raise ``StoreError``."""

    def scores(self, listing: Listing) -> Sequence[tuple[int, str]]:
        """Scores as JSON, last scored first, with the place of each.

        Not decoded: a page of them is 350 kB, and they go out as they are.
        """
        where, values = listing.where()
        with self.transaction() as connection:
            return connection.execute(
                f"SELECT id, body FROM scores JOIN score_bodies USING (id) WHERE {where}"  # noqa: S608 - our own columns
                " ORDER BY id DESC LIMIT ?",
                [*values, listing.limit],
            ).fetchall()

    def compared(self, equal: Mapping[str, str]) -> Sequence[str]:
        """The scores to rank, as JSON: of each host and GPU, model and settings, workload, boundary
        and method the newest that can be ranked, a valid one if there is any, and the newest that
        cannot where none is newer."""
        with self.transaction() as connection:
            chosen = json.dumps([number for number, _ in _newest(connection, equal)])
            rows = connection.execute(
                "SELECT b.body FROM json_each(?) AS chosen JOIN score_bodies b"
                " ON b.id = chosen.value ORDER BY chosen.key",
                [chosen],
            ).fetchall()
        return [body for (body,) in rows]

    def compared_runs(self, equal: Mapping[str, str]) -> Sequence[tuple[Score, ...]]:
        """For each run of the scores to rank all its scores, without their checks.

        What a score lacks and its run knows is filled in: see ``RunRecord.completed_scores``.
        """
        with self.transaction() as connection:
            return _of_runs(connection, _newest(connection, equal))

    def newest_runs(self) -> Sequence[tuple[Score, ...]]:
        """The same, where a score that is not invalid need have no value."""
        with self.transaction() as connection:
            return _of_runs(connection, _newest(connection, {}, "verdict <> 'invalid'"))


def put_scores(connection: sqlite3.Connection, seq: int, record: RunRecord) -> None:
    """Write a run's scores within a transaction, in the place of those before."""
    connection.execute(
        "DELETE FROM score_bodies WHERE id IN (SELECT id FROM scores WHERE seq = ?)", (seq,)
    )
    connection.execute("DELETE FROM scores WHERE seq = ?", (seq,))
    for score in record.scores:
        body = to_json(score)
        place = connection.execute(
            "INSERT INTO score_bodies (body) VALUES (?)", (json.dumps(body),)
        ).lastrowid
        put_columns(connection, (place, seq), body, record.known_of_scores)


def score_of(body: str) -> Score:
    """A score from its JSON."""
    return from_json(Score, json.loads(body))


def _newest(
    connection: sqlite3.Connection, equal: Mapping[str, str], good: str = "rankable"
) -> Iterator[tuple[int, int]]:
    """Id and run of each variant's newest score that is ``good``, and of a newer one that is
    not. A valid one goes before a warned one, however much newer that is."""
    where, values = Listing(0, equal=equal).where()
    rows = connection.execute(
        f"SELECT id, seq, max(time_ns), ({good}) + ({good} AND verdict = 'valid') AS rank,"  # noqa: S608 - our own columns
        f" {VARIANT} FROM scores WHERE {where}"
        f" GROUP BY {VARIANT}, rank ORDER BY {VARIANT}, rank",
        values,
    ).fetchall()
    for _, grouped in groupby(rows, lambda row: row[4:]):
        of_variant = list(grouped)
        ranked = [row for row in of_variant if row[3]]
        newest_ns = max((row[2] for row in ranked), default=-1)
        newer = [row for row in of_variant if not row[3] and row[2] > newest_ns]
        yield from (row[:2] for row in (*newer, *ranked[-1:]))


def _of_runs(
    connection: sqlite3.Connection, chosen: Iterator[tuple[int, int]]
) -> Sequence[tuple[Score, ...]]:
    """All scores of the runs that the chosen ones are of; oldest run first."""
    runs = json.dumps(sorted({seq for _, seq in chosen}))
    rows = connection.execute(
        f"SELECT seq, {NAMES} FROM scores WHERE seq IN (SELECT value FROM json_each(?))"  # noqa: S608 - fields of a dataclass
        " ORDER BY seq, id",
        [runs],
    ).fetchall()
    by_run = [[score_from(row[1:]) for row in of_run] for _, of_run in groupby(rows, _seq)]
    return [tuple(score for score in scores if score is not None) for scores in by_run]


def _seq(row: tuple[Any, ...]) -> Any:
    return row[0]
