"""The queue: runs wait in the database, and one thread carries them out, one at a time."""

import logging
import threading
import time
from contextlib import suppress
from typing import Final

from wattmark_core.errors import StoreError, WattmarkError
from wattmark_runner.errors import Conflict
from wattmark_runner.execution.progress import Progress
from wattmark_runner.execution.request import check_request, new_run
from wattmark_runner.execution.run import carry_out
from wattmark_runner.execution.under_way import Hooks
from wattmark_runner.records.database import Act, RunRow
from wattmark_runner.records.model import FINAL, RunRecord, RunRequest, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.follower import STOPPED, RunFollower, complete
from wattmark_runner.service.jobs.open_windows import OpenWindows

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
"""After a record that could not be saved: a full disk must not make the thread spin."""


class RunQueue:
    """Queues runs and carries them out; ``start`` it, and ``stop`` it at the end."""

    def __init__(self, context: AppContext, open_windows: OpenWindows) -> None:
        self._context = context
        self._open_windows = open_windows
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="wattmark-queue", daemon=True)
        self._under_way: RunFollower | None = None
        self._inherited: frozenset[str] = frozenset()

    def start(self) -> None:
        """Interrupt the runs that an earlier service left under way; go on with those queued."""
        for run_id in self._context.database.in_state(RunState.RUNNING):
            record = self._context.database.load(run_id)
            complete(record, self._context.database.events(run_id))
            record.state, record.reason = RunState.INTERRUPTED, STOPPED
            self._context.database.keep(record)
            self._forget_progress(run_id)
        self._inherited = frozenset(self._context.database.queue())
        self._thread.start()

    def stop(self) -> None:
        """End the run under way, which is then interrupted; those that wait stay queued."""
        with self._changed:
            self._stopping.set()
            if self._under_way is not None:
                self._under_way.cancel.set()
            self._changed.notify_all()
        self._thread.join()

    def submit(self, request: RunRequest, by: str = "") -> RunRow:
        """Queue a run that the holder of the key ``by`` asks for. Raises ``ConfigurationError`` if
        it cannot be carried out here."""
        record = new_run(check_request(request, self._context.config.find(request.workload)))
        self._context.database.note(Act.REQUESTED, by, record.run_id)
        self._context.database.save(record)
        with self._changed:
            self._changed.notify_all()
        return self._context.database.row(record.run_id)

    def cancel(self, run_id: str, by: str = "") -> None:
        """Cancel a run that waits or is under way. Raises ``Conflict`` if it has ended."""
        with self._changed:
            record = self._context.database.load(run_id)
            if record.state is RunState.CANCELLED:
                return
            under_way = self._follower(run_id)
            left = record.state is RunState.SCORING and under_way is None  # by an earlier service
            if record.state in FINAL or left:
                raise Conflict(f"the run is {record.state} already; nothing was cancelled")
            self._context.database.note(Act.CANCELLED, by, run_id)
            if under_way is not None:
                under_way.cancel.set()
                return
            record.state, record.reason = RunState.CANCELLED, "cancelled"
            record.ended_ns = time.time_ns()
            self._context.database.save(record)

    def progress(self, run_id: str) -> Progress | None:
        """How far the run is, if it is under way."""
        under_way = self._follower(run_id)
        return under_way.progress if under_way else None

    def record(self, run_id: str) -> RunRecord | None:
        """The record with all windows so far, if the run is under way."""
        under_way = self._follower(run_id)
        return under_way.record if under_way else None

    def _follower(self, run_id: str) -> RunFollower | None:
        under_way = self._under_way
        return under_way if under_way and under_way.run_id == run_id else None

    def _serve(self) -> None:
        while (under_way := self._next()) is not None:
            try:
                self._carry_out(under_way)
            except Exception:
                log.exception("run %s could not be kept", under_way.run_id)
                time.sleep(RETRY_SECONDS)
            with self._changed:
                self._under_way = None

    def _next(self) -> RunFollower | None:
        with self._changed:
            while not self._stopping.is_set():
                try:
                    waiting = self._context.database.queue()
                except StoreError as error:
                    log.error("the queue waits: %s", error)
                    self._changed.wait(RETRY_SECONDS)
                    continue
                if waiting:
                    self._under_way = RunFollower(self._context, waiting[0], self._stopping)
                    return self._under_way
                self._changed.wait()
        return None

    def _carry_out(self, under_way: RunFollower) -> None:
        context = self._context
        record = context.database.load(under_way.run_id)
        hooks = Hooks(
            under_way.save, under_way.changed, self._open_windows.windows, context.formulas
        )
        try:
            workload = context.config.find(record.request.workload)
            if record.run_id in self._inherited:  # checked against another configuration
                record.request = check_request(record.request, workload)
            carry_out(
                record, workload, exporter_url=context.exporter_url, store=context.store,
                cache=context.cache, log=context.log_of(record.run_id),
                progress=under_way.report, cancel=under_way.cancel, hooks=hooks,
                private=context.private,
            )  # fmt: skip
        except WattmarkError as error:
            self._fail(under_way.run_id, str(error))
        except Exception as error:  # a fault of ours must not end the queue
            log.exception("run %s", under_way.run_id)
            self._fail(under_way.run_id, f"a fault of the service: {type(error).__name__}")
        finally:
            self._forget_progress(under_way.run_id)

    def _fail(self, run_id: str, reason: str) -> None:
        record = self._context.database.load(run_id)
        record.state, record.reason = RunState.FAILED, record.reason or reason
        record.ended_ns = record.ended_ns or time.time_ns()
        self._context.database.keep(record)

    def _forget_progress(self, run_id: str) -> None:
        with suppress(StoreError):  # upkeep does it later
            self._context.database.forget_progress(run_id)
