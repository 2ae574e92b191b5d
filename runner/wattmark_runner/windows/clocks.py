"""Did a clock jump in a window? The kernel's clocks compared, at its edges."""

from dataclasses import dataclass
from typing import Final, Self

from wattmark_core.clock import Clock

TRIES: Final = 3
"""The reads between which least time passed count: a thread may lose its CPU between two."""


@dataclass(frozen=True, slots=True)
class ClockOffsets:
    """How far the clocks stand apart at an instant, ns: ``wall_ns`` CLOCK_REALTIME from
    CLOCK_BOOTTIME, which changes only if the wall clock is stepped (slewing moves both);
    ``asleep_ns`` CLOCK_BOOTTIME from CLOCK_MONOTONIC, the time for which the machine slept."""

    wall_ns: int
    asleep_ns: int

    @classmethod
    def now(cls, clock: Clock) -> Self:
        """Read now."""
        tries = []
        for _ in range(TRIES):
            before = clock.boottime_ns()
            wall, monotonic = clock.realtime_ns(), clock.monotonic_ns()
            after = clock.boottime_ns()
            tries.append((after - before, wall - before, before - monotonic))
        _, wall_ns, asleep_ns = min(tries)
        return cls(wall_ns, asleep_ns)
