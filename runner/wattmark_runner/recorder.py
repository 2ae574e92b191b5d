"""Windows in a program of one's own: what a stretch of its code cost.

    with Recorder("http://127.0.0.1:9109", store) as recorder:
        with recorder.window(model="mine", phase=Phase.INFERENCE) as window:
            predictions = model(images)
            window.record(inferences=len(images), correct=int((predictions == labels).sum()))

Windows may nest and overlap, in any threads. Telemetry never raises into the program.
"""

import contextlib
import logging
import os
import platform
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from wattmark_core.clock import SystemClock
from wattmark_core.errors import StoreError, WattmarkError
from wattmark_core.results import Phase, Window
from wattmark_runner.overlap import put_marked
from wattmark_runner.telemetry import Edge, Telemetry, TimeBase, read_host
from wattmark_runner.windows import Frame
from wattmark_store import Store

log = logging.getLogger("wattmark.runner")


class OpenWindow:
    """A window under way; ``with`` it. Entering stamps and queues, and does nothing else."""

    __slots__ = ("_close", "_cpu_ns", "_facts", "_opening", "_telemetry",
                 "correct", "cpu_seconds", "inferences")  # fmt: skip

    def __init__(
        self, telemetry: Telemetry, close: Callable[["_Closed"], None], facts: dict[str, Any]
    ) -> None:
        self.inferences: int | None = None
        self.correct: int | None = None
        self.cpu_seconds: float | None = None
        """CPU time of the work; None: that of this process is taken."""
        self._telemetry = telemetry
        self._close = close
        self._facts = facts

    def __enter__(self) -> Self:
        self._opening = self._telemetry.edge(armed=1)
        self._cpu_ns = time.process_time_ns()
        return self

    def __exit__(self, *_: object) -> None:
        closing = self._telemetry.edge(armed=-1)
        if self.cpu_seconds is None:
            self.cpu_seconds = (time.process_time_ns() - self._cpu_ns) / 1e9
        facts = {
            **self._facts, "inferences": self.inferences, "correct": self.correct,
            "cpu_seconds": self.cpu_seconds,
        }  # fmt: skip
        self._close(_Closed(self._opening, closing, facts))

    def record(self, *, inferences: int, correct: int | None = None) -> None:
        """Add inferences done in the window, and how many of them were right, where known."""
        self.inferences = (self.inferences or 0) + inferences
        if correct is not None:
            self.correct = (self.correct or 0) + correct


@dataclass(frozen=True, slots=True)
class _Closed:
    opening: Edge
    closing: Edge
    facts: dict[str, Any]


class Recorder:
    """Writes windows into ``store`` as they close, from a thread of its own; ``with`` it.

    Opening and closing a window take their caller some microseconds. When the exporter is dead
    the log says so once, and windows are kept as incomplete. ``windows`` are those written so far.
    """

    def __init__(self, exporter_url: str, store: Store) -> None:
        self._url = exporter_url
        self._store = store
        self._clock = SystemClock()
        self._telemetry = Telemetry(exporter_url)
        self._closed: queue.SimpleQueue[_Closed | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="wattmark-recorder", daemon=True)
        self._refused = False
        self._frame: Frame | None = None
        self.windows: list[Window] = []

    def __enter__(self) -> Self:
        self._telemetry.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def window(
        self, *, model: str = "", workload: str = "", phase: Phase = Phase.INFERENCE,
        label: str = "",
    ) -> OpenWindow:  # fmt: skip
        """A window around a ``with`` body; an exception in the body closes it and goes its way."""
        facts = {"phase": phase, "model": model, "workload": workload, "label": label}
        return OpenWindow(self._telemetry, self._closed.put, facts)

    def close(self) -> None:
        """Write what is still to be written, then let go."""
        self._closed.put(None)
        self._thread.join()
        self._telemetry.close()

    def _serve(self) -> None:
        while (closed := self._closed.get()) is not None:
            frame = self._find_frame()
            window = frame.window(opening=closed.opening, closing=closed.closing, **closed.facts)
            self.windows.append(self._put(window))

    def _put(self, window: Window) -> Window:
        try:
            return put_marked(window, self._store)
        except StoreError as error:
            if not self._refused:
                log.warning("windows are not written: %s", error)
            self._refused = True
            return window

    def _find_frame(self) -> Frame:
        """Host and time base of the exporter; without one, this host's name and wall clock."""
        if self._frame is None:
            with contextlib.suppress(WattmarkError):  # the telemetry has logged it
                report = read_host(self._url)
                self._frame = Frame(report.host, TimeBase(report.instance, report.offset_ns))
        if self._frame is not None:
            return self._frame
        offset_ns = self._clock.realtime_ns() - self._clock.boottime_ns()
        host = os.environ.get("WATTMARK_HOST") or platform.node()
        return Frame(host, TimeBase("", offset_ns))
