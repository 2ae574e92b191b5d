"""Windows from elsewhere that are taken back, with the marks that they made."""

from dataclasses import replace

from wattmark_runner.errors import Conflict
from wattmark_runner.records.database import Act, WindowRow
from wattmark_runner.records.model import RunRecord, RunState
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs import external_runs as runs
from wattmark_runner.service.jobs.neighbours import Neighbours
from wattmark_runner.service.jobs.open_windows import OpenWindows
from wattmark_runner.service.jobs.scoring_queue import ScoringQueue
from wattmark_runner.views.window_fields import row_fields
from wattmark_runner.windows.exporter_link import ExporterLink


class Withdrawals:
    """Takes windows back, open or closed. Any thread."""

    def __init__(
        self, context: AppContext, open_windows: OpenWindows, scoring: ScoringQueue,
        neighbours: Neighbours, exporter: ExporterLink,
    ) -> None:  # fmt: skip
        self._context = context
        self._open = open_windows
        self._scoring = scoring
        self._neighbours = neighbours
        self._exporter = exporter

    def withdraw(self, window_id: str, owner: str, by: str) -> WindowRow:
        """Take a window back: what it marked is no longer marked, and scored again.

        Who made it may: the holder of the key that it was asked for with, where there are keys
        (``by``: the name of the key); and where its run names an ``owner``, that one is to be
        given. Raises ``Conflict``, ``UnknownRun``.
        """
        with self._context.changing:
            row = self._context.database.window(window_id)
            record = self._context.database.load(row.window.run_id)
            made_by = self._context.database.acts([window_id]).get(window_id, {})
            if (name := made_by.get(Act.REQUESTED, by)) != by:
                raise Conflict(f"the window was asked for with the key {name}; withdraw it with it")
            if record.request.owner not in {"", owner}:
                raise Conflict(f"is not {record.request.owner}, who made the window", "owner")
            if row.state == "withdrawn":
                return row
            if self._open.remove(window_id) is not None:
                self._exporter.disarm()
            elif row.state == "open":
                raise Conflict("the window is being closed; withdraw it after that")
            again = self._neighbours.withdraw(row.window)
            row = replace(row, state="withdrawn", warnings=())
            self._context.database.put_window(row)
            self._leave_out(row)
        for run_id in again:
            self._scoring.again_soon(run_id)
        return row

    def _leave_out(self, row: WindowRow) -> None:
        """Its run goes on without the window."""
        record = self._context.database.load(row.window.run_id)
        runs.leave_out(record, row.window)
        self._context.add_event(record.run_id, "window", row_fields(row))
        if self._open.of_run(record.run_id):
            self._save(record, RunState.RUNNING)
        elif record.windows:
            self._save(record, RunState.SCORING)
            self._scoring.submit(record.run_id)
        else:
            self._save(record, RunState.CANCELLED)

    def _save(self, record: RunRecord, state: RunState) -> None:
        record.state = state
        self._context.database.save(record)
