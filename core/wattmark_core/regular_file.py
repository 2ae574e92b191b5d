"""Opening what somebody's folder or configuration names, without waiting for ever.

Under a file's name there may be a named pipe, which nobody ever writes into, a socket, or a device.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

KINDS: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def require_regular(path: Path) -> None:
    """Raise ``OSError`` for what is no regular file, nor a link to one; a library that wants a path
    may then open it."""
    _require(path.stat().st_mode)


def open_regular(path: Path) -> BufferedReader:
    """A regular file's bytes. Raises ``OSError``, for all else at once and without opening it."""
    require_regular(path)
    # It may have been replaced since; nothing waits for a pipe that is opened so.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _require(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    raise OSError(errno.EINVAL, f"it is {KINDS.get(stat.S_IFMT(mode), 'something else')}, no file")
