"""Idle baselines: what the machine draws while nothing of ours runs but exporter and collector."""

import threading
from collections.abc import Callable

from wattmark_core.exporter_api import ExporterAddress
from wattmark_core.results import Phase, Window
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.measured_host import measured_host
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.stamping import WindowStamping, clock_facts
from wattmark_runner.windows.waiting import pause
from wattmark_scoring.window_facts import WindowFacts
from wattmark_store import Store


def measure_idle(
    seconds: float,
    *,
    exporter_url: str | ExporterAddress,
    store: Store,
) -> Window:
    """A baseline that several runs share: pass it to ``execute`` as ``idle_before``.

    Raises ``ExporterError`` and ``StoreError``.
    """
    report = measured_host(exporter_url, store)
    stamping = WindowStamping(report.host, report.offset_ns, bool(report.instance))
    with ExporterLink(exporter_url) as exporter:
        window, _ = idle_window(seconds, stamping, exporter, lambda _: None, None)
    return put_marked(window, store)


def idle_window(
    seconds: float,
    stamping: WindowStamping,
    exporter: ExporterLink,
    report: Callable[[float], None],
    cancel: threading.Event | None,
    run_id: str = "",
) -> tuple[Window, WindowFacts]:
    """Do nothing for ``seconds``; the window of it, and what was noted. Raises ``Cancelled``.

    The exporter is armed as in a measured window, so that what its sampling costs is the same in
    both and cancels in the net energy.
    """
    exporter.arm()
    try:
        opening = exporter.edge()
        pause(seconds, report, cancel)
        closing = exporter.edge()
        window = stamping.window(Phase.IDLE, opening, closing, run_id=run_id)
        return window, clock_facts(opening, closing)
    finally:
        exporter.disarm()
