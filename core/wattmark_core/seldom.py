"""Log lines that strangers can cause, at a rate."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

SECONDS: Final = 60.0
MOST: Final = 5


class Seldom:
    """Writes at most ``most`` lines of a kind in ``seconds``; the next one after that time says how
    many were left out. Any thread."""

    def __init__(
        self, log: logging.Logger, *, seconds: float = SECONDS, most: int = MOST,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._log = log
        self._seconds = seconds
        self._most = most
        self._now = now
        self._lock = Lock()
        self._since = -seconds
        self._written = 0
        self._left_out = 0

    def warning(self, message: str, *arguments: object) -> None:
        """As ``Logger.warning``, or nothing."""
        with self._lock:
            now = self._now()
            if now - self._since >= self._seconds:
                left_out, self._left_out = self._left_out, 0
                self._since, self._written = now, 0
            else:
                left_out = 0
            self._written += 1
            if self._written > self._most:
                self._left_out += 1
                return
        if left_out:
            message += " (and %d more like it before, which were not logged)"
            arguments = (*arguments, left_out)
        self._log.warning(message, *arguments)
