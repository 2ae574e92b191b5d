"""The tables of the ledger's file, and what a file of an older version gets."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError
from wattmark_runner.records.model import FINAL

VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS runs (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    workload TEXT NOT NULL,
    model TEXT NOT NULL,
    parameters TEXT NOT NULL,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    host TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    started_ns INTEGER,
    ended_ns INTEGER,
    boundary TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS runs_by_state ON runs(state, seq);
CREATE TABLE IF NOT EXISTS scores (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    boundary TEXT NOT NULL,
    formula TEXT NOT NULL,
    host TEXT NOT NULL,
    model TEXT NOT NULL,
    workload TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    value REAL,
    body TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '',
    gpu TEXT NOT NULL DEFAULT '',
    UNIQUE (seq, boundary, formula)
) STRICT;
CREATE INDEX IF NOT EXISTS scores_compared ON
    scores(formula, host, gpu, model, settings, workload, boundary, estimated, time_ns, verdict);
CREATE TABLE IF NOT EXISTS windows (
    seq INTEGER PRIMARY KEY,
    window_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS windows_of_run ON windows(run_id, seq);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_of_run ON events(run_id, id);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
"""
_FROM_VERSION_1: Final = (
    "ALTER TABLE scores ADD COLUMN settings TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE scores ADD COLUMN gpu TEXT NOT NULL DEFAULT ''",
    "DROP INDEX IF EXISTS scores_compared",
    f"PRAGMA user_version = {VERSION}",
)

_ENDED: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))
_TO_PUBLISH: Final = (
    "CREATE TABLE unpublished (run_id TEXT PRIMARY KEY) STRICT",
    "INSERT INTO unpublished SELECT run_id FROM runs r"  # noqa: S608 - our own names of states
    f" WHERE state IN ({_ENDED}) AND (json_array_length(body, '$.windows') > 0"
    " OR EXISTS (SELECT 1 FROM scores s WHERE s.seq = r.seq))",
)
"""Who published the runs in a file without this table knew less to show of them."""


def make_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Make what is missing in a file; several processes may do so at once.

    Raises ``StoreError`` for the file of a version that is not known.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    if _version(connection) == 1:
        _at_once(connection, _FROM_VERSION_1, unless=lambda: _version(connection) != 1)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if _version(connection) != VERSION and tables:
        raise StoreError(
            f"run records {path} were made by another version of Wattmark; move the file"
            " away, or use the version that made it"
        )
    connection.executescript(_SCHEMA)
    if not _has_unpublished(connection):
        _at_once(connection, _TO_PUBLISH, unless=lambda: _has_unpublished(connection))
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _at_once(
    connection: sqlite3.Connection, statements: Sequence[str], *, unless: Callable[[], bool]
) -> None:
    """In one transaction; not if another process was quicker."""
    connection.execute("BEGIN IMMEDIATE")
    if not unless():
        for statement in statements:
            connection.execute(statement)
    connection.commit()


def _has_unpublished(connection: sqlite3.Connection) -> bool:
    found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'unpublished'"
    return connection.execute(found).fetchone() is not None


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
