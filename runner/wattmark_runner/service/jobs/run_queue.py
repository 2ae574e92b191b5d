"""The queue: runs wait in the ledger, and one thread carries them out, one at a time."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from wattmark_core.errors import WattmarkError
from wattmark_core.results import Window
from wattmark_runner.execution.progress import Progress
from wattmark_runner.execution.run import Hooks, execute, new_run_id
from wattmark_runner.records.database import RunRow
from wattmark_runner.records.model import FINAL, RunRecord, RunRequest, RunState
from wattmark_runner.service.api.problems import ApiError
from wattmark_runner.service.api.schemas import WindowItem
from wattmark_runner.service.context import AppContext

log = logging.getLogger("wattmark.runner")

STOPPED: Final = "the service was stopped while the run was under way; start the run again"
TELL_SECONDS: Final = 2.0
"""Progress is noted no more often."""


class RunQueue:
    """Queues runs and carries them out; ``start`` it, and ``stop`` it at the end.

    ``open_windows``: windows of other programs on this host that have not closed yet.
    """

    def __init__(self, context: AppContext, open_windows: Callable[[], Sequence[Window]]) -> None:
        self._context = context
        self._open_windows = open_windows
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="wattmark-queue", daemon=True)
        self._under_way: _UnderWay | None = None

    def start(self) -> None:
        """Say of runs that an earlier service left under way that they were; go on with others."""
        for run_id in self._context.database.in_state(RunState.RUNNING):
            record = self._context.database.load(run_id)
            record.state, record.reason = RunState.INTERRUPTED, STOPPED
            self._context.database.save(record)
            self._context.database.forget_progress(run_id)
        self._thread.start()

    def stop(self) -> None:
        """End the run under way, which is then interrupted; those that wait stay queued."""
        with self._changed:
            self._stopping = True
            if self._under_way is not None:
                self._under_way.cancel.set()
            self._changed.notify_all()
        self._thread.join()

    def submit(self, request: RunRequest) -> RunRow:
        """Queue a run."""
        now = time.time_ns()
        record = RunRecord(
            new_run_id(request.model), request, RunState.QUEUED, host="", boot_id="",
            exporter_instance="", offset_ns=0, started_ns=now, created_ns=now,
        )  # fmt: skip
        self._context.database.save(record)
        with self._changed:
            self._changed.notify_all()
        return self._context.database.row(record.run_id)

    def cancel(self, run_id: str) -> None:
        """Cancel a run that waits or is under way. Raises ``ApiError`` if it has ended."""
        with self._changed:
            record = self._context.database.load(run_id)
            if record.state is RunState.CANCELLED:
                return
            under_way = self._under_way
            if under_way is not None and under_way.run_id != run_id:
                under_way = None
            left = record.state is RunState.SCORING and under_way is None  # by an earlier service
            if record.state in FINAL or left:
                raise ApiError(409, f"the run is {record.state} already; nothing was cancelled")
            if under_way is not None:
                under_way.cancel.set()
                return
            record.state, record.reason = RunState.CANCELLED, "cancelled"
            record.ended_ns = time.time_ns()
            self._context.database.save(record)

    def progress(self, run_id: str) -> Progress | None:
        """How far the run is, if it is under way."""
        under_way = self._under_way
        return under_way.progress if under_way and under_way.run_id == run_id else None

    def _serve(self) -> None:
        while (under_way := self._next()) is not None:
            try:
                self._carry_out(under_way)
            except Exception:
                log.exception("run %s could not be kept", under_way.run_id)
                time.sleep(TELL_SECONDS)  # a full disk must not make this thread spin
            with self._changed:
                self._under_way = None

    def _next(self) -> "_UnderWay | None":
        with self._changed:
            while not self._stopping:
                waiting = self._context.database.queue()
                if waiting:
                    self._under_way = _UnderWay(waiting[0])
                    return self._under_way
                self._changed.wait()
        return None

    def _carry_out(self, under_way: "_UnderWay") -> None:
        context = self._context
        queued = context.database.load(under_way.run_id)
        request = queued.request
        keeper = _Keeper(context, under_way, lambda: self._stopping)
        hooks = Hooks(
            queued.run_id, queued.created_ns, keeper.keep, self._open_windows, context.formulas
        )
        try:
            execute(
                request,
                exporter_url=context.exporter_url,
                store=context.store,
                cache=context.cache,
                log=context.log_of(queued.run_id),
                progress=keeper.tell,
                cancel=under_way.cancel,
                hooks=hooks,
                workload=context.config.find(request.workload),
            )
        except WattmarkError as error:
            self._fail(under_way.run_id, str(error))
        except Exception as error:  # a fault of ours must not end the queue
            log.exception("run %s", under_way.run_id)
            self._fail(under_way.run_id, f"a fault of the service: {type(error).__name__}")
        finally:
            context.database.forget_progress(under_way.run_id)

    def _fail(self, run_id: str, reason: str) -> None:
        record = self._context.database.load(run_id)
        record.state, record.reason = RunState.FAILED, record.reason or reason
        record.ended_ns = record.ended_ns or time.time_ns()
        self._context.database.save(record)


class _UnderWay:
    """The run that is carried out now."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.cancel = threading.Event()
        self.progress: Progress | None = None


class _Keeper:
    """Writes a run's record as it grows, and tells those who follow what is new."""

    def __init__(
        self, context: AppContext, under_way: _UnderWay, stopping: Callable[[], bool]
    ) -> None:
        self._context = context
        self._under_way = under_way
        self._stopping = stopping
        self._state: RunState | None = None
        self._windows: set[str] = set()
        self._notices: set[str] = set()
        self._told = 0.0

    def keep(self, record: RunRecord) -> None:
        """Save the record; note its new state, windows and notices."""
        if record.state is RunState.CANCELLED and self._stopping():
            if self._state is RunState.SCORING:
                return  # all is measured: the next service scores it
            record.state, record.reason = RunState.INTERRUPTED, STOPPED
        for window in record.windows:
            if window.window_id not in self._windows:
                self._windows.add(window.window_id)
                body = WindowItem.of_window(window).model_dump(mode="json")
                self._context.tell(record.run_id, "window", body)
        for text in record.notices:
            if text not in self._notices:
                self._notices.add(text)
                self._context.tell(record.run_id, "notice", {"text": text})
        self._context.database.save(record)  # last: a final state is the last thing that is told
        self._state = record.state

    def tell(self, progress: Progress) -> None:
        """Note how far the run is, now and then."""
        self._under_way.progress = progress
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._context.tell(
                self._under_way.run_id,
                "progress",
                {
                    "stage": progress.stage,
                    "fraction": progress.fraction,
                    "seconds_left": progress.seconds_left,
                },
            )
