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
    """Scores. Methods raise ``StoreError``."""

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
        and method the newest that can be ranked, and the newest that cannot where none is newer."""
        with self.transaction() as connection:
            chosen = json.dumps([number for number, _ in _newest(connection, equal)])
            rows = connection.execute(
                "SELECT b.body FROM json_each(?) AS chosen JOIN score_bodies b"
                " ON b.id = chosen.value ORDER BY chosen.key",
                [chosen],
            ).fetchall()
        return [body for (body,) in rows]

    def compared_runs(self, equal: Mapping[str, str]) -> Sequence[tuple[Score, ...]]:
        """For each run of the scores to rank all its scores, as ``all_scored`` gives them."""
        with self.transaction() as connection:
            runs = json.dumps(list(dict.fromkeys(seq for _, seq in _newest(connection, equal))))
            return _of_runs(connection, "WHERE seq IN (SELECT value FROM json_each(?))", [runs])

    def all_scored(self) -> Sequence[tuple[Score, ...]]:
        """For each run that has any its scores, oldest run first, without their checks.

        What a score lacks and its run knows is filled in: see ``RunRecord.completed_scores``.
        """
        with self.transaction() as connection:
            return _of_runs(connection, "", [])


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


def _newest(connection: sqlite3.Connection, equal: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Id and run of each variant's newest rankable score, and of a newer one that is not."""
    where, values = Listing(0, equal=equal).where()
    rows = connection.execute(
        f"SELECT id, seq, max(time_ns), rankable, {VARIANT} FROM scores WHERE {where}"  # noqa: S608 - our own columns
        f" GROUP BY {VARIANT}, rankable ORDER BY {VARIANT}, rankable",
        values,
    ).fetchall()
    newest = {tuple(variant): time_ns for _, _, time_ns, rankable, *variant in rows if rankable}
    for number, seq, time_ns, rankable, *variant in rows:
        if rankable or time_ns > newest.get(tuple(variant), -1):
            yield number, seq


def _of_runs(
    connection: sqlite3.Connection, where: str, values: Sequence[Any]
) -> Sequence[tuple[Score, ...]]:
    rows = connection.execute(
        f"SELECT seq, {NAMES} FROM scores {where} ORDER BY seq, id",  # noqa: S608 - our own columns
        values,
    ).fetchall()
    runs = []
    for _, of_run in groupby(rows, key=lambda row: row[0]):
        scores = (score_from(row[1:]) for row in of_run)
        runs.append(tuple(score for score in scores if score is not None))
    return runs
