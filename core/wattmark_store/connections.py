"""Connections to one SQLite file: one thread that writes, a pool for reading.

Every ``sqlite3.Error`` becomes a ``StoreError`` here.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from wattmark_core.errors import StoreError
from wattmark_store import schema, sqlite_errors
from wattmark_store.new_file import make_new
from wattmark_store.soundness import check_sound, reading
from wattmark_store.vacuum import allow_vacuum

BUSY_SECONDS: Final = 15.0
"""How long to wait while another process writes."""
WAL_BYTES: Final = 64 * 1024 * 1024
Result = TypeVar("Result")

_FOREIGN: Final = (sqlite3.Error, OverflowError, UnicodeError)
"""What SQLite's module raises for its own reasons, and for what it is given."""


def translate(path: Path, error: Exception) -> StoreError:
    """The error in one line, with what to do."""
    return sqlite_errors.translate("store", path, error)


def open_connection(path: Path) -> sqlite3.Connection:
    """A connection with this project's settings; the caller closes it."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def check_versions(path: Path) -> None:
    """Raise ``StoreError`` if the file ``path`` is not a store that this version knows."""
    try:
        with reading(path) as connection:
            schema.check_version(connection, path)
    except sqlite3.Error as error:
        raise translate(path, error) from error


def check_store_sound(path: Path) -> None:
    """See ``soundness.check_sound``: results first, for samples may be many GB."""
    check_sound("store", path, ("window", "score", "series", "cursor"))


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the store for writing, create or extend its tables. Raises ``StoreError``.

    Before tables of an older version are extended, ``PATH.before-VERSION`` is made of them.
    """
    try:
        make_new(path, schema.fill)
        connection = open_connection(path)
    except (sqlite3.Error, OSError) as error:
        raise translate(path, error) from error
    try:
        schema.check_version(connection, path)
        _switch_to_wal(connection)
        schema.create(connection, path)
        allow_vacuum(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise translate(path, error) from error
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for other openers here, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class Writer:
    """One thread that owns the writing connection; callers wait for their commit."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._jobs: SimpleQueue[tuple[Callable[[sqlite3.Connection], Any], Future[Any]] | None] = (
            SimpleQueue()
        )
        self._lock = Lock()
        self._closed = False
        self._thread = Thread(target=self._work, name="wattmark-store-writer", daemon=True)
        self._thread.start()

    def run(self, job: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``job`` in a transaction of its own and commit. Raises ``StoreError``."""
        future: Future[Result] = Future()
        with self._lock:
            if self._closed:
                raise StoreError(f"store {self._path} is closed")
            self._jobs.put((job, future))
        return future.result()

    def close(self) -> None:
        """Finish what was handed over, then close the connection."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, future = entry
            try:
                future.set_result(self._transaction(job))
            except _FOREIGN as error:
                future.set_exception(translate(self._path, error))
            except BaseException as error:  # noqa: BLE001 - it is handed to the caller, who waits
                future.set_exception(error)
        self._connection.close()

    def _transaction(self, job: Callable[[sqlite3.Connection], Result]) -> Result:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = job(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have rolled back already
                self._connection.execute("ROLLBACK")
            raise
        return result


class ReadPool:
    """Connections for reading; each is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the store throughout. Raises ``StoreError``."""
        try:
            connection = self._take()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)
        except _FOREIGN as error:
            raise translate(self._path, error) from error

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError(f"store {self._path} is closed")
            if self._idle:
                return self._idle.pop()
        connection = open_connection(self._path)
        connection.execute("PRAGMA query_only=1")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
