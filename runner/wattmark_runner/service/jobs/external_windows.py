"""Windows of code that runs elsewhere: opened and closed over REST, or posted whole.

The service stamps them on arrival and has the exporter take a sample at each edge. A window
belongs to an external run, which is scored when no window of it is open any more.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from wattmark_core.clock import SystemClock
from wattmark_core.errors import StoreError
from wattmark_core.exporter_api import EnergySeries, HostReport
from wattmark_core.machine import about_machine
from wattmark_core.results import Phase, Window
from wattmark_core.units import seconds_to_ns
from wattmark_runner.execution.run import new_run_id
from wattmark_runner.records.database import WindowRow
from wattmark_runner.records.model import RunRecord, RunRequest, RunState, Source
from wattmark_runner.scoring.overhead import added, counts
from wattmark_runner.scoring.pinning import counted
from wattmark_runner.service.api.problems import ApiError, FieldError
from wattmark_runner.service.api.schemas import WindowClose, WindowCreate, WindowItem
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.scoring_queue import Scorer
from wattmark_runner.windows.exporter_link import Edge, ExporterLink, TimeBase, read_host
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.stamping import Frame
from wattmark_scoring.boundary import pin_sources

REPORT_SECONDS: Final = 5.0
"""How old what the exporter said of its counters may be when a window opens."""
FUTURE_NS: Final = seconds_to_ns(1.0)
"""How far a client's clock may be ahead of ours."""
RECENT_NS: Final = seconds_to_ns(60.0)
"""Samples of so late an end may still be on their way."""
CLIENT_CLOCK: Final = "its times are the client's and cannot be checked"
MORE: Final = (RunState.RUNNING, RunState.SCORING, RunState.DONE, RunState.FAILED)
"""States of an external run that takes one more window."""
LOST: Final = "the service was stopped while a window was open; what it cost is not known"


@dataclass(frozen=True, slots=True)
class _Open:
    """A window that has not closed yet."""

    row: WindowRow
    opening: Edge
    deadline: float
    """By the monotonic clock, s."""
    cpu_ns: int
    """What this process had taken when it opened."""


