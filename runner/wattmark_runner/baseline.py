"""Idle baselines: what the machine draws while nothing of ours runs but exporter and collector."""

import threading
import time
from collections.abc import Callable

from wattmark_core.results import Phase, Window
from wattmark_runner.overlap import put_marked
from wattmark_runner.progress import Progress
from wattmark_runner.telemetry import Telemetry, TimeBase, read_host
from wattmark_runner.windows import Frame
from wattmark_store import Store

TICK_SECONDS = 0.5


class Cancelled(Exception):
    """Somebody asked for an end."""


def measure_idle(
    seconds: float,
    *,
    exporter_url: str,
    store: Store,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Window:
    """A baseline that several runs share: pass it to ``execute`` as ``idle_before``.

    Raises ``ExporterError``, ``StoreError``, and ``Cancelled`` when ``cancel`` is set.
    """
    report = read_host(exporter_url)
    frame = Frame(report.host, TimeBase(report.instance, report.offset_ns))

    def tell(fraction: float) -> None:
        if progress is not None:
            progress(Progress("idle baseline", fraction, seconds * (1.0 - fraction)))

    with Telemetry(exporter_url) as telemetry:
        window = idle_window(seconds, frame, telemetry, tell, cancel)
    return put_marked(window, store)


def idle_window(
    seconds: float,
    frame: Frame,
    telemetry: Telemetry,
    tell: Callable[[float], None],
    cancel: threading.Event | None,
    run_id: str = "",
) -> Window:
    """Do nothing for ``seconds``.

    The exporter is armed as in a measured window, so that what its sampling costs is the same in
    both and cancels in the net energy.
    """
    telemetry.arm()
    try:
        opening = telemetry.edge()
        pause(seconds, tell, cancel)
        closing = telemetry.edge()
        return frame.window(Phase.IDLE, opening, closing, run_id=run_id)
    finally:
        telemetry.disarm()


def pause(seconds: float, tell: Callable[[float], None], cancel: threading.Event | None) -> None:
    """Sleep, telling the fraction done. Raises ``Cancelled`` as soon as ``cancel`` is set."""
    waiter = cancel or threading.Event()
    start = time.monotonic()
    while (left := start + seconds - time.monotonic()) > 0:
        tell(1.0 - left / seconds)
        if waiter.wait(min(left, TICK_SECONDS)):
            raise Cancelled
