"""Energy counters of other people's exporters: epochs, bounds, how well a tick's time is known."""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from wattmark_collector.left_out import LeftOut
from wattmark_core.catalogue import Domain
from wattmark_core.counter_jumps import can_rise
from wattmark_core.plausible import most_watts
from wattmark_core.units import NS_PER_S, ns_to_seconds, seconds_to_ns

GAP_NS: Final = seconds_to_ns(75.0)
"""The smallest RAPL counter holds 65,536 J. Between two looks this far apart it can go all the way
round unseen only above 873 W, more than a socket draws; beyond, a new epoch. A scrape a minute,
which is the default of Prometheus, never comes after 60 s exactly."""
STILL_NS: Final = seconds_to_ns(120.0)
"""What is measured draws power even when it is idle, and no exporter that is well reads so seldom:
a counter that shows one value for longer does not count."""
SOCKET_WATTS: Final = most_watts(Domain.PACKAGE)


class Problem(Enum):
    """Why a value is no tick: it is not believed yet, comes too long after the one before, or has
    been the same for too long."""

    JUMP = "jump"
    GAP = "gap"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class Tick:
    """A new value of a counter: ``joules`` since the start of ``epoch`` (Unix ms)."""

    time_ns: int
    joules: float
    epoch: int
    uncertainty_seconds: float


@dataclass(slots=True)
class _Shown:
    """A value as scrapes have shown it: first, and last. Its exporter read it at ``since_ns`` or
    later."""

    joules: float
    since_ns: int
    first_ns: int
    seen_ns: int


class ForeignCounter:
    """One counter, seen scrape by scrape, of a device that may draw ``limit_watts``.

    The first value after the collector's start is of unknown age and only remembered. The next
    change that follows from it, and the first after a gap, open an epoch at 0 J. A value that
    repeats is no tick. One that does not follow from the one before, for it fell or rose by more
    than the device can have used, is held back: if a later value follows from it, the counter was
    reset, or went round, and an epoch opens there; if a later one follows from the one before, it
    was wrong. Where both fit, an epoch opens, so that energy is missing rather than wrong; but for
    a fall too small for a counter that began again at 0. The same value again bears nothing out: an
    exporter that caches gives a wrong one many times.

    The uncertainty is half the time since the value last changed: the value may have been read by
    its exporter at any time since then. ``cached``: the exporter reads on its own schedule, so a
    tick is stamped midway between the two scrapes around it; otherwise it reads when asked.
    ``problem`` says of the last value why it is no tick, where that needs to be told.
    """

    def __init__(self, *, cached: bool, limit_watts: float = SOCKET_WATTS) -> None:
        self.problem: Problem | None = None
        self._cached = cached
        self._limit_watts = limit_watts
        self._last: _Shown | None = None
        self._suspect: _Shown | None = None
        self._base = 0.0
        self._epoch: int | None = None

    def read(self, raw_joules: float, time_ns: int) -> Tick | None:
        """The tick that a scrape at ``time_ns`` shows; None if there is none."""
        self.problem = None
        if not 0 <= raw_joules < inf:
            self.problem = Problem.JUMP
            return None
        last, suspect = self._last, self._suspect
        if last is None or not 0 <= time_ns - last.seen_ns <= GAP_NS:
            self._last, self._suspect = _Shown(raw_joules, time_ns, time_ns, time_ns), None
            self._epoch = None
            self.problem = None if last is None else Problem.GAP
            return None
        if raw_joules == last.joules:
            last.seen_ns, self._suspect = time_ns, None
            self.problem = Problem.STILL if time_ns - last.first_ns > STILL_NS else None
            return None
        follows = self._follows(last, raw_joules, time_ns)
        if suspect is not None:
            if raw_joules == suspect.joules:
                suspect.seen_ns = time_ns
                return None
            if self._follows(suspect, raw_joules, time_ns) and not (
                follows and self._is_no_reset(last, suspect)
            ):
                self._epoch = None
                return self._tick(last if follows else suspect, raw_joules, time_ns)
        if follows:
            return self._tick(last, raw_joules, time_ns)
        self.problem = Problem.JUMP
        since_ns = last.seen_ns if self._cached else time_ns
        self._suspect = _Shown(raw_joules, since_ns, time_ns, time_ns)
        return None

    def _follows(self, before: "_Shown", joules: float, time_ns: int) -> bool:
        since_ns = before.since_ns if self._cached else before.seen_ns
        seconds = ns_to_seconds(time_ns - since_ns)
        return can_rise(joules - before.joules, self._limit_watts, seconds)

    def _is_no_reset(self, last: "_Shown", suspect: "_Shown") -> bool:
        """Whether the value held back fell, but not so far that it can have begun again at 0."""
        seconds = ns_to_seconds(suspect.first_ns - last.since_ns)
        can_be = can_rise(suspect.joules, self._limit_watts, seconds)
        return suspect.joules < last.joules and not can_be

    def _tick(self, before: "_Shown", joules: float, time_ns: int) -> Tick:
        stamp_ns = (before.seen_ns + time_ns) // 2 if self._cached else time_ns
        since_ns = before.seen_ns if self._cached else time_ns
        self._last, self._suspect = _Shown(joules, since_ns, time_ns, time_ns), None
        if self._epoch is None:
            self._epoch, self._base = stamp_ns // 1_000_000, joules
        uncertainty_seconds = ns_to_seconds(time_ns - before.first_ns) / 2
        return Tick(stamp_ns, joules - self._base, self._epoch, uncertainty_seconds)


def energy_fields(tick: Tick) -> dict[str, float | int]:
    """The fields of an ``energy`` sample."""
    return {
        "joules": tick.joules,
        "epoch": tick.epoch,
        "uncertainty_seconds": tick.uncertainty_seconds,
    }


def tell(problem: Problem | None, counter: str, joules: float, left_out: LeftOut) -> None:
    """Tell, once for each counter, why a value of it is no tick."""
    if problem is Problem.JUMP:
        left_out.add(
            f"jump {counter}",
            f"{counter} jumps to {joules:.9g} J: it went round, was reset, or is wrong; it is held"
            " back until the next value bears it out (max_watts sets what is a jump)",
        )
    elif problem is Problem.STILL:
        left_out.add(
            f"still {counter}",
            f"{counter} has stood at {joules:.9g} J for over {STILL_NS // NS_PER_S} s: it does not"
            " count, or its exporter reads no more; another source counts in its place",
            0,
        )
    elif problem is Problem.GAP:
        left_out.add(
            f"gap {counter}",
            f"{counter} begins anew, for over {GAP_NS // NS_PER_S} s lie between two scrapes; poll"
            " it more often",
            0,
        )
