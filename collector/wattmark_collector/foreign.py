"""Energy counters of other people's exporters: epochs and how well a tick's time is known."""

from dataclasses import dataclass
from typing import Final

from wattmark_core.units import ns_to_seconds, seconds_to_ns

GAP_NS: Final = seconds_to_ns(60.0)
"""The smallest RAPL counter holds 65,536 J. Between two looks this far apart it can go all the way
round unseen only above 1,092 W, more than a socket draws; beyond, a new epoch."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A new value of a counter: ``joules`` since the start of ``epoch`` (Unix ms)."""

    time_ns: int
    joules: float
    epoch: int
    uncertainty_seconds: float


class ForeignCounter:
    """One counter, seen scrape by scrape.

    The first value after the collector's start is of unknown age and only remembered. The next
    change, any fall, and the first change after a gap open an epoch at 0 J. A value that repeats is
    no tick. The uncertainty is half the time since the value last changed: the value may have been
    read by its exporter at any time since then. ``cached``: the exporter reads on its own schedule,
    so a tick is stamped midway between the two scrapes around it; otherwise it reads when asked.
    """

    def __init__(self, *, cached: bool) -> None:
        self._cached = cached
        self._raw: float | None = None
        self._seen_ns = 0
        self._changed_ns = 0
        self._base = 0.0
        self._epoch: int | None = None

    def read(self, raw_joules: float, time_ns: int) -> Tick | None:
        """The tick that a scrape at ``time_ns`` shows; None if there is none."""
        before, seen_ns = self._raw, self._seen_ns
        self._raw, self._seen_ns = raw_joules, time_ns
        if before is None or not 0 <= time_ns - seen_ns <= GAP_NS:
            self._changed_ns, self._epoch = time_ns, None
            return None
        if raw_joules == before:
            return None
        stamp_ns = (seen_ns + time_ns) // 2 if self._cached else time_ns
        if self._epoch is None or raw_joules < before:
            self._epoch, self._base = stamp_ns // 1_000_000, raw_joules
        uncertainty = ns_to_seconds(time_ns - self._changed_ns) / 2
        self._changed_ns = time_ns
        return Tick(stamp_ns, raw_joules - self._base, self._epoch, uncertainty)


def energy_fields(tick: Tick) -> dict[str, float | int]:
    """The fields of an ``energy`` sample."""
    return {
        "joules": tick.joules,
        "epoch": tick.epoch,
        "uncertainty_seconds": tick.uncertainty_seconds,
    }