class Annotations:
    """All windows from elsewhere; ``start`` it, and ``stop`` it at the end. Any thread."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._telemetry = ExporterLink(context.exporter_url)
        self._lock = threading.RLock()
        self._open: dict[str, _Open] = {}
        self._machine = about_machine()
        self._report: tuple[float, HostReport] | None = None
        self.scorer = Scorer(context, self._lock, self.open_windows, self._scored, self._expire)

    def start(self) -> None:
        """Say of windows that an earlier service left open that nobody measured their end."""
        for run_id in self._context.database.in_state(RunState.RUNNING):
            record = self._context.database.load(run_id)
            if record.source is Source.EXTERNAL:
                self._give_up(record, RunState.INTERRUPTED, LOST)
        self._telemetry.__enter__()
        self.scorer.start()

    def stop(self) -> None:
        """Let go. Open windows are lost, and the next service says so."""
        self.scorer.stop()
        self._telemetry.close()

    def open(self, wanted: WindowCreate) -> WindowRow:
        """Open a window, now. Raises ``ApiError``, ``ExporterError``."""
        opening = self._telemetry.edge(armed=1)  # first of all: this is the window's start
        try:
            report = self._host()
            with self._lock:
                record = self._record(wanted, report)
                window = self._window(
                    wanted, record, opening.time_ns + report.offset_ns,
                    opening.time_ns + report.offset_ns,
                )  # fmt: skip
                row = WindowRow(window, max_seconds=wanted.max_seconds)
                self._keep(record, RunState.RUNNING)
                self._context.database.put_window(row)
                deadline = time.monotonic() + wanted.max_seconds
                self._open[window.window_id] = _Open(row, opening, deadline, time.process_time_ns())
        except BaseException:
            self._telemetry.disarm()
            raise
        return row

    def close(self, window_id: str, known: WindowClose) -> WindowRow:
        """Close a window, now; its run is scored soon. Raises ``ApiError``."""
        closing = self._telemetry.edge()  # first of all: this is the window's end
        _check_counts(known.inferences, known.correct)
        with self._lock:
            opened = self._open.pop(window_id, None)
        cpu_ns = time.process_time_ns()
        if opened is None:
            row = self._context.database.window(window_id)
            raise ApiError(409, f"the window is {row.state} already; open another")
        self._telemetry.disarm()
        window = self._closed(opened, closing, known)  # waits for the sample at its end
        with self._lock:
            if self._context.database.window(window_id).state != "open":
                raise ApiError(409, "the window's run was cancelled meanwhile; open another")
            try:
                row = replace(opened.row, window=window, state="closed")
                return self._add(row, cpu_ns - opened.cpu_ns)
            except StoreError:  # a full disk, perhaps: it can be closed once there is room
                self._open[window_id] = opened
                self._telemetry.arm()
                raise

    def post(self, wanted: WindowCreate) -> WindowRow:
        """A window that is over, at times of the client's. Raises ``ApiError``."""
        start_ns, end_ns = wanted.start_ns or 0, wanted.end_ns or 0
        _check_counts(wanted.inferences, wanted.correct)
        report = self._host()
        series = _counted(pin_sources(report.energy), wanted)
        self._check_times(report, series, start_ns, end_ns)
        with self._lock:
            record = self._record(wanted, report)
            window = self._window(wanted, record, start_ns, end_ns)
            window = replace(
                window, inferences=wanted.inferences, correct=wanted.correct,
                cpu_seconds=wanted.cpu_seconds, clock="client",
            )  # fmt: skip
            row = WindowRow(window, "closed", "client", None, (CLIENT_CLOCK,))
            self._context.database.save(record)
            return self._add(row)

    def cancel(self, run_id: str) -> None:
        """Abandon the open windows of an external run, which is cancelled."""
        with self._lock:
            record = self._context.database.load(run_id)
            if record.state is RunState.CANCELLED:
                return
            if record.state is not RunState.RUNNING:
                raise ApiError(409, f"the run is {record.state} already; nothing was cancelled")
            self._give_up(record, RunState.CANCELLED, "cancelled")

    def open_windows(self) -> Sequence[Window]:
        """Those that have not closed yet, as if they ended where they began."""
        with self._lock:
            return [each.row.window for each in self._open.values()]

    def _host(self) -> HostReport:
        """Whose exporter it is, and its counters. Raises ``ExporterError``."""
        now = time.monotonic()
        known = self._report
        if known is None or now - known[0] > REPORT_SECONDS or self._telemetry.failing:
            known = self._report = (now, read_host(self._context.exporter_url))
        return known[1]

    def _record(self, wanted: WindowCreate, report: HostReport) -> RunRecord:
        """The run that the window belongs to: a new one, or the one that is named."""
        if wanted.run_id is not None:
            return _joined(self._context.database.load(wanted.run_id), wanted)
        _require_names(wanted)
        request = RunRequest(
            wanted.workload, wanted.model, repeats=1, warmup_seconds=0.0, idle_before_seconds=0.0,
            idle_after_seconds=0.0, boundary=wanted.boundary, gpu=wanted.gpu, owner=wanted.owner,
            labels=dict(wanted.labels),
        )  # fmt: skip
        series = pin_sources(report.energy)
        _counted(series, wanted)
        return RunRecord(
            new_run_id(wanted.model), request, RunState.RUNNING, report.host, report.boot_id,
            report.instance, report.offset_ns,
            started_ns=SystemClock().boottime_ns() + report.offset_ns,
            created_ns=time.time_ns(), source=Source.EXTERNAL, series=series,
            environment={"exporter": report.version, **self._machine},
            test_images=wanted.test_images,
        )  # fmt: skip

    def _window(
        self, wanted: WindowCreate, record: RunRecord, start_ns: int, end_ns: int
    ) -> Window:
        same = [w for w in record.windows if w.phase is Phase(wanted.phase)]
        return Window(
            uuid.uuid4().hex, record.host, Phase(wanted.phase), start_ns, end_ns,
            wanted.model or record.request.model, wanted.workload or record.request.workload,
            record.run_id, len(same), wanted.label,
        )  # fmt: skip

    def _closed(self, opened: _Open, closing: Edge, known: WindowClose) -> Window:
        window = opened.row.window
        record = self._context.database.load(window.run_id)
        base = TimeBase(record.exporter_instance, record.offset_ns)
        stamped = Frame(record.host, base).window(window.phase, opened.opening, closing)
        return replace(
            window, start_ns=stamped.start_ns, end_ns=stamped.end_ns, complete=stamped.complete,
            inferences=known.inferences, correct=known.correct, cpu_seconds=known.cpu_seconds,
            label=window.label if known.label is None else known.label,
        )  # fmt: skip

    def _add(self, row: WindowRow, cpu_ns: int = 0) -> WindowRow:
        """A closed window joins its run; the run is scored when none of its windows is open.

        ``cpu_ns``: what this process took while it was open.
        """
        window = row.window
        record = self._context.database.load(window.run_id)
        number = sum(w.phase is window.phase for w in record.windows)
        row = replace(row, window=replace(window, repeat=number))
        record.windows.append(row.window)
        if counts(window):
            record.constants = added(record.constants, cpu_ns)
        record.ended_ns = max(record.ended_ns or 0, window.end_ns)
        if not window.complete and not record.reason:
            record.reason = "the exporter did not answer or was restarted in a window"
        _count(record)
        try:
            put_marked(row.window, self._context.store, self.open_windows())
        except StoreError:  # scoring does it again, and says what is wrong
            record.published = False
        self._context.database.put_window(row)
        self._context.tell(record.run_id, "window", WindowItem.of(row).model_dump(mode="json"))
        still_open = any(o.row.window.run_id == record.run_id for o in self._open.values())
        self._keep(record, RunState.RUNNING if still_open else RunState.SCORING)
        if not still_open:
            self.scorer.submit(record.run_id)
        return row

    def _keep(self, record: RunRecord, state: RunState) -> None:
        record.state = state
        self._context.database.save(record)

    def _scored(self, record: RunRecord) -> None:
        """Windows from elsewhere show what they cost."""
        if record.source is not Source.EXTERNAL:
            return
        for window in record.windows:
            row = self._context.database.window(window.window_id)
            warnings = list(row.warnings)
            if window.overlapping:
                warnings.append("another window shares its time: measured, not ranked")
            self._context.database.put_window(
                replace(row, window=window, warnings=tuple(dict.fromkeys(warnings)))
            )

    def _expire(self) -> None:
        """Windows that nobody closed in time are abandoned."""
        now = time.monotonic()
        with self._lock:
            late = [each for each in self._open.values() if now > each.deadline]
            for each in late:
                record = self._context.database.load(each.row.window.run_id)
                limit = each.row.max_seconds or 0.0
                self._abandon(each)
                reason = f"a window was not closed within {limit:g} s and was abandoned"
                if not any(o.row.window.run_id == record.run_id for o in self._open.values()):
                    self._end(record, RunState.FAILED, reason)

    def _give_up(self, record: RunRecord, state: RunState, reason: str) -> None:
        """End a run whose windows will not close."""
        for each in [o for o in self._open.values() if o.row.window.run_id == record.run_id]:
            self._abandon(each)
        for row in self._context.database.open_windows(record.run_id):
            self._context.database.put_window(replace(row, state="abandoned"))
        self._end(record, state, reason)

    def _abandon(self, opened: _Open) -> None:
        """It is not measured; but windows that share its time until now were not alone."""
        window = opened.row.window
        del self._open[window.window_id]
        self._telemetry.disarm()
        lasted_ns = SystemClock().boottime_ns() - opened.opening.time_ns
        spent = replace(window, end_ns=window.start_ns + lasted_ns, complete=False)
        with contextlib.suppress(StoreError):  # its end must become known all the same
            put_marked(spent, self._context.store, self.open_windows())
        self._context.database.put_window(replace(opened.row, state="abandoned"))

    def _end(self, record: RunRecord, state: RunState, reason: str) -> None:
        """What was measured in other windows of the run stays, and so does its score."""
        record.state, record.reason = state, reason
        record.ended_ns = time.time_ns()
        self._context.database.save(record)

    def _check_times(
        self, report: HostReport, series: Sequence[EnergySeries], start_ns: int, end_ns: int
    ) -> None:
        now = time.time_ns()
        if end_ns <= start_ns:
            raise _wrong("end_ns", "ends before it starts, or at once")
        if end_ns > now + FUTURE_NS:
            raise _wrong("end_ns", "lies in the future; post the window when it is over")
        for each in series:
            tags = {"host": report.host, **each.tags}
            found = self._context.store.edges("energy", start_ns, end_ns, tags)
            times = [time_ns for data in found for time_ns in data.times_ns]
            name = f"{each.source} {each.domain} {each.device}"
            if not any(time_ns <= start_ns for time_ns in times):
                raise _wrong("start_ns", f"{name} has no sample at that time; nothing was measured")
            if end_ns < now - RECENT_NS and not any(time_ns >= end_ns for time_ns in times):
                raise _wrong("end_ns", f"{name} has no sample at that time; nothing was measured")


