"""Windows that share time with those of another run: that run's score may change with them."""

from collections.abc import Iterator
from typing import Final

from wattmark_core.errors import UnknownRun
from wattmark_core.results import Window
from wattmark_runner.records.model import RunRecord
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.open_windows import OpenWindows
from wattmark_runner.windows.overlap import (
    WORK,
    disturbs,
    put_marked,
    shares_time,
    unmarked,
    whose_run,
    withdrawn,
)

SHARED: Final = "another window shares its time: measured, not ranked"
CLIENT_CLOCK: Final = "its times are the client's and cannot be checked"


class Neighbours:
    """Finds the runs that are to be scored again. Methods raise ``StoreError``."""

    def __init__(self, context: AppContext, open_windows: OpenWindows) -> None:
        self._context = context
        self._open = open_windows

    def whose(self, window: Window) -> str:
        """Whom a window is of, with the owner that its run names."""
        try:
            owner = self._context.database.row(window.run_id).owner
        except UnknownRun:
            owner = ""
        return f"{whose_run(window)} of {owner}" if owner else whose_run(window)

    def warnings(self, record: RunRecord, window: Window) -> tuple[str, ...]:
        """What is to be known of a scored window from elsewhere."""
        facts = record.facts.get(window.window_id)
        return (
            *((CLIENT_CLOCK,) if window.clock == "client" else ()),
            *((SHARED,) if window.overlapping else ()),
            *(f"{holder} measured at the same time" for holder in (facts.others if facts else ())),
            *(f"{text} shares its time" for text in (facts.claims.values() if facts else ())),
        )

    def unaware_of(self, record: RunRecord) -> list[str]:
        """Runs scored before it was known that a window of ``record`` shares their time."""
        return self._runs(
            (window, other, known)
            for window in record.windows
            for other, known in self._beside(window, record.run_id)
            if _is_unaware(window, other, known)
        )

    def withdraw(self, window: Window) -> list[str]:
        """Take a window that is withdrawn out of the store, with the marks that it made; the runs
        that are to be scored without it. ``context.changing`` is held."""
        # The end of one that was abandoned is known to the store alone.
        stored = self._context.store.windows(run_id=window.run_id)
        window = next((own for own in stored if own.window_id == window.window_id), window)
        beside = list(self._beside(window, ""))
        self._context.store.put_window(withdrawn(window))
        for other in self._sharing(window):
            if other.overlapping:
                self._context.store.put_window(self._unmarked(other))
        for _, record in beside:
            self._forget_marks(window, record)
        return self._runs(
            (window, other, record)
            for other, record in beside
            if other.overlapping or window.window_id in _claims(record, other)
        )

    def put(self, window: Window) -> None:
        """Write a closed window, and mark those that share its time."""
        put_marked(window, self._context.store, self._open.windows())

    def _forget_marks(self, window: Window, record: RunRecord) -> None:
        record.windows = [
            self._unmarked(own) if own.overlapping and shares_time(own, window) else own
            for own in record.windows
        ]
        self._context.database.save(record)

    def _unmarked(self, window: Window) -> Window:
        return unmarked(window, self._context.store, self._open.windows())

    def _sharing(self, window: Window) -> list[Window]:
        around = self._context.store.windows(
            start_ns=window.start_ns, end_ns=window.end_ns, host=window.host
        )
        return [
            other
            for other in around
            if other.window_id != window.window_id and shares_time(window, other)
        ]

    def _beside(self, window: Window, run_id: str) -> Iterator[tuple[Window, RunRecord]]:
        """Windows of other runs than ``run_id`` in its time, with the records of those."""
        for other in self._sharing(window):
            if other.run_id not in {"", run_id}:
                try:
                    yield other, self._context.database.load(other.run_id)
                except UnknownRun:
                    continue  # of another program

    @staticmethod
    def _runs(found: Iterator[tuple[Window, Window, RunRecord]]) -> list[str]:
        return sorted({record.run_id for _, _, record in found})


def _claims(record: RunRecord, window: Window) -> dict[str, str]:
    facts = record.facts.get(window.window_id)
    return facts.claims if facts else {}


def _is_unaware(window: Window, other: Window, record: RunRecord) -> bool:
    """``other`` is as the store has it, ``record`` as it was scored."""
    if window.phase in WORK and not disturbs(window, other):
        return window.window_id not in _claims(record, other)
    unmarked_there = {own.window_id for own in record.windows if not own.overlapping}
    return other.overlapping and other.window_id in unmarked_there
