"""What all parts of the service work with."""

from collections.abc import Mapping
from dataclasses import dataclass
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

    ``data`` holds the runs' logs, ``cache`` trained weights.
    """

    exporter_url: str | ExporterAddress
    store: Store
    database: RunDatabase
    data: Path
    cache: Path
    config: RunnerConfig
    formulas: tuple[Formula, ...] = ()

    def log_of(self, run_id: str) -> Path:
        """Where what a run's worker prints is kept."""
        return self.data / "logs" / f"{run_id}.log"

    def tell(self, run_id: str, kind: str, body: Mapping[str, Any]) -> None:
        """Note an event of a run, for those who follow it."""
        self.database.add_event(run_id, kind, body)
