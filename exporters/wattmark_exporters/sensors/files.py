"""Files of sysfs and procfs that are read again and again.

A kept descriptor read with ``pread`` costs 1 µs, opening the file each time 12 µs; both see the
kernel's newest value.
"""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

_STALE: Final = frozenset({errno.ENODEV, errno.ESTALE, errno.EBADF})
"""What a descriptor of a removed file answers: sysfs ENODEV (kernfs), network mounts ESTALE."""
_SHORT_BYTES: Final = 2048
"""procfs fills a page of 4,096 bytes but for one record before it stops: less is the end."""
CHECKED_EVERY: Final = 10
"""Reads between two looks whether the path names another file by now, which other file systems
do not answer. A look costs as much as a read."""


class KeptFile:
    """One file, opened at the first read and kept open; opened again once when it went stale.

    ``size``: bytes asked of one ``pread``. Reads raise ``OSError`` as ``open`` and ``pread`` do.
    Not thread-safe.
    """

    def __init__(self, path: Path, size: int = 4096) -> None:
        self.path = path
        self._size = size
        self._descriptor: int | None = None
        self._unchecked = 0

    def read(self) -> bytes:
        """The first ``size`` bytes: enough for a file with a single value."""
        if self._descriptor is not None:
            try:
                if self._unchecked < CHECKED_EVERY or self._is_current(self._descriptor):
                    self._unchecked += 1
                    return os.pread(self._descriptor, self._size, 0)
            except OSError as error:
                if error.errno not in _STALE:
                    raise
        return os.pread(self._open(), self._size, 0)

    def reader(self) -> Callable[[], bytes]:
        """``read`` without a look at anything, a third as costly. It holds until the next call of
        any method; to be asked for again after an ``OSError`` and every ``CHECKED_EVERY`` reads."""
        try:
            descriptor = self._descriptor
            if descriptor is None or not self._is_current(descriptor):
                descriptor = self._open()
        except OSError:
            return self.read
        return partial(os.pread, descriptor, self._size, 0)

    def _open(self) -> int:
        self.close()
        self._unchecked = 0
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor

    def _is_current(self, descriptor: int) -> bool:
        self._unchecked = 0
        return os.fstat(descriptor).st_nlink > 0

    def read_all(self) -> bytes:
        """The whole file: procfs hands out lists of records a page at a time."""
        parts = [self.read()]
        offset = len(parts[0])
        if offset < min(self._size, _SHORT_BYTES):
            return parts[0]
        while parts[-1] and self._descriptor is not None:
            parts.append(os.pread(self._descriptor, self._size, offset))
            offset += len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Close the descriptor; a later read opens the file again."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


def first_text(path: Path) -> str | None:
    """The file's text without surrounding space; None if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def first_integer(path: Path) -> int | None:
    """The file's decimal number; None if it cannot be read or is no such number."""
    text = first_text(path)
    return int(text) if text and text.isdecimal() and text.isascii() else None


def cpu_model(procfs: Path) -> str:
    """The CPU's model as PROC/cpuinfo names it; empty if it does not."""
    try:
        with (procfs / "cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return ""
