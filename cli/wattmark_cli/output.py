"""What commands write: lines fit for a terminal, and files, of which a fault is one line."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable


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


def say(*lines: str) -> None:
    """Write lines on standard output, whatever names of others are in them."""
    _write(sys.stdout, lines)


def remark(*lines: str) -> None:
    """Write lines beside the output, on standard error."""
    _write(sys.stderr, lines)


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    stream.writelines(f"{printable(line)}\n" for line in lines)
