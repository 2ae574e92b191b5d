"""The data folder: made, locked, and left as it was found if nothing came of it."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError, StoreError
from wattmark_core.folders import make_private
from wattmark_runner.records import migration
from wattmark_runner.records.folder_lock import NAME, check_unlocked, folder_lock
from wattmark_runner.records.in_use import InUse, read_in_use
from wattmark_runner.records.joining import joining

ENDING_SECONDS: Final = 10.0
"""How long what a killed program has started may take to end."""
BEGINNING_SECONDS: Final = 10.0
"""How long one that has the lock may take until it says what it serves."""
LOOK_SECONDS: Final = 0.1


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keep other programs away from the data folder, which is made if it is missing; it goes again
    if the block raises and has put nothing into it. Raises ``ConfigurationError``."""
    deadline = time.monotonic() + ENDING_SECONDS
    with ExitStack() as stack:
        with _refused(data):
            while not _locked(data, stack):
                holder = read_in_use(data)
                if holder is None or holder.runs or time.monotonic() > deadline:
                    raise BlockingIOError
                time.sleep(LOOK_SECONDS)
        yield


@contextmanager
def alone_or_joined(data: Path) -> Iterator[InUse | None]:
    """As ``alone``, and then None; where another program works on the folder, what it serves.

    Raises ``ConfigurationError`` too where that one does not say it in time.
    """
    deadline = time.monotonic() + BEGINNING_SECONDS
    with ExitStack() as stack:
        joined = None
        with _refused(data):
            while joined is None and not _locked(data, stack):
                joined = _join(data, stack)
                if joined is None and time.monotonic() > deadline:
                    raise BlockingIOError
                time.sleep(LOOK_SECONDS)
        yield joined


def _join(data: Path, stack: ExitStack) -> InUse | None:
    """What another program serves, which lasts as long as ``stack``; None: nothing yet, or no
    longer."""
    with ExitStack() as use:
        if use.enter_context(joining(data)):
            holder = read_in_use(data)
            if holder is not None and holder.runs:
                stack.push(use.pop_all())
                return holder
    return None


def check_folder(data: Path) -> None:
    """No other program works on the folder, and the records in it can be read. Makes and changes
    nothing.

    Raises ``StoreError`` for records that cannot be read.
    """
    with _refused(data):
        check_unlocked(data)
    migration.check(data / "runner.sqlite")


def check_place(data: Path) -> None:
    """Raise ``ConfigurationError`` where the folder could not be made or written; make nothing."""
    there = next((place for place in (data, *data.absolute().parents) if place.exists()), data)
    with _refused(data):
        if not there.is_dir():
            raise NotADirectoryError(0, "Not a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"data folder {data} cannot be written; change the permissions of {there}, or choose"
            " another with --data"
        )


def _locked(data: Path, stack: ExitStack) -> bool:
    """Make the folder and take its lock, for as long as ``stack`` lasts; False if it is taken."""
    made = _make(data)
    try:
        stack.enter_context(folder_lock(data))
    except BlockingIOError:
        return False
    except StoreError:  # no locks there
        _remove(data, made)
        raise
    stack.enter_context(_kept_if_used(data, made))
    return True


@contextmanager
def _kept_if_used(data: Path, made: Sequence[Path]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _remove(data, made)
        raise


def _remove(data: Path, made: Sequence[Path]) -> None:
    """The folders that were made, if nothing is in them."""
    with suppress(OSError):
        if made and [path.name for path in data.iterdir()] in ([], [NAME]):
            (data / NAME).unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()


def _make(data: Path) -> Sequence[Path]:
    """The folders that it had to make, innermost first. The data folder is its owner's alone."""
    missing = [folder for folder in (data, *data.parents) if not folder.exists()]
    make_private(data)
    if not os.access(data, os.W_OK | os.X_OK):
        raise PermissionError(0, "it cannot be written")
    return missing


@contextmanager
def _refused(data: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError as error:
        holder = read_in_use(data)
        who = f" ({holder})" if holder else ""
        raise ConfigurationError(
            f"another runner works on {data}{who}; stop it, or name another folder with --data"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"data folder {data}: {error.strerror}; choose another with --data"
        ) from error
