"""The lock of a data folder: one runner at a time works on what is in it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

NAME: Final = "runner.lock"
_held: Final[set[Path]] = set()
"""The folders whose lock this process has: a second descriptor of its own would be refused."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock; a process that has it already goes on. Raises ``BlockingIOError`` at once
    while another process has it, and ``OSError`` where the file cannot be made."""
    own = folder.resolve()
    if own in _held:
        yield
        return
    with (folder / NAME).open("w") as file:
        _take(file)
        _held.add(own)
        try:
            yield
        finally:
            _held.discard(own)


def check_unlocked(folder: Path) -> None:
    """Raise ``BlockingIOError`` while a process has the lock. Makes nothing."""
    try:
        with (folder / NAME).open() as file:
            _take(file)
    except FileNotFoundError:
        return


def _take(file: IO[str]) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
