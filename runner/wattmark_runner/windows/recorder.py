"""Windows in a program of one's own: what a stretch of its code cost.

    with Recorder("http://127.0.0.1:9109", store) as recorder:
        with recorder.window(model="mine", phase=Phase.INFERENCE) as window:
            predictions = model(images)
            window.record(inferences=len(images), correct=int((predictions == labels).sum()))

Windows may nest and overlap, in any threads. What fails goes to the log, never into the program:
counts that cannot be are refused there, and the window is kept without any. A window in whose time
another program measured at the same exporter is marked as overlapping.
"""

import contextlib
import logging
import os
import platform
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from wattmark_core.clock import SystemClock
from wattmark_core.errors import StoreError, WattmarkError
from wattmark_core.exporter_api import ExporterAddress
from wattmark_core.results import Phase, Window
from wattmark_runner.windows.exporter_link import ExporterLink, WindowEdge, read_host
from wattmark_runner.windows.lease import holders_in
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.stamping import WindowStamping
from wattmark_scoring.counts import impossible_cpu_time, why_impossible
from wattmark_store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0
"""How often it is looked who else measures."""


class OpenWindow(WindowEdge):
    """A window under way; ``with`` it. Entering stamps and queues, and does nothing else.

    It is its own opening edge, and what is the same in every new window is the class's: in a
    program whose caches are full of other things an object costs 8 µs, an attribute 2 µs.
    """

    armed = 1
    inferences: int | None = None
    correct: int | None = None
    cpu_seconds: float | None = None
    """CPU time of the work; None: that of this process is taken."""

    def __init__(self, recorder: "Recorder", facts: tuple[Phase, str, str, str]) -> None:
        self._recorder = recorder
        self._facts = facts

    def __enter__(self) -> Self:
        self.time_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._recorder.exporter.order(self)
        self._cpu_ns = time.process_time_ns()
        return self

    def __exit__(self, *_: object) -> None:
        closing = self._recorder.exporter.edge(armed=-1)
        if self.cpu_seconds is None:
            self.cpu_seconds = (time.process_time_ns() - self._cpu_ns) / 1e9
        phase, model, workload, label = self._facts
        facts = {
            "phase": phase, "model": model, "workload": workload, "label": label,
            "inferences": self.inferences, "correct": self.correct,
            "cpu_seconds": self.cpu_seconds,
        }  # fmt: skip
        self._recorder.closed(Closed(self, closing, facts))

    def record(self, *, inferences: int, correct: int | None = None) -> None:
        """Add inferences done in the window, and how many of them were right, where known."""
        self.inferences = (self.inferences or 0) + inferences
        if correct is not None:
            self.correct = (self.correct or 0) + correct


@dataclass(frozen=True, slots=True)
class Closed:
    """A window that is to be written."""

    opening: WindowEdge
    closing: WindowEdge
    facts: dict[str, Any]


class Recorder:
    """Writes windows into ``store`` as they close, from a thread of its own; ``with`` it.

    Opening and closing a window take their caller some microseconds. When the exporter is dead
    that is logged once, and windows are kept as incomplete. ``windows`` are those written so far.
    """

    def __init__(self, exporter_url: str | ExporterAddress, store: Store) -> None:
        self._url = exporter_url
        self._store = store
        self._clock = SystemClock()
        self.exporter = ExporterLink(exporter_url)
        self._closed: queue.SimpleQueue[Closed | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="wattmark-recorder", daemon=True)
        self._refused = False
        self._looked = 0
        """So many of ``windows`` are compared with others' leases."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._holders: set[str] = set()
        self._stamping: WindowStamping | None = None
        self.windows: list[Window] = []

    def __enter__(self) -> Self:
        self.exporter.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def window(
        self, *, model: str = "", workload: str = "", phase: Phase = Phase.INFERENCE,
        label: str = "",
    ) -> OpenWindow:  # fmt: skip
        """A window around a ``with`` body; an exception in the body closes it and goes its way."""
        return OpenWindow(self, (phase, model, workload, label))

    def closed(self, window: Closed) -> None:
        """Queue a window for writing; returns at once."""
        self._closed.put(window)

    def close(self) -> None:
        """Write what is still to be written, then let go."""
        self._closed.put(None)
        self._thread.join()
        self.exporter.close()

    def _serve(self) -> None:
        while (closed := self._closed.get()) is not None:
            stamping = self._find_stamping()
            window = stamping.window(opening=closed.opening, closing=closed.closing, **closed.facts)
            self.windows.append(self._put(_with_possible_counts(window)))
            if time.monotonic() >= self._look_at:
                self._mark_shared()
        self._mark_shared()

    def _mark_shared(self) -> None:
        """Windows in whose time others measured are marked, and each other is logged once."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        leases = () if self.exporter.failing else self.exporter.others()
        for number in range(self._looked, len(self.windows)):
            window = self.windows[number]
            holders = holders_in(window, leases)
            for holder in sorted(set(holders) - self._holders):
                log.warning("%s measured at the same time: what a window cost is not known", holder)
            self._holders |= set(holders)
            if holders and not window.overlapping:
                self.windows[number] = self._put(replace(window, overlapping=True))
        self._looked = len(self.windows)

    def _put(self, window: Window) -> Window:
        try:
            return put_marked(window, self._store)
        except StoreError as error:
            if not self._refused:
                log.warning("windows are not written: %s", error)
            self._refused = True
            return window

    def _find_stamping(self) -> WindowStamping:
        """Host and offset of the exporter; without one, this host's name and wall clock."""
        if self._stamping is None:
            with contextlib.suppress(WattmarkError):  # the link has logged it
                report = read_host(self._url)
                self._stamping = WindowStamping(report.host, report.offset_ns)
        if self._stamping is not None:
            return self._stamping
        offset_ns = self._clock.realtime_ns() - self._clock.boottime_ns()
        host = os.environ.get("WATTMARK_HOST") or platform.node()
        return WindowStamping(host, offset_ns)


def _with_possible_counts(window: Window) -> Window:
    wrong = why_impossible(window.inferences, window.correct, window.seconds)
    if wrong is not None:
        log.warning("a window is kept without its counts: %s", wrong)
        window = replace(window, inferences=None, correct=None)
    wrong = impossible_cpu_time(window.cpu_seconds, window.seconds, os.cpu_count() or 1)
    if wrong is not None:
        log.warning("a window is kept without its CPU time: %s", wrong)
        window = replace(window, cpu_seconds=None)
    return window
