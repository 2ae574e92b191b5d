"""Files of sysfs and procfs that are read again and again.

A kept descriptor read with ``pread`` costs 1 µs, opening the file each time 12 µs; both see the
kernel's newest value. A descriptor may live less long than its path: that of a removed zone answers
ENODEV (kernfs), that of a file of lxcfs that was started again ENOTCONN, for ever. So on any error
the file is opened once more.
"""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from wattmark_core.printable import printable

_SHORT_BYTES: Final = 2048
"""procfs fills a page of 4,096 bytes but for one record before it stops: less is the end."""
CHECKED_EVERY: Final = 10
"""Reads between two looks whether the path names another file by now, which other file systems
do not answer. A look costs as much as a read."""
GONE: Final = frozenset({errno.EACCES, errno.EPERM, errno.ENODEV, errno.ENXIO, errno.ENOENT})
"""Errors of a file that is not there, or not for this user; another may be an accident."""
_MOST_DIGITS: Final = 20
_TOO_BIG: Final = 1 << 64
_NUMBER_BYTES: Final = 64
"""A file with one number is shorter."""


class KeptFile:
    """One file, opened at the first read and kept open; opened once more when a read fails.

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
            except OSError:  # of a descriptor that outlived its file: the path has the last word
                pass
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
        try:
            return self._whole()
        except OSError:  # it may have come between two pages
            self.close()
            return self._whole()

    def _whole(self) -> bytes:
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
    """The file's text without surrounding space, printable; None if it cannot be read."""
    try:
        return printable(path.read_bytes().strip())
    except OSError:
        return None


def first_integer(path: Path) -> int | None:
    """The file's decimal number; None if it cannot be read or is no such number."""
    try:
        with path.open("rb") as file:
            return integer(file.read(_NUMBER_BYTES).strip())
    except OSError:
        return None


def integer(digits: bytes) -> int | None:
    """The decimal number of 64 bits that ``digits`` are; None for anything else: a sign, a space,
    an underscore, digits of another script, more bits."""
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return None
    number = int(digits)
    return number if number < _TOO_BIG else None


def cpu_model(procfs: Path) -> str:
    """The CPU's model as PROC/cpuinfo names it; empty if it does not."""
    try:
        with (procfs / "cpuinfo").open("rb") as lines:
            for line in lines:
                name, _, value = line.partition(b":")
                if name.strip() == b"model name":
                    return printable(value.strip())
    except OSError:
        pass
    return ""
