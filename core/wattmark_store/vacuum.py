"""Pages of an SQLite file that nothing stands in are given back to its disk.

``auto_vacuum`` is *incremental* in new files (sqlite.org/pragma.html): free pages
can then be cut off the end a few at a time, where ``VACUUM`` writes the whole file anew.
"""

import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

INCREMENTAL: Final = 2
PAGES_AT_ONCE: Final = 500
"""2 MB: others wait some ms."""
KEPT_SHARE: Final = 0.1
"""Of all pages: free ones that are kept for what comes next."""
MOST_BYTES: Final = 256 * 2**20
"""Of a file that is changed when it is opened: about 2 s."""
SIZES: Final = 2.0
"""Room for the copy that ``VACUUM`` makes, and for the log of it, in sizes of the file."""
WAIT_SECONDS: Final = 1.0


def allow_vacuum(
    connection: sqlite3.Connection, path: Path, *, most_bytes: int = MOST_BYTES,
    sizes: float = SIZES, wait_seconds: float = WAIT_SECONDS,
) -> None:  # fmt: skip
    """Change a file of an earlier version, outside of a transaction, so that pages can be given
    back; once, and only where it is not large, has room and disturbs nobody. The log says if not.
    """
    if _number(connection, "auto_vacuum") == INCREMENTAL:
        return
    size = _number(connection, "page_count") * _number(connection, "page_size")
    if size > most_bytes:
        reason = f"it has more than {most_bytes >> 20} MiB"
    elif shutil.disk_usage(path.parent).free < sizes * size:
        reason = "its disk has too little room"
    else:
        reason = _rewrite(connection, wait_seconds)
    if reason:
        log.info("free pages of %s are used again, not given back to the disk (%s); core/README.md"
                 " says how to change that", path, reason)  # fmt: skip


def give_back(connection: sqlite3.Connection) -> int:
    """Cut some free pages off the end, within a transaction; how many. Call it until 0."""
    if _number(connection, "auto_vacuum") != INCREMENTAL:
        return 0
    free = _number(connection, "freelist_count")
    surplus = free - int(KEPT_SHARE * _number(connection, "page_count"))
    if surplus <= 0:
        return 0
    connection.execute(f"PRAGMA incremental_vacuum({min(surplus, PAGES_AT_ONCE)})").fetchall()
    return free - _number(connection, "freelist_count")


def _rewrite(connection: sqlite3.Connection, wait_seconds: float) -> str:
    """Why it could not be done; empty if it was."""
    before = _number(connection, "busy_timeout")
    connection.execute(f"PRAGMA busy_timeout={int(1000 * wait_seconds)}")
    try:
        connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        return str(error)
    finally:
        connection.execute(f"PRAGMA busy_timeout={before}")
    return ""


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(number)
