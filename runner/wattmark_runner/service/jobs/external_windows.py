"""Windows of code that runs elsewhere: opened and closed over REST, or posted whole.

The service stamps them on arrival and has the exporter take a sample at each edge. A window
belongs to an external run, which is scored when no window of it is open any more.
"""

import contextlib
import logging
import threading
import time
from dataclasses import replace
from typing import Final

from wattmark_core.clock import SystemClock
from wattmark_core.errors import StoreError
from wattmark_core.exporter_api import HostReport
from wattmark_core.machine import about_machine
from wattmark_core.results import Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.errors import Conflict
from wattmark_runner.records.database import Act, WindowRow
from wattmark_runner.records.model import RunRecord, RunSource, RunState
from wattmark_runner.records.window_request import WindowRequest, WindowResults
from wattmark_runner.scoring.overhead import added, counts
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs import external_runs as runs
from wattmark_runner.service.jobs.neighbours import CLIENT_CLOCK, Neighbours
from wattmark_runner.service.jobs.open_windows import OpenedWindow, OpenWindows
from wattmark_runner.service.jobs.scoring_queue import ScoringQueue
from wattmark_runner.service.jobs.withdrawals import Withdrawals
from wattmark_runner.views.window_fields import row_fields
from wattmark_runner.windows.exporter_link import ExporterLink, WindowEdge
from wattmark_runner.windows.lease import holders_in
from wattmark_runner.windows.measured_host import measured_host
from wattmark_runner.windows.stamping import WindowStamping, clock_facts
from wattmark_scoring.boundary import pin_sources
from wattmark_scoring.window_facts import WindowFacts

log = logging.getLogger(__name__)

REPORT_SECONDS: Final = 5.0
"""How old the exporter's report of its counters may be when a window opens."""
RETRY_SECONDS: Final = 2.0
LOST: Final = "the service was stopped while a window was open; what it cost is not known"


