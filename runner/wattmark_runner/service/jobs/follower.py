"""The run under way: its record is saved, and what is new in it becomes events."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from wattmark_core.errors import StoreError
from wattmark_runner.execution.progress import Progress
from wattmark_runner.records.database import RunEvent
from wattmark_runner.records.model import FINAL, RunRecord, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.views.window_fields import window_fields, windows_from

STOPPED: Final = "the service was stopped while the run was under way; start the run again"
PROGRESS_SECONDS: Final = 2.0
"""Least time between two events of progress."""


class RunFollower:
    """Follows one run. ``cancel`` ends it; ``stopping`` is set when the service ends.

    ``record``: a copy of the run's as it stands, None before it begins and once it has ended;
    ``progress``: how far it is.
    """

    def __init__(self, context: AppContext, run_id: str, stopping: threading.Event) -> None:
        self.run_id = run_id
        self.cancel = threading.Event()
        self.record: RunRecord | None = None
        self.progress: Progress | None = None
        self._context = context
        self._stopping = stopping
        self._state: RunState | None = None
        self._windows: set[str] = set()
        self._notices: set[str] = set()
        self._unwritten: list[tuple[str, dict[str, Any]]] = []
        """Events that the database has not taken yet."""
        self._reported = 0.0

    def save(self, record: RunRecord) -> None:
        """Save the record, or have it kept until it can be saved. A change of its state is an
        event, the last one if it is final."""
        if record.state is RunState.CANCELLED and self._stopping.is_set():
            if self._state is RunState.SCORING:
                return  # all is measured: the next service scores it
            record.state, record.reason = RunState.INTERRUPTED, STOPPED
        self.changed(record)
        self._context.database.keep(record)
        self._state = record.state
        if record.state in FINAL:
            self.record = None

    def changed(self, record: RunRecord) -> None:
        """Add events of new windows and notices."""
        self.record = replace(
            record, windows=list(record.windows), notices=list(record.notices),
            environment=dict(record.environment),
        )  # fmt: skip
        for window in record.windows:
            if window.window_id not in self._windows:
                self._windows.add(window.window_id)
                self._unwritten.append(("window", window_fields(window)))
        for text in record.notices:
            if text not in self._notices:
                self._notices.add(text)
                self._unwritten.append(("notice", {"text": text}))
        with suppress(StoreError):  # the record has them, too, and says why it is not written
            while self._unwritten:
                self._context.add_event(self.run_id, *self._unwritten[0])
                del self._unwritten[0]

    def report(self, progress: Progress) -> None:
        """Keep how far the run is; now and then it is an event."""
        self.progress = progress
        now = time.monotonic()
        if now - self._reported >= PROGRESS_SECONDS:
            self._reported = now
            body = {
                "stage": progress.stage, "fraction": progress.fraction,
                "seconds_left": progress.seconds_left,
            }  # fmt: skip
            with suppress(StoreError):  # the next one says more
                self._context.add_event(self.run_id, "progress", body)


def complete(record: RunRecord, events: Iterable[RunEvent]) -> None:
    """Add the windows and notices that came after a record was saved last: of a run whose service
    was killed they are in its events alone."""
    events = list(events)
    saved = {window.window_id for window in record.windows}
    windows = windows_from(event.body for event in events if event.kind == "window")
    record.windows += [window for window in windows if window.window_id not in saved]
    texts = [event.body["text"] for event in events if event.kind == "notice"]
    record.notices = list(dict.fromkeys([*record.notices, *texts]))
