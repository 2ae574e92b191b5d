"""The link to an exporter: it orders samples without making anybody wait, and never raises.

A thread of its own posts ``/sample`` at window edges, renews the lease of close sampling, which has
one name for all of this process, and ends it.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from wattmark_core.clock import Clock, SystemClock, boot_id
from wattmark_core.errors import ExporterError, WattmarkError
from wattmark_core.exporter_api import ExporterAddress, HostReport, Lease, TimeBase
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_runner.windows.clocks import ClockOffsets
from wattmark_runner.windows.lease import LINGER_SECONDS, armed_here, holder, lease_id

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 20.0
RENEW_SECONDS: Final = 8.0
"""One that gets no answer may be followed by the next before the lease is over."""
TIMEOUT_SECONDS: Final = 2.0
OWN_CLOCK: Final = "clock-"
"""Begins the ``instance`` of a time base that is this machine's own, for want of an exporter."""
ANSWER_SECONDS: Final = 30.0
"""Longer than the timeouts of one order can add up to."""
LOOK_SECONDS: Final = 240.0
"""How often it is looked who else measures: the exporter tells of the last ten minutes."""


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
    _offsets: ClockOffsets | None = None

    def __init__(self, time_ns: int, armed: int = 0) -> None:
        self.time_ns = time_ns
        self.armed = armed

    def resolve(self, base: TimeBase, offsets: ClockOffsets | None = None) -> None:
        """Set the time base of the sample. ``offsets``: how the clocks stand to each other then."""
        with self._answered:
            self._offsets = offsets
            self._base = base
            self._answered.notify_all()

    def base(self) -> TimeBase | None:
        """The time base at the edge: the exporter's, or this machine's own if none answered. Waits
        for it; None if it never came."""
        with self._answered:
            self._answered.wait_for(lambda: self._base is not None, ANSWER_SECONDS)
            return self._base

    def offsets(self) -> ClockOffsets | None:
        """How the clocks stood to each other at the edge, None if not known. Waits for it."""
        self.base()
        return self._offsets


class _Look:
    """An order to see who else measures."""

    armed = 0

    def __init__(self) -> None:
        self.done = threading.Event()


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

    def __init__(self, exporter_url: str | ExporterAddress, *, clock: Clock | None = None) -> None:
        self._client = ExporterAddress.of(exporter_url).client(TIMEOUT_SECONDS)
        self._clock = clock or SystemClock()
        self._orders: queue.SimpleQueue[WindowEdge | _Lease | _Look] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._serve, name="wattmark-exporter-link", daemon=True
        )
        self._armed = 0
        self._renew_at = 0.0
        self._end_at: float | None = None
        """When the lease is to be ended, by the monotonic clock; None: it is wanted, or ended."""
        self._look_at: float | None = None
        self._named = False
        """Has the exporter told of a lease of ours? An older one knows no names."""
        self._others: dict[tuple[str, int], Lease] = {}
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
        """Take back one ``arm``. After the last of this process its lease ends soon; that of other
        programs goes on."""
        self._orders.put(_Lease(armed=-1))

    def others(self) -> tuple[Lease, ...]:
        """Leases of other programs that the exporter has told of since this link was opened, and of
        the ten minutes before. Waits for its answer; without one, those known before."""
        look = _Look()
        self._orders.put(look)
        look.done.wait(ANSWER_SECONDS)
        return tuple(self._others.values())

    def close(self) -> None:
        """Carry out what was ordered, then end."""
        self._orders.put(_Lease(stop=True))
        self._thread.join()
        self._client.close()

    def _serve(self) -> None:
        while True:
            order = self._next()
            self._change(order.armed)
            if isinstance(order, WindowEdge):
                base = self._attempt(self._sample) or self._own_base()
                order.resolve(base, ClockOffsets.now(self._clock))
            elif isinstance(order, _Look):
                self._attempt(self._look)
                order.done.set()
            elif order.stop:
                self._change(-self._armed)
                if self._end_at is not None:
                    self._end_lease()
                return
            self._keep_lease()

    def _change(self, armed: int) -> None:
        """More or fewer want the lease."""
        if not armed:
            return
        self._armed += armed
        armed_here(self._client.url, armed)
        self._end_at = None if self._armed else time.monotonic() + LINGER_SECONDS

    def _keep_lease(self) -> None:
        """Renew the lease while somebody wants it, else end it in time."""
        now = time.monotonic()
        if self._armed:
            if now >= self._renew_at:
                self._renew_at = now + RENEW_SECONDS
                self._attempt(self._renew)
            if self._look_at is None:
                self._look_at = now + LOOK_SECONDS
            if now >= self._look_at:
                self._look_at = now + LOOK_SECONDS
                self._attempt(self._look)
        elif self._end_at is not None and now >= self._end_at:
            self._end_lease()

    def _end_lease(self) -> None:
        """If no other link of this process wants it."""
        self._end_at, self._renew_at = None, 0.0
        if not armed_here(self._client.url):
            self._attempt(self._end)

    def _next(self) -> WindowEdge | _Lease | _Look:
        """The next order; one comes at the latest when the lease is to be renewed or ended."""
        at = self._renew_at if self._armed else self._end_at
        wait = None if at is None else max(0.0, at - time.monotonic())
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
        self._client.arm(LEASE_SECONDS, lease=lease_id(), holder=holder())

    def _end(self) -> None:
        """An older exporter would end everybody's: there the lease runs out by itself."""
        if not self._named:
            self._look()
        if self._named:
            self._client.arm(0.0, lease=lease_id(), holder=holder())

    def _look(self) -> None:
        for lease in self._client.sensors().leases:
            if lease.lease == lease_id():
                self._named = True
            else:
                self._others[lease.lease, lease.start_ns] = lease

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
