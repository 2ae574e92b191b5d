"""What the phases of one run share while it is under way."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wattmark_core.errors import StoreUnavailable
from wattmark_core.results import Window
from wattmark_runner.execution.progress import Plan
from wattmark_runner.records.model import RunRecord
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.lease import holders_in
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.stamping import WindowStamping
from wattmark_runner.workloads import Workload
from wattmark_scoring.formula import Formula
from wattmark_scoring.window_facts import WindowFacts
from wattmark_store import Store


def _ignore(_: RunRecord) -> None:
    """Neither kept nor followed."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a queue of runs does beside each; the defaults suit a run on its own.

    ``save`` is called with the record at the ends of its phases, ``changed`` with every new window
    and notice. ``open_windows``: windows of other programs that have not closed yet. ``formulas``:
    scores beside the built-in ones.
    """

    save: Callable[[RunRecord], None] = _ignore
    changed: Callable[[RunRecord], None] = _ignore
    open_windows: Callable[[], Sequence[Window]] = tuple
    formulas: tuple[Formula, ...] = ()


ALONE: Final = Hooks()
"""Of a run that no queue carries out."""


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """One run; its phases fill ``record``. ``log`` gets what the worker prints; ``private``
    files and folders are out of its reach."""

    record: RunRecord
    workload: Workload
    hooks: Hooks
    store: Store
    exporter: ExporterLink
    cancel: threading.Event
    plan: Plan
    cache: Path
    log: Path
    data_root: Path
    private: tuple[Path, ...] = ()

    @property
    def stamping(self) -> WindowStamping:
        """What its windows are stamped in."""
        record = self.record
        return WindowStamping(record.host, record.offset_ns, bool(record.exporter_instance))

    @property
    def exporter_lost(self) -> bool:
        """There is an exporter, and it does not answer any more."""
        return bool(self.record.exporter_instance) and self.exporter.failing

    def add_window(self, window: Window, facts: WindowFacts) -> None:
        """Write a closed window into the store and the record, and what was noted of it into that.
        Raises ``StoreError``, but for a store that is away: scoring writes the window once more."""
        record = self.record
        record.facts[window.window_id] = facts
        try:
            window = put_marked(window, self.store, self.hooks.open_windows())
        except StoreUnavailable:
            record.published = False
        record.windows.append(window)
        if not window.complete and not record.reason:
            record.reason = self._interruption(window)
        self.hooks.changed(record)

    def add_notice(self, text: str) -> None:
        """Add what the user should know, once."""
        if text not in self.record.notices:
            self.record.notices.append(text)
            self.hooks.changed(self.record)

    def note_holders(self) -> None:
        """Note of each window who else measured at the exporter, once all are closed."""
        leases, record = self.exporter.others(), self.record
        for window in record.windows:
            holders = holders_in(window, leases)
            if holders:
                facts = record.facts.get(window.window_id, WindowFacts())
                record.facts[window.window_id] = replace(facts, others=holders)

    def _interruption(self, window: Window) -> str:
        name = f"{window.phase} window {window.repeat + 1}"
        failure = self.exporter.failure or "the exporter was restarted or moved its time base"
        return f"the samples were interrupted in {name}: {failure}"
