"""Upkeep of the service's own files: what could not be written, and what has become old."""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_core.errors import WattmarkError
from wattmark_core.units import seconds_to_ns
from wattmark_runner.records.model import RunState
from wattmark_runner.service.context import AppContext

log = logging.getLogger(__name__)

DAY_SECONDS: Final = 86_400.0
RETRY_SECONDS: Final = 2.0
"""Between attempts to write what was kept."""
TURN_SECONDS: Final = 3600.0
"""Between looks for what is old; none is taken while something is measured."""
BUSY_SECONDS: Final = 60.0
KEEP_LOGS_DAYS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Ages:
    """How long is kept what: days; None: for ever."""

    logs_days: float | None = KEEP_LOGS_DAYS
    """What workers printed, and the events of runs. The records hold all that scores rest on."""
    runs_days: float | None = None
    """Runs that have ended, with their scores."""


USUAL: Final = Ages()


class Upkeep:
    """``start`` it, and ``stop`` it at the end: a thread that sleeps unless there is work."""

    def __init__(self, context: AppContext, ages: Ages) -> None:
        self._context = context
        self._ages = ages
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="wattmark-upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Try once more to write what was kept, then end. What is left is lost: the next service
        finds those runs as they were last written."""
        self._stopping.set()
        self._context.database.something_kept.set()
        self._thread.join()
        if not self._context.database.save_kept():
            log.error("the last state of %d runs is not written", len(self._context.database.kept))

    def forget_old(self) -> bool:
        """Drop what is old; False: something is measured, not now."""
        database = self._context.database
        if database.in_state(RunState.RUNNING):
            return False
        now = time.time()
        logs, runs = self._ages.logs_days, self._ages.runs_days
        if logs is not None:
            self._forget_logs(now - logs * DAY_SECONDS)
            database.forget_events(seconds_to_ns(now - logs * DAY_SECONDS))
        for run_id in (
            () if runs is None else database.ended_before(seconds_to_ns(now - runs * DAY_SECONDS))
        ):
            self._context.store.keep_scores(run_id, ())
            database.forget_run(run_id)
            self._context.log_of(run_id).unlink(missing_ok=True)
        database.shrink()
        return True

    def _serve(self) -> None:
        due = time.monotonic()
        database = self._context.database
        while not self._stopping.is_set():
            database.something_kept.wait(max(0.0, due - time.monotonic()))
            if database.something_kept.is_set():
                if self._stopping.wait(RETRY_SECONDS):
                    return
                database.save_kept()
            if time.monotonic() >= due:
                due = time.monotonic() + (TURN_SECONDS if self._try() else BUSY_SECONDS)

    def _try(self) -> bool:
        try:
            return self.forget_old()
        except (WattmarkError, OSError) as error:
            log.warning("what is old is not forgotten yet: %s", error)
        return True

    def _forget_logs(self, before: float) -> None:
        for path in _logs(self._context.data):
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()


def _logs(data: Path) -> list[Path]:
    return list((data / "logs").glob("*.log*"))