def _counted(series: Sequence[EnergySeries], wanted: WindowCreate) -> Sequence[EnergySeries]:
    """The counters that the window's boundary needs. Raises ``ConfigurationError``."""
    request = RunRequest(wanted.workload, wanted.model, boundary=wanted.boundary, gpu=wanted.gpu)
    return counted(series, request)


def _require_names(wanted: WindowCreate) -> None:
    if wanted.phase != "idle":
        for name in ("model", "workload"):
            if not getattr(wanted, name):
                raise _wrong(name, "is needed: scores are told apart by it")


def _joined(record: RunRecord, wanted: WindowCreate) -> RunRecord:
    """A run of somebody's windows, ready for one more."""
    if record.source is not Source.EXTERNAL:
        raise _wrong("run_id", "is a run of the runner's own; leave it out to make one", 409)
    if record.state not in MORE:
        raise _wrong("run_id", f"is {record.state}; leave it out to make another", 409)
    request = record.request
    for name in ("model", "workload"):
        known, given = getattr(request, name), getattr(wanted, name)
        if known and given and known != given:
            raise _wrong(name, f"is {known} in this run; leave out run_id to make another run")
        request = replace(request, **{name: known or given})
    _require_names(wanted.model_copy(update={"model": request.model, "workload": request.workload}))
    record.request = request
    record.test_images = record.test_images or wanted.test_images
    return record


def _count(record: RunRecord) -> None:
    """Repeats and accuracy of an external run, from its windows."""
    windows = [w for w in record.windows if w.phase is Phase.INFERENCE]
    record.request = replace(record.request, repeats=max(1, len(windows)))
    inferences = sum(window.inferences or 0 for window in windows)
    correct = [window.correct for window in windows]
    known = [number for number in correct if number is not None]
    whole = inferences > 0 and len(known) == len(windows)
    record.accuracy = sum(known) / inferences if whole else None


def _check_counts(inferences: int | None, correct: int | None) -> None:
    if correct is None:
        return
    if inferences is None:
        raise _wrong("inferences", "is needed beside correct")
    if correct > inferences:
        raise _wrong("correct", f"is more than inferences: {correct} of {inferences}")


def _wrong(field: str, message: str, status: int = 422) -> ApiError:
    return ApiError(status, f"{field} {message}", [FieldError(field, message)])
