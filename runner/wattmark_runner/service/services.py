"""The running parts of the service, as its calls find them."""

import threading
from dataclasses import dataclass, field

from fastapi import Request

from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.external_windows import Annotations
from wattmark_runner.service.jobs.run_queue import RunQueue


@dataclass(frozen=True, slots=True)
class Services:
    """What carries out and annotates. ``stopping`` is set when streams are to end."""

    context: AppContext
    annotations: Annotations
    queue: RunQueue
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, context: AppContext) -> "Services":
        """All parts, not started."""
        annotations = Annotations(context)
        return cls(context, annotations, RunQueue(context, annotations.open_windows))

    def start(self) -> None:
        """Take up what an earlier service left, then begin."""
        self.annotations.start()
        self.queue.start()

    def stop(self) -> None:
        """End the run under way and let go."""
        self.queue.stop()
        self.annotations.stop()


def parts(request: Request) -> Services:
    """Those of the service that got the request."""
    found: Services = request.app.state.parts
    return found
