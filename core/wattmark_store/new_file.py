"""A new SQLite file comes into being whole: an empty one is a damaged one."""

import errno
import itertools
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

STALE_SECONDS: Final = 60.0
"""After so long what is not finished was left by a process that was killed."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_numbers: Final = itertools.count()


def make_new(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make the file ``path`` if there is none: ``fill`` makes its tables in a file beside it, which
    then takes the name. Several processes may do so at once, one file is kept.

    Deleted rows' pages can be given back to its file system (``PRAGMA incremental_vacuum``). Raises
    ``sqlite3.Error`` and ``OSError``.
    """
    if path.exists():
        return
    _sweep(path)
    made = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}.new")
    try:
        with closing(sqlite3.connect(made, isolation_level=None)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("BEGIN IMMEDIATE")
            fill(connection)
            if connection.in_transaction:
                connection.execute("COMMIT")
        _take_name(made, path)
    finally:
        for suffix in ("", "-journal"):
            made.with_name(made.name + suffix).unlink(missing_ok=True)


def _take_name(made: Path, path: Path) -> None:
    with suppress(FileExistsError):  # another process was quicker
        try:
            path.hardlink_to(made)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if not path.exists():
                made.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sweep(path: Path) -> None:
    """What killed processes left of their attempts."""
    for left in path.parent.glob(f".{path.name}.*.new*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
