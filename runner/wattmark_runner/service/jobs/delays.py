"""When to retry what failed, each by itself: what always fails keeps nothing else waiting."""

import time
from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 10.0
MOST_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Failure:
    seconds: float
    until: float
    message: str


class Delays:
    """After each failure twice as long, from 10 s to 10 min."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failure] = {}

    def due(self, name: str) -> bool:
        """Is it time for the next attempt?"""
        failure = self._failures.get(name)
        return failure is None or time.monotonic() >= failure.until

    def failed(self, name: str, message: str) -> bool:
        """Note a failure; True if its message is another than the last time."""
        before = self._failures.get(name)
        seconds = FIRST_SECONDS if before is None else min(MOST_SECONDS, 2.0 * before.seconds)
        self._failures[name] = _Failure(seconds, time.monotonic() + seconds, message)
        return before is None or before.message != message

    def succeeded(self, name: str) -> None:
        """Forget the failures under this name: it waits no longer."""
        self._failures.pop(name, None)
