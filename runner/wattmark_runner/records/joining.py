"""Those who use the rooms of the program that works on a data folder, which ends after them.

A lock of its own: shared by those who joined, and taken alone by who ends the rooms. It is gone
with its process, however that ends (flock(2)). Where its file cannot be made nobody is waited for.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NAME: Final = "joined.lock"


@contextmanager
def joining(folder: Path) -> Iterator[bool]:
    """Use the rooms as long as the context lasts; False: they end at this moment."""
    with _opened(folder, os.O_CREAT) as descriptor:
        try:
            if descriptor is not None:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def after_joined(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Wait for the end of all who joined, and let nobody join as long as the context lasts;
    ``waiting`` is called where there are any."""
    with _opened(folder) as descriptor:
        if descriptor is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path, flags: int = 0) -> Iterator[int | None]:
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR | flags, 0o600)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
