"""Connections to the runner's SQLite file, and the transactions on them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from wattmark_runner.records.migration import FIRST, NAME, fill, prepare
from wattmark_store.new_file import make_new
from wattmark_store.soundness import check_sound
from wattmark_store.sqlite_errors import translate
from wattmark_store.vacuum import allow_vacuum

FOREIGN: Final = (sqlite3.Error, OSError, OverflowError, UnicodeError)
"""What SQLite and the disk raise for their own reasons, and for what they are given."""


class Connections:
    """Connections to the file ``path``, which is made if it is missing.

    They are kept until ``close``, also after an error: opening one costs as much as three
    transactions, and the first one needs room on the disk for the index of the log, which even
    reading takes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made = False
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()

    def close(self) -> None:
        """Close the idle connections; the next call opens one again."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end, or not at all. Raises ``StoreError``."""
        try:
            connection = self._take()
            try:
                with connection:
                    yield connection
            finally:
                self._idle.put(connection)
        except FOREIGN as error:
            raise translate(NAME, self.path, error) from error

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._open()

    def _open(self) -> sqlite3.Connection:
        if not self._made:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_sound(NAME, self.path, FIRST)
            make_new(self.path, fill)
        # One thread at a time uses it, though not always the same.
        connection = sqlite3.connect(self.path, timeout=30.0, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            if not self._made:
                prepare(connection, self.path)
                allow_vacuum(connection, self.path)
                self._made = True
        except BaseException:
            connection.close()
            raise
        return connection
