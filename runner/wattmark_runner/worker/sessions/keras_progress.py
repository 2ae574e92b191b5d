"""Progress within a window, whose single pass may take hours."""

import time
from collections.abc import Callable
from typing import Final

from wattmark_runner.worker.protocol import EdgeReached, Step, WorkerMessage

Emit = Callable[[WorkerMessage], None]
PROGRESS_SECONDS: Final = 2.0


class ProgressReporter:
    """Passes messages on, and reports how far an open window's pass of ``batches`` is."""

    def __init__(self, emit: Emit, batches: int, repeats: int) -> None:
        self._emit = emit
        self._batches = batches
        self._repeats = repeats
        self._window: EdgeReached | None = None
        self._done = 0
        self._next = 0.0

    def emit(self, message: WorkerMessage) -> None:
        """Pass a message on, and note which window is open."""
        if isinstance(message, EdgeReached):
            self._window = message if message.opening else None
            self._done = 0
        self._emit(message)

    def batch(self) -> None:
        """Count one more; progress is reported every two seconds at most."""
        self._done += 1
        if self._window is None or self._window.phase != "inference":
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            share = min(1.0, self._done / self._batches)
            self._emit(Step("measure", (self._window.repeat + share) / self._repeats))
