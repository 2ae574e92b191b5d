"""What is kept of a run: enough to repeat it and to score it again."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Score, Window
from wattmark_runner.codec import from_json, to_json


class RunState(StrEnum):
    """``queued`` → ``running`` → ``scoring`` → one of the last four."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run. ``seconds`` None: as long as the sensor in use needs.

    ``seconds`` is the least length of a measured window; passes over the test set are whole.
    ``idle_before_seconds``/``idle_after_seconds`` 0: the caller gives the baselines.
    """

    workload: str
    model: str
    repeats: int = 5
    seconds: float | None = None
    batch_size: int = 32
    warmup_seconds: float = 3.0
    idle_before_seconds: float = 30.0
    idle_after_seconds: float = 30.0
    boundary: Boundary | None = None
    """None: ``host`` where a GPU is used, else ``cpu``."""
    gpu: str = ""
    """UUID of the one GPU to use; empty: run on the CPU."""
    seed: int = 20231015


@dataclass(slots=True)
class RunRecord:
    """A run. Times are Unix ns in the exporter's time base; the dictionaries hold JSON values.

    ``series``: the pinned energy series. ``windows``: idle, warm-up and measured windows.
    ``edges``: per window id, per series the counter's samples around both edges, as read from the
    store when the run was scored, so that the score outlives the raw data.
    """

    run_id: str
    request: RunRequest
    state: RunState
    host: str
    boot_id: str
    exporter_instance: str
    offset_ns: int
    started_ns: int
    ended_ns: int | None = None
    reason: str = ""
    series: tuple[EnergySeries, ...] = ()
    constants: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    test_images: int | None = None
    accuracy: float | None = None
    parameters: int | None = None
    macs: int | None = None
    notices: list[str] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    edges: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    scores: tuple[Score, ...] = ()


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    started_ns INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT
"""


class RunRecords:
    """Run records in a SQLite file; any thread or process may use it, a connection per call.

    All methods raise ``StoreError`` with one line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, record: RunRecord) -> None:
        """Write a record; the same ``run_id`` again replaces it."""
        body = json.dumps(to_json(record))
        with self._connection() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)",
                (record.run_id, record.started_ns, body),
            )

    def load(self, run_id: str) -> RunRecord:
        """The record of one run."""
        with self._connection() as connection:
            row = connection.execute("SELECT body FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            raise StoreError(f"no run {run_id!r} in {self._path}")
        return self._decode(row[0])

    def list(self) -> tuple[RunRecord, ...]:
        """All records, newest first."""
        with self._connection() as connection:
            rows = connection.execute("SELECT body FROM runs ORDER BY started_ns DESC").fetchall()
        return tuple(self._decode(body) for (body,) in rows)

    def _decode(self, body: str) -> RunRecord:
        try:
            return from_json(RunRecord, json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{self._path} holds a run that cannot be read: {error}") from error

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end, or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=10.0)
            try:
                connection.execute(_SCHEMA)
                with connection:
                    yield connection
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"run records {self._path}: {error}; choose another file or make room"
            ) from error
