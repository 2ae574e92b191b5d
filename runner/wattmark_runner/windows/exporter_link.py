"""The link to an exporter: it orders samples without making anybody wait, and never raises.

A thread of its own posts ``/sample`` at window edges and renews the lease of close sampling.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from wattmark_core.clock import SystemClock, boot_id
from wattmark_core.errors import ExporterError, WattmarkError
from wattmark_core.exporter_api import ExporterAddress, HostReport, TimeBase
from wattmark_core.time_base_clock import TimeBaseClock

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 20.0
RENEW_SECONDS: Final = 8.0
"""One that gets no answer may be followed by the next before the lease is over."""
TIMEOUT_SECONDS: Final = 2.0
OWN_CLOCK: Final = "clock-"
"""Begins the ``instance`` of a time base that is this machine's own, for want of an exporter."""
ANSWER_SECONDS: Final = 30.0
"""Longer than the timeouts of one order can add up to."""


T = TypeVar("T")


class WindowEdge:
    """A window's edge: its instant ``time_ns``, raw CLOCK_BOOTTIME, and the sample forced at it.

    It is the order to the link's thread, too: making and queueing one object is all that
    an edge costs its caller.
    """

    armed = 0
    """Leases to add: 1, 0 or -1."""
    _answered = threading.Condition()
    """Of all edges: each waits for its own answer."""
    _base: TimeBase | None = None

    def __init__(self, time_ns: int, armed: int = 0) -> None:
        self.time_ns = time_ns
        self.armed = armed

    def resolve(self, base: TimeBase) -> None:
        """Set the time base of the sample."""
        with self._answered:
            self._base = base
            self._answered.notify_all()

    def base(self) -> TimeBase | None:
        """The time base at the edge: the exporter's, or this machine's own if none answered. Waits
        for it; None if it never came."""
        with self._answered:
            self._answered.wait_for(lambda: self._base is not None, ANSWER_SECONDS)
            return self._base


@dataclass(frozen=True, slots=True)
class _Lease:
    """An order that forces no sample; ``stop``: the last one."""

    armed: int = 0
    stop: bool = False


def read_host(exporter_url: str | ExporterAddress) -> HostReport:
    """The report of this machine's exporter. Raises ``ExporterError`` if it does not answer, or is
    another machine's."""
    client = ExporterAddress.of(exporter_url).client()
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


class ExporterLink:
    """A link to one exporter, usable from any thread; ``with`` it.

    ``failing``: the last attempt did not succeed. ``failure``: the first thing that went wrong,
    empty if nothing did.
    """

    def __init__(self, exporter_url: str | ExporterAddress) -> None:
        self._client = ExporterAddress.of(exporter_url).client(TIMEOUT_SECONDS)
        self._orders: queue.SimpleQueue[WindowEdge | _Lease] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._serve, name="wattmark-exporter-link", daemon=True
        )
        self._armed = 0
        self._renew_at = 0.0
        self._boot_id = boot_id()
        self._own_clock = TimeBaseClock(SystemClock())
        self._torn = 0
        """How often our own clock was stepped, or the machine suspended."""
        self.failing = False
        self.failure = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def edge(self, time_ns: int | None = None, *, armed: int = 0) -> WindowEdge:
        """Force a sample now; returns at once. ``time_ns``: the edge's instant, default now.

        ``armed`` 1 or -1: ``arm`` or ``disarm`` with it. One order, not two: each wakes the thread.
        """
        if time_ns is None:
            time_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        edge = WindowEdge(time_ns, armed)
        self._orders.put(edge)
        return edge

    def order(self, edge: WindowEdge) -> None:
        """The same for an edge that its caller made."""
        self._orders.put(edge)

    def arm(self) -> None:
        """Ask for close sampling until ``disarm`` was called as often as ``arm``."""
        self._orders.put(_Lease(armed=1))

    def disarm(self) -> None:
        """Take back one ``arm``. The lease runs out by itself: other programs may need it too."""
        self._orders.put(_Lease(armed=-1))

    def close(self) -> None:
        """Carry out what was ordered, then end."""
        self._orders.put(_Lease(stop=True))
        self._thread.join()
        self._client.close()

    def _serve(self) -> None:
        while True:
            order = self._next()
            self._armed += order.armed
            if isinstance(order, WindowEdge):
                order.resolve(self._attempt(self._sample) or self._own_base())
            elif order.stop:
                return
            if self._armed and time.monotonic() >= self._renew_at:
                self._renew_at = time.monotonic() + RENEW_SECONDS
                self._attempt(self._renew)

    def _next(self) -> WindowEdge | _Lease:
        """The next order; while armed, one comes at the latest when the lease is to be renewed."""
        wait = max(0.0, self._renew_at - time.monotonic()) if self._armed else None
        try:
            return self._orders.get(timeout=wait)
        except queue.Empty:
            return _Lease()

    def _sample(self) -> TimeBase:
        base = self._client.sample_now()
        if base.boot_id != self._boot_id:
            raise ExporterError(f"the exporter at {self._client.url} is another machine's now")
        return base

    def _own_base(self) -> TimeBase:
        """What stamps where no exporter does."""
        if self._own_clock.check() is not None:
            self._torn += 1
        return TimeBase(self._boot_id, f"{OWN_CLOCK}{self._torn}", self._own_clock.offset_ns)

    def _renew(self) -> None:
        self._client.arm(LEASE_SECONDS)

    def _attempt(self, call: Callable[[], T]) -> T | None:
        """Its answer, or None. The log gets the first failure, and the recovery."""
        try:
            answer = call()
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
