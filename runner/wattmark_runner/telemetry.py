"""Asking an exporter for samples without making anybody wait, and without ever raising.

A thread of its own posts ``/sample`` at window edges and renews the lease of close sampling.
"""

import enum
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from wattmark_core.clock import boot_id
from wattmark_core.errors import ExporterError, WattmarkError
from wattmark_core.exporter_api import ExporterClient, HostReport

log = logging.getLogger("wattmark.runner")

LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
TIMEOUT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class TimeBase:
    """Which exporter stamps the samples, and what it adds to CLOCK_BOOTTIME.

    Two that differ mean that its counters have begun again in between.
    """

    instance: str
    offset_ns: int


T = TypeVar("T")
Edge = Future[TimeBase | None]
"""The time base at a window's edge, once the forced sample is taken; None: nobody answered."""


class _Order(enum.Enum):
    WAKE = "look whether to renew the lease"
    STOP = "carry out nothing more"


def read_host(exporter_url: str) -> HostReport:
    """Whose exporter it is. Raises ``ExporterError`` if it cannot be reached or is not this
    machine's."""
    client = ExporterClient(exporter_url)
    try:
        report = client.sensors()
    finally:
        client.close()
    if report.boot_id != boot_id():
        raise ExporterError(
            f"the exporter at {exporter_url} belongs to another machine ({report.host}, boot"
            f" {report.boot_id}); give the address of this machine's exporter"
        )
    return report


class Telemetry:
    """A line to one exporter, usable from any thread; ``with`` it.

    ``failing``: the last attempt did not succeed. ``failure``: the first thing that went wrong,
    empty if nothing did.
    """

    def __init__(self, exporter_url: str) -> None:
        self._client = ExporterClient(exporter_url, timeout_seconds=TIMEOUT_SECONDS)
        self._orders: queue.SimpleQueue[Edge | _Order] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="wattmark-telemetry", daemon=True)
        self._lock = threading.Lock()
        self._armed = 0
        self._renew_at = 0.0
        self._boot_id = boot_id()
        self.failing = False
        self.failure = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def edge(self) -> Edge:
        """Force a sample now; returns at once."""
        order: Edge = Future()
        self._orders.put(order)
        return order

    def arm(self) -> None:
        """Ask for close sampling until ``disarm`` was called as often as ``arm``."""
        with self._lock:
            self._armed += 1
        self._orders.put(_Order.WAKE)

    def disarm(self) -> None:
        """Take back one ``arm``. The lease runs out by itself: others may have asked for it too."""
        with self._lock:
            self._armed -= 1

    def close(self) -> None:
        """Carry out what was ordered, then let go."""
        self._orders.put(_Order.STOP)
        self._thread.join()
        self._client.close()

    def _serve(self) -> None:
        while (order := self._next()) is not _Order.STOP:
            if isinstance(order, Future):
                order.set_result(self._attempt(self._sample))
            elif self._armed and time.monotonic() >= self._renew_at:
                self._renew_at = time.monotonic() + RENEW_SECONDS
                self._attempt(self._renew)

    def _next(self) -> Edge | _Order:
        """The next order; while armed, one comes at the latest when the lease is to be renewed."""
        wait = max(0.0, self._renew_at - time.monotonic()) if self._armed else None
        try:
            return self._orders.get(timeout=wait)
        except queue.Empty:
            return _Order.WAKE

    def _sample(self) -> TimeBase:
        self._client.sample_now()
        report = self._client.sensors()
        if report.boot_id != self._boot_id:
            raise ExporterError(f"the exporter at {self._client.url} is another machine's now")
        return TimeBase(report.instance, report.offset_ns)

    def _renew(self) -> None:
        self._client.arm(LEASE_SECONDS)

    def _attempt(self, ask: Callable[[], T]) -> T | None:
        """Its answer, or None; the log hears of it when it begins to fail and when it recovers."""
        try:
            answer = ask()
        except (WattmarkError, ValueError, KeyError, TypeError) as error:
            if not self.failing:
                log.warning("no samples at window edges: %s", error)
            self.failing = True
            self.failure = self.failure or str(error)
            return None
        if self.failing:
            log.warning("the exporter at %s answers again", self._client.url)
        self.failing = False
        return answer
