"""Weights that Keras has to download are fetched before anything is measured."""

import threading
from collections.abc import Iterable
from pathlib import Path

from wattmark_runner.errors import Cancelled
from wattmark_runner.execution.worker_places import WorkerPlaces
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.worker.protocol import Load, Loaded


def fetch_weights(
    load: Load, log: Path, cancel: threading.Event, limit_seconds: float | None,
    private: Iterable[Path] = (),
) -> None:  # fmt: skip
    """Have a worker load the network, which leaves its weights in Keras's cache, and end it.

    Raises ``RunError`` if they cannot be had, and ``Cancelled``.
    """
    with WorkerProcess(log, gpu=load.gpu, places=WorkerPlaces.of(load, private)) as worker:
        worker.send(load)
        for message in worker.messages(cancel, limit_seconds):
            if isinstance(message, Loaded):
                return
    raise Cancelled
