"""Turns raw counters and power readings into energy that only grows, epoch by epoch.

All that can go wrong with a counter is distinguished here, once for all sensors: wrap, reset,
garbled read, lost reads. Pure: the caller gives the time of each reading, so tests run in virtual
time. Where two explanations fit, a new epoch is opened: energy is missing rather than wrong.
"""

from math import inf
from typing import Final, NamedTuple, Protocol

from wattmark_core.catalogue import Domain
from wattmark_core.counter_jumps import can_rise
from wattmark_core.plausible import most_watts
from wattmark_core.units import NS_PER_S
from wattmark_exporters.readings import Traits

MARGIN: Final = 1.5
"""A limit is an average over ms to s: allow half as much again."""
GAP_SECONDS: Final = 1.0
"""Longest time between reads over which power is interpolated, or failure is forgiven."""
_NS_PER_MS: Final = 1_000_000
_new: Final = tuple.__new__
"""Makes a named tuple without the detour over its class, which costs more than the meter."""


class EnergyPoint(NamedTuple):
    """Energy since the start of ``epoch`` (Unix ms) at ``time_ns`` ± ``uncertainty_seconds``."""

    joules: float
    epoch: int
    uncertainty_seconds: float
    time_ns: int


class Meter(Protocol):
    """What the sampler needs of a meter."""

    dropped: int
    moved: bool

    def learn(self, traits: Traits) -> None:
        """What is known of the sensor from now on."""
        ...

    def read(self, value: float, time_ns: int, read_ns: int) -> EnergyPoint | None:
        """Take a reading whose read had its middle at ``time_ns`` and lasted ``read_ns``."""
        ...

    def missed(self) -> None:
        """A read that was due gave nothing."""
        ...

    def new_epoch(self) -> None:
        """The next reading starts a new epoch."""
        ...


