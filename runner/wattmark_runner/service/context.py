"""What all jobs of the service work with."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wattmark_core.exporter_api import ExporterAddress
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.workloads.config import RunnerConfig
from wattmark_scoring.formula import Formula
from wattmark_store import Store


@dataclass(frozen=True, slots=True)
class AppContext:
    """One host's exporter, the store that its samples arrive in, and where runs are kept.

    ``data`` holds the runs' logs, ``cache`` trained weights; what runs may not reach is
    ``private``; ``folders``: where else there must be room. ``changing`` is held, never for long,
    by each caller that reads a record that has ended or is external, changes it and saves it.
    """

    exporter_url: str | ExporterAddress
    store: Store
    database: RunDatabase
    data: Path
    cache: Path
    config: RunnerConfig
    formulas: tuple[Formula, ...] = ()
    private: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    changing: AbstractContextManager[object] = field(default_factory=threading.RLock)

    def log_of(self, run_id: str) -> Path:
        """The file with what a run's worker prints."""
        return self.data / "logs" / f"{run_id}.log"

    def add_event(self, run_id: str, kind: str, body: Mapping[str, Any]) -> None:
        """Add to the events of a run, for those who follow it."""
        self.database.add_event(run_id, kind, body)
