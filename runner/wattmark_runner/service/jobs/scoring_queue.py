"""Scoring in the background: runs whose windows have all closed, and runs that are scored again."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.errors import StoreError, StoreUnavailable, UnknownRun, WattmarkError
from wattmark_runner.errors import Cancelled, Conflict
from wattmark_runner.records.model import FINAL, RunRecord, RunSource, RunState
from wattmark_runner.scoring.await_samples import SAMPLES_SECONDS
from wattmark_runner.scoring.publishing import StoredScores, publish
from wattmark_runner.scoring.run import score_when_sampled
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.delays import Delays
from wattmark_runner.service.jobs.neighbours import Neighbours
from wattmark_runner.service.jobs.open_windows import OpenWindows

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 2.0
"""How long scoring again waits for samples: those of an old run are here, or will never come."""
PUBLISH_SECONDS: Final = 10.0
"""Between attempts to write what the store lacks."""
PUBLISH_SHARE_SECONDS: Final = 1.0
"""Of each tick: no further run is begun after it. After an update all runs are written again."""


class ScoringQueue:
    """Scores runs, one after the other, in a thread of its own; and writes results into the store
    that it did not confirm, because it went away or this service was killed meanwhile.
    """

    def __init__(self, context: AppContext, open_windows: OpenWindows) -> None:
        self._context = context
        self._open_windows = open_windows
        self._neighbours = Neighbours(context, open_windows)
        self._runs: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._once_more: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._again = threading.Lock()
        self._publish_at = 0.0
        self._delays = Delays()
        self._late: list[str] = []
        """Runs that could not be read or kept when they were scored."""
        self._thread = threading.Thread(target=self._serve, name="wattmark-scoring", daemon=True)

    def start(self) -> None:
        """Go on with the runs that an earlier service left unscored."""
        for run_id in self._context.database.in_state(RunState.SCORING):
            self.submit(run_id)
        self._thread.start()

    def stop(self) -> None:
        """Let go; what is not scored yet will be by the next service."""
        self._stop.set()
        self._runs.put("")  # there may be nothing else to wake it for a while
        self._thread.join()

    def submit(self, run_id: str) -> None:
        """Score a run in state ``scoring`` as soon as its samples have arrived."""
        self._runs.put(run_id)

    def again_soon(self, run_id: str) -> None:
        """Score a run that has ended once more, if it can be."""
        self._once_more.put(run_id)
        self._runs.put("")

    def again(self, run_id: str) -> RunRecord:
        """Score a run that has ended once more, now. Raises ``Conflict`` if it cannot be."""
        with self._again:
            record = self._context.database.load(run_id)
            before = record.state, _names(record)
            if record.state not in {RunState.DONE, RunState.FAILED}:
                raise Conflict(f"the run is {record.state}; only one that has ended is scored")
            if not record.windows or not record.series:
                raise Conflict("the run has no windows that could be scored")
            if not self._samples_kept(record):
                raise Conflict("the run's samples are no longer kept; its score stands")
            self._context.database.mark(run_id, published=False)
            score_when_sampled(
                record, self._context.store, limit_seconds=AGAIN_SECONDS, cancel=self._stop,
                open_windows=self._open_windows.windows, formulas=self._context.formulas,
                whose=self._neighbours.whose,
            )  # fmt: skip
            with self._context.changing:
                now = self._context.database.load(run_id)
                if (now.state, _names(now)) != before:
                    self._withdraw_again(record, now)
                    raise Conflict("the run's windows changed; it is scored when the last closes")
                record.state = RunState.FAILED if record.reason else RunState.DONE
                self._keep(record)
        return record

    def _serve(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            try:
                run_id = self._runs.get(timeout=TICK_SECONDS)
            except queue.Empty:
                run_id = next(filter(self._delays.due, self._late), "")
                self._late = [late for late in self._late if late != run_id]
            try:
                if run_id:
                    self._score(run_id)
                while not self._once_more.empty():
                    self._try_again(self._once_more.get())
                if time.monotonic() - last >= TICK_SECONDS:
                    last = time.monotonic()
                    self._publish_rest()
            except Cancelled:
                return
            except StoreError as error:  # a full disk, perhaps: the run stays to be scored
                self._wait_with(run_id, error)
            except Exception:  # whatever it is, other runs are still to be scored
                log.exception("scoring %s", run_id or "(clock)")

    def _wait_with(self, run_id: str, error: StoreError) -> None:
        if self._delays.failed(run_id, str(error)):
            log.error("scoring %s waits: %s", run_id or "(clock)", error)
        if run_id:
            self._late.append(run_id)

    def _score(self, run_id: str) -> None:
        """A run whose windows have changed meanwhile is scored by the order that follows."""
        record = self._context.database.load(run_id)
        if record.state is not RunState.SCORING:
            return
        before = _names(record)
        try:
            score_when_sampled(
                record, self._context.store, limit_seconds=SAMPLES_SECONDS, cancel=self._stop,
                open_windows=self._open_windows.windows, formulas=self._context.formulas,
                whose=self._neighbours.whose,
            )  # fmt: skip
        except WattmarkError as error:
            record.reason = record.reason or str(error)
        with self._context.changing:
            now = self._context.database.load(run_id)
            if now.state is not RunState.SCORING or before != _names(now):
                self._withdraw_again(record, now)
                return
            record.state = RunState.FAILED if record.reason else RunState.DONE
            if record.source is RunSource.RUNNER:
                record.ended_ns = record.ended_ns or time.time_ns()
            self._keep(record)
        for other in self._neighbours.unaware_of(record):
            self._try_again(other)

    def _withdraw_again(self, scored: RunRecord, now: RunRecord) -> None:
        """Windows that were withdrawn while their run was scored: publishing has written them, and
        their marks, once more. ``context.changing`` is held."""
        kept = set(_names(now))
        for window in scored.windows:
            if window.window_id not in kept:
                for run_id in self._neighbours.withdraw(window):
                    self.again_soon(run_id)

    def _keep(self, record: RunRecord) -> None:
        """Save a scored record; the rows of windows from elsewhere get what these cost."""
        if record.source is RunSource.EXTERNAL:
            for window in record.windows:
                row = self._context.database.window(window.window_id)
                warnings = self._neighbours.warnings(record, window)
                self._context.database.put_window(replace(row, window=window, warnings=warnings))
        self._context.database.save(record)

    def _publish_rest(self) -> None:
        """Write what the store has not confirmed of runs that have ended; others will be scored.

        A few at a time, and none while something is measured: runs that wait for their score come
        first. What the store refuses is tried again later, each run at its own time.
        """
        if time.monotonic() < self._publish_at or not self._again.acquire(blocking=False):
            return
        until = time.monotonic() + PUBLISH_SHARE_SECONDS
        stored: StoredScores = {}
        try:
            for run_id in filter(self._delays.due, self._context.database.unpublished()):
                if self._measuring():
                    break
                self._try_to_publish(run_id, stored)
                if time.monotonic() >= until or self._stop.is_set() or not self._runs.empty():
                    break
        except StoreError as error:
            self._publish_at = time.monotonic() + PUBLISH_SECONDS
            if not isinstance(error, StoreUnavailable):  # others report that it is away
                log.warning("results are not written: %s", error)
        finally:
            self._again.release()

    def _measuring(self) -> bool:
        """A run is measured, or a window from elsewhere is open: its run is in that state, too."""
        return bool(self._context.database.in_state(RunState.RUNNING))

    def _try_to_publish(self, run_id: str, stored: StoredScores) -> None:
        """A run that cannot be read or written waits alone. Raises ``StoreUnavailable``."""
        try:
            self._publish(run_id, stored)
        except StoreUnavailable:
            raise
        except WattmarkError as error:
            if self._delays.failed(run_id, str(error)):
                log.warning("results of run %s are not written: %s", run_id, error)
        except Exception as error:  # whatever it is, other runs are still to be written
            if self._delays.failed(run_id, str(error)):
                log.exception("results of run %s are not written", run_id)

    def _publish(self, run_id: str, stored: StoredScores) -> None:
        record = self._context.database.load(run_id)
        if record.state not in FINAL:
            return
        if not publish(record, self._context.store, stored=stored):
            self._delays.failed(run_id, "")
            return
        self._delays.succeeded(run_id)
        with self._context.changing:
            if self._context.database.load(run_id) == record:
                self._context.database.mark(run_id, published=True)

    def _try_again(self, run_id: str) -> None:
        with contextlib.suppress(UnknownRun, Conflict):  # under way, say, and scored later
            self.again(run_id)

    def _samples_kept(self, record: RunRecord) -> bool:
        """Are the samples around the run's windows still in the store?"""
        first = min(record.windows, key=lambda window: window.start_ns)
        tags = {"host": record.host}
        return bool(self._context.store.edges("energy", first.start_ns, first.end_ns, tags))


def _names(record: RunRecord) -> Sequence[str]:
    """The windows that a record has."""
    return [window.window_id for window in record.windows]
