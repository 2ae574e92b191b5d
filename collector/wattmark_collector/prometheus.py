"""Scrape one plain Prometheus target."""

from typing import Final

from wattmark_collector.admission import Admission
from wattmark_collector.fetch import fetch
from wattmark_collector.left_out import LeftOut
from wattmark_collector.normalise import Normaliser
from wattmark_collector.series_ownership import GRACE_SECONDS, Owner, SeriesOwnership
from wattmark_collector.sources import Batch
from wattmark_collector.targets import Target
from wattmark_core.clock import Clock
from wattmark_core.host_name import own_host

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
INTERVALS: Final = 3
"""Of a target that may be missed until another may have its series."""


class PrometheusSource:
    """``sources.Source`` for a page in Prometheus's text format; it has no cursor.

    Samples are stamped with the wall clock midway between request and answer.
    """

    lost = 0
    clock_offset_seconds = None

    def __init__(
        self, target: Target, clock: Clock, ownership: SeriesOwnership | None = None
    ) -> None:
        self.host = _host_name(target)
        self._target = target
        self._clock = clock
        self._ownership = ownership
        self._left_out = LeftOut(target.url)
        self._normaliser = Normaliser(
            target.url, self.host, target.keep, max_watts=target.max_watts, left_out=self._left_out
        )
        self._admission = Admission(self._left_out, clock, ownership, target.series_limit)
        grace_seconds = max(GRACE_SECONDS, INTERVALS * target.interval_seconds)
        self._owner = Owner(target.url, bool(target.host), grace_seconds=grace_seconds)

    @property
    def dropped(self) -> int:
        """Samples left out since the start."""
        return self._left_out.count

    def read(self) -> Batch:
        """See ``Source``."""
        before_ns = self._clock.realtime_ns()
        page = fetch(self._target)
        time_ns = (before_ns + self._clock.realtime_ns()) // 2
        samples = self._normaliser.take(page, time_ns)
        return Batch(list(self._admission.taken(samples, self._owner)))

    def committed(self, batch: Batch) -> None:
        """There is nothing to remember."""

    def close(self) -> None:
        """Let go of what the target owned."""
        if self._ownership is not None:
            self._ownership.release(self._target.url)


def _host_name(target: Target) -> str:
    """The label, else the name in the address; this machine is called as its exporter calls it."""
    name = target.host or target.host_name
    return own_host() if name in LOOPBACK else name
