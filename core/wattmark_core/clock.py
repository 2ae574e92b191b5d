"""Clocks.

On one host every sample and window edge is stamped with CLOCK_BOOTTIME plus one offset that the
exporter publishes, so that a step of the wall clock cannot tear a window. CLOCK_BOOTTIME goes on
during suspend, CLOCK_MONOTONIC does not: their difference tells of a suspend.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from wattmark_core.units import seconds_to_ns


class Clock(Protocol):
    """The three kernel clocks, ns, and sleep. ``SystemClock`` or ``testing.FakeClock``."""

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME: since boot, suspend included."""
        ...

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC: since boot, suspend left out."""
        ...

    def realtime_ns(self) -> int:
        """CLOCK_REALTIME: Unix time; NTP and users may step it."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep at least ``seconds``; a negative value returns at once."""
        ...


class SystemClock:
    """The kernel's clocks. They are the C functions themselves: the exporter asks five times a
    read."""

    boottime_ns = staticmethod(partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME))
    monotonic_ns = staticmethod(time.monotonic_ns)
    realtime_ns = staticmethod(time.time_ns)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when told to; for tests in virtual time."""

    now_ns: int = 1_000_000_000_000
    offset_ns: int = 1_700_000_000_000_000_000
    suspended_ns: int = 0

    def boottime_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns - self.suspended_ns

    def realtime_ns(self) -> int:
        return self.now_ns + self.offset_ns

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += seconds_to_ns(seconds)

    def step(self, seconds: float) -> None:
        """Step the wall clock, as NTP or a user does."""
        self.offset_ns += seconds_to_ns(seconds)

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: boot time and wall clock go on, monotonic time does not."""
        self.now_ns += seconds_to_ns(seconds)
        self.suspended_ns += seconds_to_ns(seconds)


@dataclass(frozen=True, slots=True)
class Stamper:
    """Stamps instants in the exporter's time base: boot time plus the offset it publishes."""

    offset_ns: int
    clock: Clock

    def now_ns(self) -> int:
        """This instant as Unix ns in the exporter's time base."""
        return self.clock.boottime_ns() + self.offset_ns


def boot_id(procfs: Path = Path("/proc")) -> str:
    """The kernel's random id of this boot: the same id means the same CLOCK_BOOTTIME."""
    return (procfs / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
