"""Answers to requests with an ``Idempotency-Key``, so that one sent twice is carried out once."""

import json
import time
from dataclasses import dataclass

from wattmark_runner.records.connections import Connections


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer given before to the same request."""

    fingerprint: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Answers(Connections):
    """Answers by the key of their request. Methods raise ``StoreError``."""

    def answer(self, key: str) -> Answer | None:
        """The answer given under ``key`` before."""
        with self.transaction() as connection:
            row = connection.execute(
                "SELECT fingerprint, status, headers, body FROM answers WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        return Answer(row[0], row[1], [(n, v) for n, v in json.loads(row[2])], row[3])

    def put_answer(self, key: str, answer: Answer, forget_seconds: float) -> None:
        """Keep an answer, and forget those older than ``forget_seconds``."""
        now = time.time_ns()
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM answers WHERE created_ns < ?", (now - int(forget_seconds * 1e9),)
            )
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,?)",
                (key, answer.fingerprint, now, answer.status, json.dumps(answer.headers),
                 answer.body),
            )  # fmt: skip
