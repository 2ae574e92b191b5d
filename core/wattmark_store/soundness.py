"""Is an SQLite file whole? Asked before anything is changed in it, and without changing it."""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError
from wattmark_core.printable import printable
from wattmark_store.sqlite_errors import one_line, recovery, translate

log = logging.getLogger(__name__)

MAGIC: Final = b"SQLite format 3\x00"
HEADER_BYTES: Final = 18
"""With the size of a page, at offset 16; 1 stands for 65536 (sqlite.org/fileformat.html, 1.3.2)."""
CHECK_SECONDS: Final = 3.0
"""Most time for looking at a file: about 2 GB from the page cache (0.7 GB/s measured)."""
STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock; some ms."""
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def check_sound(
    name: str, path: Path, first: Sequence[str] = (), seconds: float = CHECK_SECONDS
) -> None:
    """Raise ``StoreError``, in one line with what to do, for a file that is no whole SQLite
    database; do nothing where there is none.

    ``PRAGMA quick_check`` (sqlite.org/pragma.html) looks at the tables ``first``, then at the whole
    file; what is not done after ``seconds`` is left, which the log says. ``name``: what users know
    the file as.
    """
    if not path.exists():
        _check_link(name, path)
        _check_log_alone(name, path)
        return
    if not path.is_file():
        raise StoreError(f"{name} {path} is not a file; name a file, new or made by Wattmark")
    _check_beginning(name, path)
    damage = _cut_off(path) or _damage(name, path, first, seconds)
    if damage is None:
        return
    wal = _wal(path)
    if wal.exists() and _damage(name, path, first, seconds, without_log=True) is None:
        raise StoreError(
            f"{name} {path} does not go with {wal.name}, which is damaged or of another file; stop"
            f" all that uses it and move {wal.name} and {path.name}-shm away together: the rest is"
            " whole"
        )
    raise StoreError(f"{name} {path} is damaged ({damage}); {recovery(path)}")


@contextmanager
def reading(path: Path, *, without_log: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing of the file, not even where it would finish what a killed
    process began; ``without_log``: as if it had no write-ahead log."""
    alone = without_log or not _wal(path).exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("PRAGMA query_only=1")
        yield connection


def _wal(path: Path) -> Path:
    real = Path(os.path.realpath(path))  # SQLite puts it beside the file that a link leads to
    return real.with_name(f"{real.name}-wal")


def _check_link(name: str, path: Path) -> None:
    """A new file would take the link's place, and what it leads to would be forgotten."""
    if path.is_symlink():
        raise StoreError(
            f"{name} {path} is a link to {printable(str(path.readlink()))}, where no file is; mount"
            " its disk, or remove the link to begin anew"
        )


def _check_log_alone(name: str, path: Path) -> None:
    """A log without its file would be taken for that of the next file of the name."""
    wal = _wal(path)
    if wal.exists() and wal.stat().st_size:
        raise StoreError(
            f"{name} {path} is gone and {wal.name} still there; put {path.name} back beside it, or"
            f" move {wal.name} away to begin anew"
        )


def _check_beginning(name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise StoreError(
            f"{name} {path} cannot be read ({error.strerror}); change its permissions, or check its"
            " disk"
        ) from error
    if not start:
        raise StoreError(
            f"{name} {path} is empty, what it held is lost or elsewhere; put a copy of it in its"
            " place, or remove it to begin anew"
        )
    if start != MAGIC:
        raise StoreError(
            f"{name} {path}: it is not an SQLite database, or its beginning is overwritten; put a"
            " copy of it in its place, or name a new file"
        )


def _cut_off(path: Path) -> str | None:
    """SQLite takes the rest of a last page that is not whole for zeros; nobody writes it now."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        size = file.seek(0, os.SEEK_END)
    page = int.from_bytes(header[16:18])
    whole = page > 0 and size % (65536 if page == 1 else page) == 0
    return None if whole or _wal(path).exists() else "its last page is cut off"


def _damage(
    name: str, path: Path, first: Sequence[str], seconds: float, *, without_log: bool = False
) -> str | None:
    """What is wrong with it, None if nothing was found. Other programs may use it meanwhile."""
    logged = _wal(path).exists()
    found = _look(name, path, first, seconds, without_log=without_log)
    if found and not logged and not without_log and _wal(path).exists():
        return _look(name, path, first, seconds)  # somebody has begun to write it
    return found


def _look(
    name: str, path: Path, first: Sequence[str], seconds: float, *, without_log: bool = False
) -> str | None:
    deadline = time.monotonic() + seconds
    try:
        with reading(path, without_log=without_log) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            for check in (*(f'quick_check("{table}")' for table in first), "quick_check(1)"):
                for (row,) in connection.execute(f"PRAGMA {check}"):
                    if row != "ok":
                        return one_line(str(row).replace("*** in database main ***", ""))
    except UnicodeError:
        return "a text in it is not UTF-8"
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            return one_line(error)
        if code == sqlite3.SQLITE_INTERRUPT:
            size = path.stat().st_size / 1e9
            log.info("%s %s has %.1f GB: not all of it was checked in %g s", name, path, size,
                     seconds)  # fmt: skip
        elif code == sqlite3.SQLITE_ERROR:  # a table that an older version does not have
            return _look(name, path, (), seconds, without_log=without_log) if first else None
        elif code != sqlite3.SQLITE_READONLY:  # that one has to be written first: rolled back
            raise translate(name, path, error) from error
    return None
