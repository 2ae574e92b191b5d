"""Clocks.

On one host every sample and window edge is stamped with CLOCK_BOOTTIME plus one offset that the
exporter publishes, so that a step of the wall clock cannot tear a window. CLOCK_BOOTTIME goes on
during suspend, CLOCK_MONOTONIC does not: their difference is the time spent suspended.
"""

import time
from functools import partial
from pathlib import Path
from typing import Protocol


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


def boot_id(procfs: Path = Path("/proc")) -> str:
    """The kernel's random id of this boot: the same id means the same CLOCK_BOOTTIME."""
    return (procfs / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
