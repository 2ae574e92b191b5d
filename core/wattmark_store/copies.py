"""A copy of an SQLite file, made before a newer version changes its tables."""

import errno
import filecmp
import itertools
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreError
from wattmark_core.machine import wattmark_version

log = logging.getLogger(__name__)

MIB: Final = 2**20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def copied_before_migration(path: Path, sizes: float) -> Iterator[Path]:
    """Copy the database ``path`` to ``PATH.before-VERSION`` beside it, then change it in the block;
    the copy's path.

    A copy of something else that has the name stays: the next is ``PATH.before-VERSION-2``. If the
    block raises, the copy is deleted. The log names it. ``sizes``: how much room the copy and the
    change need, in sizes of the file.

    Use it while a connection holds the write lock (``BEGIN IMMEDIATE``) and has changed nothing
    yet, and commit in the block. Raises ``StoreError`` if there is not enough room, or the copy
    cannot be written.
    """
    copy = _copy(path, sizes)
    try:
        yield copy
    except BaseException:
        with suppress(OSError):
            copy.unlink()
        raise
    log.warning("%s is of an older version; a copy of it, before it is changed, is %s", path, copy)


def _copy(path: Path, sizes: float) -> Path:
    base = f"{path.name}.before-{wattmark_version() or 'this-version'}"
    unfinished = path.with_name(f"{base}.new")
    room = int(sizes * _size(path))
    try:
        unfinished.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        if room > free:
            raise _refused(path, "its disk is too full", _make_room(room - free))
        # A backup waits for ever for the writer of its own connection: it needs another one.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as to:
            source.backup(to)
        shutil.copymode(path, unfinished)
        copy = next(name for name in _names(path.with_name(base)) if _is_free(name, unfinished))
        unfinished.replace(copy)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        remedy = f"check the permissions of {path.parent} and of what is in it"
        if _is_full(error):
            remedy = _make_room(room)
        raise _refused(path, str(error), remedy) from error
    return copy


def _names(first: Path) -> Iterator[Path]:
    yield first
    for number in itertools.count(2):
        yield first.with_name(f"{first.name}-{number}")


def _is_free(name: Path, copy: Path) -> bool:
    """Nothing has the name, or an attempt that was killed left the same copy under it."""
    return not name.exists() or (name.is_file() and filecmp.cmp(name, copy, shallow=False))


def _size(path: Path) -> int:
    """With what is still in its log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _is_full(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL


def _make_room(size: int) -> str:
    return f"free {size // MIB + 1} MiB on its disk"


def _refused(path: Path, reason: str, remedy: str) -> StoreError:
    return StoreError(
        f"{path} is of an older version, and no copy could be made before it is changed"
        f" ({reason}); {remedy}"
    )