class _Epoch:
    """Names epochs by their start in Unix ms, strictly rising whatever the wall clock does."""

    def __init__(self) -> None:
        self.number = 0

    def open(self, time_ns: int) -> None:
        self.number = max(time_ns // _NS_PER_MS, self.number + 1)


class CounterMeter:
    """An energy counter of one device. ``dropped`` counts readings that were not plausible."""

    def __init__(
        self, traits: Traits, domain: Domain = Domain.PACKAGE, *, gap_seconds: float = GAP_SECONDS
    ) -> None:
        self.dropped = 0
        self.moved = False
        self._domain = domain
        self._gap_ns = gap_seconds * NS_PER_S
        self._epoch = _Epoch()
        self._open = False
        self._offset_joules = 0.0
        self._joules = 0.0
        self._last: tuple[float, int, int] | None = None
        """Value, time and length of the last good read."""
        self._value_since_ns = 0
        self._suspect: tuple[float, int] | None = None
        self._bad = 0
        self.learn(traits)

    def learn(self, traits: Traits) -> None:
        """What is known of the counter from now on."""
        self._ticking = traits.ticking
        self._wrap_joules = inf if traits.wrap_joules is None else traits.wrap_joules
        self._limit_watts = most_watts(self._domain, traits.limit_watts)
        self._bound_watts = _bound_watts(self._domain, traits)
        self._period_seconds = traits.update_period_seconds
        self._half_seconds = traits.update_period_seconds / 2
        self._half_ns = round(self._half_seconds * NS_PER_S)

    def read(self, value: float, time_ns: int, read_ns: int) -> EnergyPoint | None:
        """The new energy, or None if the value did not tick or is not plausible.

        ``value``: J, as the hardware counts. A value that does not follow from the one before is
        held back; if the next read bears it out, the counter was reset and an epoch begins there.
        """
        if not 0 <= value <= self._wrap_joules or value == inf:
            self._drop()
            return None
        last, bad = self._last, self._bad
        if last is None:
            return self._begin(value, time_ns, read_ns)
        last_value, last_ns, last_read_ns = last
        elapsed_ns = time_ns - last_ns
        if (bad and elapsed_ns > self._gap_ns) or (
            elapsed_ns * self._limit_watts > self._wrap_joules * NS_PER_S
        ):  # reads failed for too long, or it could have wrapped more than once
            return self._begin(value, time_ns, read_ns)
        if elapsed_ns <= 0:
            return None
        suspect = self._suspect
        if suspect is not None and self._rise(*suspect, value, time_ns) is not None:
            return self._begin(value, time_ns, read_ns)
        rise = self._rise(last_value, self._value_since_ns, value, time_ns)
        if rise is None:
            self._drop()
            self._suspect = (value, time_ns)
            return None
        if bad:
            if bad > 1:
                return self._begin(value, time_ns, read_ns)
            self._suspect, self._bad = None, 0
        self._last = (value, time_ns, read_ns)
        if value < last_value:
            self._offset_joules += self._wrap_joules
        if not self._ticking:
            self._value_since_ns = time_ns
            return self._fresh(value, time_ns, read_ns)
        if rise == 0:
            return None
        self._value_since_ns = last_ns
        # A tick between two reads is stamped midway: it lies between the first's start and the
        # second's end.
        uncertainty_ns = elapsed_ns / 2 + (last_read_ns + read_ns) / 4
        return self._emit(value, last_ns + elapsed_ns // 2, uncertainty_ns / NS_PER_S)

    def missed(self) -> None:
        """A read failed: one is forgiven, two end the epoch."""
        self._bad += 1

    def new_epoch(self) -> None:
        """Start an epoch: the counter's past is dropped."""
        self._last = None

    def _drop(self) -> None:
        self.dropped += 1
        self.missed()

    def _rise(
        self, before_joules: float, since_ns: int, joules: float, time_ns: int
    ) -> float | None:
        """Joules from a value that may date from ``since_ns`` to the one read at ``time_ns``.

        A fall is a wrap if what then was counted fits into the time. None: it cannot be. The bound
        allows for a value that was one T old when it was first seen.
        """
        rise = joules - before_joules
        if rise < 0:
            rise += self._wrap_joules
        seconds = (time_ns - since_ns) / NS_PER_S + self._period_seconds
        return rise if can_rise(rise, self._bound_watts, seconds) else None

    def _begin(self, value: float, time_ns: int, read_ns: int) -> EnergyPoint | None:
        """Start afresh; a ticking counter's epoch opens at its first tick, whose time is known."""
        self._open = False
        self._last, self._suspect, self._bad = (value, time_ns, read_ns), None, 0
        self._value_since_ns = time_ns
        return None if self._ticking else self._fresh(value, time_ns, read_ns)

    def _fresh(self, value: float, time_ns: int, read_ns: int) -> EnergyPoint:
        """A value that was between 0 and T old when it was read: of T/2 earlier, ± T/2."""
        uncertainty_seconds = self._half_seconds + read_ns / 2 / NS_PER_S
        return self._emit(value, time_ns - self._half_ns, uncertainty_seconds)

    def _emit(self, value: float, time_ns: int, uncertainty_seconds: float) -> EnergyPoint:
        if not self._open:
            self._open = True
            self._epoch.open(time_ns)
            self._offset_joules, self._joules = -value, 0.0
        joules = value + self._offset_joules
        if joules > self._joules:  # undoing a wrap may round down by the last bit
            self._joules, self.moved = joules, True
        return _new(EnergyPoint, (self._joules, self._epoch.number, uncertainty_seconds, time_ns))


class PowerMeter:
    """Makes a counter of instant power by the trapezoid rule; never extrapolates over a gap."""

    def __init__(
        self, traits: Traits, domain: Domain = Domain.PACKAGE, *, gap_seconds: float = GAP_SECONDS
    ) -> None:
        self.dropped = 0
        self.moved = False
        self._domain = domain
        self._gap_ns = gap_seconds * NS_PER_S
        self._epoch = _Epoch()
        self._joules = 0.0
        self._last: tuple[float, int] | None = None
        self.learn(traits)

    def learn(self, traits: Traits) -> None:
        """What is known of the sensor from now on."""
        self._traits = traits
        self._half_seconds = traits.update_period_seconds / 2
        self._half_ns = round(self._half_seconds * NS_PER_S)

    def read(self, value: float, time_ns: int, read_ns: int) -> EnergyPoint | None:
        """The energy up to this reading of ``value`` W; None if it is not plausible."""
        if not plausible_watts(value, self._traits, self._domain):
            self.dropped += 1
            return None
        last = self._last
        if last is not None and time_ns <= last[1]:
            return None
        self._last = (value, time_ns)
        stamp_ns = time_ns - self._half_ns
        uncertainty_seconds = self._half_seconds + read_ns / 2 / NS_PER_S
        if last is None or time_ns - last[1] > self._gap_ns:
            self._epoch.open(stamp_ns)
            self._joules = 0.0
        else:
            self._joules += (last[0] + value) / 2 * (time_ns - last[1]) / NS_PER_S
        self.moved = self.moved or self._joules > 0
        return EnergyPoint(self._joules, self._epoch.number, uncertainty_seconds, stamp_ns)

    def missed(self) -> None:
        """Nothing to do: the length of the gap decides."""

    def new_epoch(self) -> None:
        """Start an epoch: the last reading is dropped."""
        self._last = None


def plausible_watts(watts: float, traits: Traits, domain: Domain = Domain.PACKAGE) -> bool:
    """Can the device draw this? False for NaN, infinities, negative values and sentinels."""
    return 0 <= watts <= _bound_watts(domain, traits)


def _bound_watts(domain: Domain, traits: Traits) -> float:
    limit_watts = traits.limit_watts
    return most_watts(domain) if limit_watts is None else MARGIN * limit_watts
