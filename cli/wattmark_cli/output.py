"""Output files: what goes wrong with one is a one-line error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from wattmark_core.errors import ConfigurationError


@contextmanager
def writing(path: Path | None) -> Iterator[TextIO]:
    """A text file, or standard output for None. Only writing may happen inside.

    Raises ``ConfigurationError`` where it cannot be opened, written (full disk) or closed.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {path}: {error.strerror}; name another file or make room"
        ) from error
