"""The running parts of the service, as its calls find them."""

import threading
from dataclasses import dataclass, field

from fastapi import Request

from wattmark_runner.service.annotations import Annotations
from wattmark_runner.service.queue import RunQueue
from wattmark_runner.service.site import Site


@dataclass(frozen=True, slots=True)
class Parts:
    """What carries out and annotates. ``stopping`` is set when streams are to end."""

    site: Site
    annotations: Annotations
    queue: RunQueue
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, site: Site) -> "Parts":
        """All parts, not started."""
        annotations = Annotations(site)
        return cls(site, annotations, RunQueue(site, annotations.open_windows))

    def start(self) -> None:
        """Take up what an earlier service left, then begin."""
        self.annotations.start()
        self.queue.start()

    def stop(self) -> None:
        """End the run under way and let go."""
        self.queue.stop()
        self.annotations.stop()


def parts(request: Request) -> Parts:
    """Those of the service that got the request."""
    found: Parts = request.app.state.parts
    return found
