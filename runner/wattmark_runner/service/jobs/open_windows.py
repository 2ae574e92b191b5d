"""The windows of code elsewhere that have not closed yet."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wattmark_core.results import Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.records.database import WindowRow
from wattmark_runner.windows.exporter_link import WindowEdge


@dataclass(frozen=True, slots=True)
class OpenedWindow:
    """A window under way: its row, its opening edge, and what abandoning and closing it need."""

    row: WindowRow
    opening: WindowEdge
    deadline: float
    """By the monotonic clock, s."""
    cpu_ns: int
    """CPU time of this process when the window opened."""

    @property
    def window(self) -> Window:
        """The window, as if it ended where it began."""
        return self.row.window


class OpenWindows:
    """A register, for any thread: runs and scores mark the windows that share time with these."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[str, OpenedWindow] = {}

    def add(self, opened: OpenedWindow) -> None:
        """Register a window, or one that could not be closed once more."""
        with self._lock:
            self._opened[opened.window.window_id] = opened

    def seconds(self, window_id: str, edge: WindowEdge) -> float | None:
        """How long a window has been open at an edge, s; None if it is not open."""
        with self._lock:
            opened = self._opened.get(window_id)
        return None if opened is None else ns_to_seconds(edge.time_ns - opened.opening.time_ns)

    def remove(self, window_id: str) -> OpenedWindow | None:
        """Take a window out; None if it is not open."""
        with self._lock:
            return self._opened.pop(window_id, None)

    def windows(self) -> Sequence[Window]:
        """All, each as if it ended where it began."""
        return [opened.window for opened in self._all()]

    def of_run(self, run_id: str) -> Sequence[OpenedWindow]:
        """The open windows of one run."""
        return [opened for opened in self._all() if opened.window.run_id == run_id]

    def overdue(self) -> Sequence[OpenedWindow]:
        """Those that nobody has closed in time."""
        now = time.monotonic()
        return [opened for opened in self._all() if now > opened.deadline]

    def next_deadline(self) -> float | None:
        """When the next one is overdue, by the monotonic clock; None if none is open."""
        return min((opened.deadline for opened in self._all()), default=None)

    def _all(self) -> list[OpenedWindow]:
        with self._lock:
            return list(self._opened.values())
