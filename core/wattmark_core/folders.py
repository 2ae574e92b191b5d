"""The folder of a service's data: its owner's alone."""

import logging
import os
import stat
from pathlib import Path
from typing import Final

from wattmark_core.net import OTHERS

log = logging.getLogger(__name__)

PRIVATE: Final = 0o700
OURS: Final = ("runner.sqlite", "store.sqlite", "runner.lock")
"""A folder with one of these, or with nothing, is used for nothing else."""


def make_private(folder: Path) -> None:
    """Make a folder of data that nobody but its owner can read or enter.

    One that is there already, and that others can enter, is closed to them if it is ours alone;
    else the log says how to. Raises ``OSError`` where it cannot be made.
    """
    try:
        folder.mkdir(mode=PRIVATE, parents=True)
        return
    except FileExistsError:
        status = folder.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise
    if not status.st_mode & OTHERS:
        return
    if status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX and _is_ours(folder):
        folder.chmod(PRIVATE)
        log.info("data folder %s could be read by others; it is its owner's alone now", folder)
    else:
        log.warning("others can read data folder %s; chmod 700 %s", folder, folder)


def _is_ours(folder: Path) -> bool:
    return any((folder / name).exists() for name in OURS) or not any(folder.iterdir())