class ExternalWindows:
    """All windows from elsewhere; ``start`` it, and ``stop`` it at the end. Any thread.

    Runs whose windows are all closed go to ``scoring``. A thread abandons windows that nobody
    closes in time.
    """

    def __init__(
        self, context: AppContext, open_windows: OpenWindows, scoring: ScoringQueue
    ) -> None:
        self._context = context
        self._open = open_windows
        self._scoring = scoring
        self._neighbours = Neighbours(context, open_windows)
        self._exporter = ExporterLink(context.exporter_url)
        self._withdrawals = Withdrawals(
            context, open_windows, scoring, self._neighbours, self._exporter
        )
        self._machine = about_machine()
        self._report: tuple[float, HostReport] | None = None
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wattmark-windows", daemon=True)

    def start(self) -> None:
        """Interrupt the runs whose windows an earlier service left open: their end is unknown."""
        for run_id in self._context.database.in_state(RunState.RUNNING):
            record = self._context.database.load(run_id)
            if record.source is RunSource.EXTERNAL:
                self._give_up(record, RunState.INTERRUPTED, LOST)
        self._exporter.__enter__()
        self._thread.start()

    def stop(self) -> None:
        """Let go. Open windows are lost; the next service interrupts their runs."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._exporter.close()

    def open(self, request: WindowRequest, by: str = "") -> WindowRow:
        """Open a window, now. Raises ``Invalid``, ``Conflict``, ``ExporterError``."""
        opening = self._exporter.edge(armed=1)  # first of all: this is the window's start
        try:
            report = self._host()
            with self._context.changing:
                record = self._run(request, report)
                start_ns = opening.time_ns + report.offset_ns
                window = runs.new_window(request, record, start_ns, start_ns)
                row = WindowRow(window, max_seconds=request.max_seconds)
                self._note(request, window, by)
                self._save(record, RunState.RUNNING)
                self._context.database.put_window(row)
                deadline = time.monotonic() + request.max_seconds
                self._open.add(OpenedWindow(row, opening, deadline, time.process_time_ns()))
        except BaseException:
            self._exporter.disarm()
            raise
        if self._open.next_deadline() == deadline:
            self._wake.set()
        return row

    def close(self, window_id: str, results: WindowResults, by: str = "") -> WindowRow:
        """Close a window, now; its run is scored soon. Raises ``Invalid``, ``Conflict``."""
        closing = self._exporter.edge()  # first of all: this is the window's end
        runs.check_counts(results, self._open.seconds(window_id, closing))
        with self._context.changing:
            opened = self._open.remove(window_id)
        cpu_ns = time.process_time_ns()
        if opened is None:
            row = self._context.database.window(window_id)
            raise Conflict(f"the window is {row.state} already; open another")
        self._exporter.disarm()
        window = self._closed(opened, closing, results)  # waits for the sample at its end
        facts = clock_facts(opened.opening, closing)
        facts = replace(facts, others=holders_in(window, self._exporter.others()))
        with self._context.changing:
            if self._context.database.window(window_id).state != "open":
                raise Conflict("the window's run was cancelled meanwhile; open another")
            try:
                row = replace(opened.row, window=window, state="closed")
                self._context.database.note(Act.CLOSED, by, window_id)
                return self._add(row, facts, cpu_ns - opened.cpu_ns)
            except StoreError:  # a full disk, perhaps: it can be closed once there is room
                self._open.add(opened)
                self._exporter.arm()
                raise

    def post(
        self, request: WindowRequest, start_ns: int, end_ns: int, results: WindowResults,
        by: str = "",
    ) -> WindowRow:  # fmt: skip
        """Record a window that is over, at times of the client's, Unix ns. Raises ``Invalid``."""
        runs.check_counts(results, ns_to_seconds(end_ns - start_ns) if end_ns > start_ns else None)
        report = self._host()
        series = runs.counted_of(pin_sources(report.energy), request)
        runs.check_times(self._context.store, report.host, series, start_ns, end_ns)
        with self._context.changing:
            record = self._run(request, report)
            window = replace(
                runs.new_window(request, record, start_ns, end_ns), inferences=results.inferences,
                correct=results.correct, cpu_seconds=results.cpu_seconds, clock="client",
            )  # fmt: skip
            self._note(request, window, by)
            self._context.database.save(record)
            facts = WindowFacts(others=holders_in(window, self._exporter.others()))
            return self._add(WindowRow(window, "closed", "client", None, (CLIENT_CLOCK,)), facts)

    def withdraw(self, window_id: str, owner: str = "", by: str = "") -> WindowRow:
        """Take a window back: see ``Withdrawals``."""
        return self._withdrawals.withdraw(window_id, owner, by)

    def cancel(self, run_id: str, by: str = "") -> None:
        """Abandon the open windows of an external run, which is cancelled. Raises ``Conflict``."""
        with self._context.changing:
            record = self._context.database.load(run_id)
            if record.state is RunState.CANCELLED:
                return
            if record.state is not RunState.RUNNING:
                raise Conflict(f"the run is {record.state} already; nothing was cancelled")
            self._context.database.note(Act.CANCELLED, by, run_id)
            self._give_up(record, RunState.CANCELLED, "cancelled")

    def _note(self, request: WindowRequest, window: Window, by: str) -> None:
        """Who asked for the window, and with it for its run if that is new."""
        runs_too = (window.run_id,) if request.run_id is None else ()
        self._context.database.note(Act.REQUESTED, by, window.window_id, *runs_too)

    def _host(self) -> HostReport:
        """The exporter's report, at most ``REPORT_SECONDS`` old. Raises ``ExporterError``."""
        now = time.monotonic()
        latest = self._report
        if latest is None or now - latest[0] > REPORT_SECONDS or self._exporter.failing:
            latest = self._report = (
                now,
                measured_host(self._context.exporter_url, self._context.store),
            )
        return latest[1]

    def _run(self, request: WindowRequest, report: HostReport) -> RunRecord:
        """The run that the window belongs to: a new one, or the one that is named."""
        if request.run_id is None:
            return runs.new_run(request, report, self._machine)
        return runs.joined(self._context.database.load(request.run_id), request)

    def _closed(self, opened: OpenedWindow, closing: WindowEdge, results: WindowResults) -> Window:
        window = opened.window
        record = self._context.database.load(window.run_id)
        has_exporter = bool(record.exporter_instance)
        stamping = WindowStamping(record.host, record.offset_ns, has_exporter)
        stamped = stamping.window(window.phase, opened.opening, closing)
        return replace(
            window, start_ns=stamped.start_ns, end_ns=stamped.end_ns, complete=stamped.complete,
            inferences=results.inferences, correct=results.correct,
            cpu_seconds=results.cpu_seconds,
            label=window.label if results.label is None else results.label,
        )  # fmt: skip

    def _add(self, row: WindowRow, facts: WindowFacts, cpu_ns: int = 0) -> WindowRow:
        """A closed window joins its run; the run is scored when none of its windows is open.

        ``cpu_ns``: CPU time of this process while it was open.
        """
        window = row.window
        record = self._context.database.load(window.run_id)
        repeat = sum(other.phase is window.phase for other in record.windows)
        row = replace(row, window=replace(window, repeat=repeat))
        record.windows.append(row.window)
        record.facts[window.window_id] = facts
        if counts(window):
            record.constants = added(record.constants, cpu_ns)
        record.ended_ns = max(record.ended_ns or 0, window.end_ns)
        if not window.complete and not record.reason:
            record.reason = "the exporter did not answer or was restarted in a window"
        runs.update_totals(record)
        try:
            self._neighbours.put(row.window)
        except StoreError:  # scoring writes it once more, and reports what is wrong
            record.published = False
        self._context.database.put_window(row)
        self._context.add_event(record.run_id, "window", row_fields(row))
        still_open = bool(self._open.of_run(record.run_id))
        self._save(record, RunState.RUNNING if still_open else RunState.SCORING)
        if not still_open:
            self._scoring.submit(record.run_id)
        return row

    def _save(self, record: RunRecord, state: RunState) -> None:
        record.state = state
        self._context.database.save(record)

    def _watch(self) -> None:
        """Abandon windows at their deadlines; asleep while there is none."""
        while not self._stopping:
            deadline = self._open.next_deadline()
            self._wake.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
            self._wake.clear()
            try:
                self._abandon_overdue()
            except Exception:
                log.exception("windows that were not closed in time are still open")
                self._wake.wait(RETRY_SECONDS)

    def _abandon_overdue(self) -> None:
        with self._context.changing:
            for opened in self._open.overdue():
                record = self._context.database.load(opened.window.run_id)
                self._abandon(opened)
                if not self._open.of_run(record.run_id):
                    limit = opened.row.max_seconds or 0.0
                    reason = f"a window was not closed within {limit:g} s and was abandoned"
                    self._end(record, RunState.FAILED, reason)

    def _give_up(self, record: RunRecord, state: RunState, reason: str) -> None:
        """End a run whose windows will not close."""
        for opened in self._open.of_run(record.run_id):
            self._abandon(opened)
        for row in self._context.database.open_windows(record.run_id):
            self._context.database.put_window(replace(row, state="abandoned"))
        self._end(record, state, reason)

    def _abandon(self, opened: OpenedWindow) -> None:
        """It is not measured; but windows that share its time until now were not alone."""
        window = opened.window
        if self._open.remove(window.window_id) is None:
            return  # it is being closed
        self._exporter.disarm()
        lasted_ns = SystemClock().boottime_ns() - opened.opening.time_ns
        spent = replace(window, end_ns=window.start_ns + lasted_ns, complete=False)
        with contextlib.suppress(StoreError):  # its end must become known all the same
            self._neighbours.put(spent)
        self._context.database.put_window(replace(opened.row, state="abandoned"))

    def _end(self, record: RunRecord, state: RunState, reason: str) -> None:
        """What was measured in other windows of the run stays, and so does its score."""
        record.reason = reason
        record.ended_ns = time.time_ns()
        self._save(record, state)
