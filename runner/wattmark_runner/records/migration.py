"""Makes the tables of a new file, and those that a file of an older version lacks."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import StoreError
from wattmark_runner.records.folder_lock import folder_lock
from wattmark_runner.records.model import FINAL
from wattmark_runner.records.schema import SCHEMA, VERSION
from wattmark_runner.records.score_columns import COLUMNS, put_columns
from wattmark_store.copies import copied_before_migration
from wattmark_store.soundness import check_sound, reading
from wattmark_store.sqlite_errors import translate

log = logging.getLogger(__name__)

NAME: Final = "run records"
"""What users know the file as."""
FIRST: Final = ("runs", "score_bodies", "windows")
"""What is looked at first in a large file."""
OLDER: Final = frozenset({1, 2})
BUSY_SECONDS: Final = 30.0
LOG_SECONDS: Final = 2.0
SIZES: Final = 3.0
"""Room for the copy, what the file grows by, and its log, in sizes of the file."""
_OF_RUN: Final = frozenset({
    "test_images", "cpu_utilization_ratio", "memory_used_bytes", "gpu_utilization_ratio",
    "gpu_memory_used_bytes",
})  # fmt: skip
"""Fields that scores got later, and that the runs of before knew already."""
_ENDED: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))
_TO_PUBLISH: Final = (
    "CREATE TABLE unpublished (run_id TEXT PRIMARY KEY) STRICT",
    "INSERT INTO unpublished SELECT run_id FROM runs r"  # noqa: S608 - our own names of states
    f" WHERE state IN ({_ENDED}) AND (json_array_length(body, '$.windows') > 0"
    " OR EXISTS (SELECT 1 FROM scores s WHERE s.seq = r.seq))",
)
"""Who published the runs in a file without this table knew less to show of them."""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make what is missing in a file; several processes may do so at once.

    Before the tables of an older version change, the file is copied. Raises ``StoreError`` for the
    file of a version that is not known, for an older one while another runner works on it, and if
    the copy cannot be written: then the file is as it was.
    """
    _write_ahead(connection)
    if _is_complete(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        with _older_kept(connection, path):
            _change(connection, path)
            connection.commit()
    except BaseException:
        connection.rollback()
        raise


def check(path: Path) -> None:
    """Raise ``StoreError`` if the file ``path`` is there and cannot be used. Changes nothing, not a
    file of an older version either."""
    check_sound(NAME, path, FIRST)
    if not path.exists():
        return
    try:
        with reading(path) as connection:
            _check_version(connection, path)
    except sqlite3.Error as error:
        raise translate(NAME, path, error) from error


def fill(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file, within a transaction."""
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    for statement in _TO_PUBLISH:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _older_kept(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Copy the file of an older version first, and keep runners away while it changes."""
    if not _tables(connection) or _version(connection) not in OLDER:
        yield
        return
    try:
        with folder_lock(path.parent), copied_before_migration(path, SIZES):
            yield
    except BlockingIOError as error:
        raise StoreError(
            f"run records {path}: a runner of an older version works on it; stop it first"
        ) from error


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    if _tables(connection) and _version(connection) not in OLDER | {VERSION}:
        raise StoreError(
            f"run records {path} were made by another version of Wattmark; move the file"
            " away, or use the version that made it"
        )


def _write_ahead(connection: sqlite3.Connection) -> None:
    """With a write-ahead log. SQLite does not wait for others where it changes to that."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _change(connection: sqlite3.Connection, path: Path) -> None:
    """Within a transaction; another process may have been quicker, then nothing changes."""
    _check_version(connection, path)
    older = bool(_tables(connection)) and _version(connection) in OLDER
    if older:
        connection.execute("DROP INDEX IF EXISTS scores_compared")
        connection.execute("ALTER TABLE scores RENAME TO older_scores")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    if older:
        _move_scores(connection)
        connection.execute("DROP TABLE older_scores")
    for column in COLUMNS:
        if column.name not in _score_columns(connection):
            connection.execute(f"ALTER TABLE scores ADD COLUMN {column.declaration}")
    if "unpublished" not in _tables(connection):
        for statement in _TO_PUBLISH:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _move_scores(connection: sqlite3.Connection) -> None:
    """From JSON alone to JSON and columns."""
    (total,) = connection.execute("SELECT count(*) FROM older_scores").fetchone()
    rows = connection.execute("SELECT id, seq, body FROM older_scores ORDER BY seq, id")
    done, started = 0, time.monotonic()
    logged = started
    for seq, scores in groupby(rows, key=lambda row: row[1]):
        known: dict[str, Any] | None = None
        for place, _, text in scores:
            body = json.loads(text)
            if known is None and not body.keys() >= _OF_RUN:
                known = _known(connection, seq)
            connection.execute("INSERT INTO score_bodies VALUES (?,?)", (place, text))
            put_columns(connection, (place, seq), body, known or {})
            done += 1
        if time.monotonic() - logged > LOG_SECONDS:
            logged = time.monotonic()
            log.info("%d of %d scores have their columns", done, total)
    if logged > started:
        log.info("all %d scores have their columns", total)


def _known(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    """What a run knows of its scores."""
    row = connection.execute("SELECT body FROM runs WHERE seq = ?", (seq,)).fetchone()
    run = {} if row is None else json.loads(row[0])
    return {"test_images": run.get("test_images"), **run.get("usage", {})}


def _is_complete(connection: sqlite3.Connection) -> bool:
    return (
        _version(connection) == VERSION
        and {"unpublished", "acts", "window_facts"} <= _tables(connection)
        and {column.name for column in COLUMNS} <= _score_columns(connection)
    )


def _score_columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_info(scores)")}


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
