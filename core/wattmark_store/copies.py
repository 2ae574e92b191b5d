"""A copy of an SQLite file, made before a newer version changes its tables."""

import logging
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from wattmark_core.errors import StoreError
from wattmark_core.machine import wattmark_version

log = logging.getLogger(__name__)


def copy_before_migration(path: Path) -> Path:
    """Copy the database ``path`` to ``PATH.before-VERSION`` beside it; the copy's path.

    The log names the copy; one that this version made before is replaced. Call it while a
    connection holds the write lock (``BEGIN IMMEDIATE``) and has changed nothing yet, so that
    nobody writes in between. Raises ``StoreError`` if there is no room for it.
    """
    copy = path.with_name(f"{path.name}.before-{wattmark_version() or 'this-version'}")
    unfinished = path.with_name(f"{copy.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        # A backup waits for ever for the writer of its own connection: it needs another one.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as to:
            source.backup(to)
        shutil.copymode(path, unfinished)
        unfinished.replace(copy)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"{path} is of an older version, and no copy could be made before it is changed"
            f" ({error}); free {path.stat().st_size // 2**20 + 1} MiB on its disk"
        ) from error
    log.warning("%s is of an older version; a copy of it, before it is changed, is %s", path, copy)
    return copy
