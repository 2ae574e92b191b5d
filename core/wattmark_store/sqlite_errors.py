"""What SQLite's errors mean, in one line with what to do; the same for each file of ours."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.printable import printable

FULL: Final = "no space is left on its disk; free some, nothing was half-written"
LOCKED: Final = "another process has kept it locked too long; end that process"
UNWRITTEN: Final = "its disk does not take what is written; check its space, its quota and itself"
PERMISSIONS: Final = (
    "it cannot be written; change the permissions of it and its folder, or choose another path"
)
_NOW: Final = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
}
"""Primary codes of what passes by itself, or once somebody has made room."""
_NOW_EXTENDED: Final = {
    sqlite3.SQLITE_IOERR_SHMSIZE: FULL,
    sqlite3.SQLITE_IOERR_WRITE: UNWRITTEN,
    sqlite3.SQLITE_IOERR_FSYNC: UNWRITTEN,
    sqlite3.SQLITE_IOERR_TRUNCATE: UNWRITTEN,
}
"""A disk quota and a limit of the file's size are errors of writing; a full disk is one, too, where
the index of the log grows (sqlite.org/rescode.html)."""
MOST_CHARACTERS: Final = 120
_NOT_UTF_8: Final = "Could not decode to UTF-8"
"""Python's own words for a column (Modules/_sqlite/cursor.c); the text itself follows them."""
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MEANINGS: Final = {
    sqlite3.SQLITE_READONLY: PERMISSIONS,
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database; name a new file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path, and change the permissions of it"
    " and its folder",
    sqlite3.SQLITE_IOERR: "its disk does not read or write it; check the disk and its free space",
}


def recovery(path: Path) -> str:
    """What to do with a damaged file; nothing of it is lost meanwhile."""
    return (
        f"stop all that uses it, move {path.name}, {path.name}-wal and {path.name}-shm away"
        f" together, and put what can be saved in their place: sqlite3 MOVED/{path.name} .recover"
        f" | sqlite3 {path.name} (core/README.md has a way without .recover)"
    )


def translate(name: str, path: Path, error: Exception) -> StoreError:
    """The error of the file ``path``, which users know as ``name``; ``StoreUnavailable`` if the
    same call may succeed later."""
    known = f"{name} {path}"
    if isinstance(error, OverflowError):
        return StoreError(f"{known}: a number needs more than 64 bits; correct what gives it")
    if isinstance(error, UnicodeDecodeError) or _NOT_UTF_8 in str(error):
        return StoreError(f"{known} is damaged (a text in it is not UTF-8); {recovery(path)}")
    if isinstance(error, UnicodeError):
        return StoreError(f"{known}: a text is not Unicode; correct what gives it")
    if isinstance(error, OSError) and error.errno in _FULL_DISK:
        return StoreUnavailable(f"{known}: {FULL}")
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StoreError(f"{known}: {one_line(error)}")
    now = _NOW_EXTENDED.get(code) or _NOW.get(code & 0xFF)
    if now is not None:
        return StoreUnavailable(f"{known}: {now}")
    if code & 0xFF == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{known} is damaged ({one_line(error)}); {recovery(path)}")
    return StoreError(f"{known}: {_MEANINGS.get(code & 0xFF) or one_line(error)}")


def one_line(finding: object) -> str:
    """What SQLite says, which may have text of the file in it."""
    return printable(" ".join(str(finding).split()))[:MOST_CHARACTERS]
