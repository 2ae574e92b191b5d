"""The running parts of the service, as its calls find them."""

import threading
from dataclasses import dataclass, field

from fastapi import Request

from wattmark_runner.records.model import RunRecord
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.external_windows import ExternalWindows
from wattmark_runner.service.jobs.open_windows import OpenWindows
from wattmark_runner.service.jobs.run_queue import RunQueue
from wattmark_runner.service.jobs.scoring_queue import ScoringQueue
from wattmark_runner.service.jobs.upkeep import USUAL, Ages, Upkeep
from wattmark_runner.windows.lease import name_folder


@dataclass(frozen=True, slots=True)
class Services:
    """All jobs of the service. ``stopping`` is set when streams are to end."""

    context: AppContext
    open_windows: OpenWindows
    scoring: ScoringQueue
    external: ExternalWindows
    queue: RunQueue
    upkeep: Upkeep
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, context: AppContext, ages: Ages = USUAL) -> "Services":
        """All jobs over a context, none started. ``ages``: how long what is kept. Others at its
        exporter read of its data folder."""
        name_folder(context.data)
        open_windows = OpenWindows()
        scoring = ScoringQueue(context, open_windows)
        external = ExternalWindows(context, open_windows, scoring)
        queue = RunQueue(context, open_windows)
        return cls(context, open_windows, scoring, external, queue, Upkeep(context, ages))

    def start(self) -> None:
        """Take up what an earlier service left, then begin."""
        self.external.start()
        self.scoring.start()
        self.queue.start()
        self.upkeep.start()

    def stop(self) -> None:
        """End the run under way; what waits is left to the next service."""
        self.queue.stop()
        self.scoring.stop()
        self.external.stop()
        self.upkeep.stop()

    def record(self, run_id: str) -> RunRecord:
        """A run's record, of one under way as it stands now. Raises ``UnknownRun``."""
        return self.queue.record(run_id) or self.context.database.load(run_id)


def services(request: Request) -> Services:
    """Those of the service that got the request, for ``Depends``."""
    running: Services = request.app.state.services
    return running
