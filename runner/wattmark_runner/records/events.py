"""What happened in each run, in order."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wattmark_runner.records.connections import Connections

PROGRESS: Final = "progress"
MOST_PROGRESS: Final = 1000
"""Events of progress of one run: half an hour, which nobody needs who follows."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run; ``id`` grows."""

    id: int
    kind: str
    body: dict[str, Any]


class Events(Connections):
    """The events of runs. Methods raise ``StoreError``."""

    def add_event(self, run_id: str, kind: str, body: Mapping[str, Any]) -> None:
        """Note something that happened in a run. Of progress the last ``MOST_PROGRESS`` at most
        are kept."""
        with self.transaction() as connection:
            number = put_event(connection, run_id, kind, body)
            if kind == PROGRESS:
                connection.execute(
                    "DELETE FROM events WHERE run_id = ? AND id <= ? AND kind = ?",
                    (run_id, number - MOST_PROGRESS, PROGRESS),
                )

    def events(self, run_id: str, after: int = 0) -> Sequence[RunEvent]:
        """What happened in a run after event ``after``, in order."""
        with self.transaction() as connection:
            rows = connection.execute(
                "SELECT id, kind, body FROM events WHERE run_id = ? AND id > ? ORDER BY id",
                (run_id, after),
            ).fetchall()
        return [RunEvent(number, kind, json.loads(body)) for number, kind, body in rows]

    def forget_progress(self, run_id: str) -> None:
        """Drop the progress of a run that is over; its other events stay."""
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM events WHERE run_id = ? AND kind = ?", (run_id, PROGRESS)
            )


def put_event(
    connection: sqlite3.Connection, run_id: str, kind: str, body: Mapping[str, Any]
) -> int:
    """Write an event within a transaction; its id."""
    number = connection.execute(
        "INSERT INTO events (run_id, kind, body) VALUES (?, ?, ?)", (run_id, kind, json.dumps(body))
    ).lastrowid
    return number or 0
