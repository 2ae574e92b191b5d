"""Who asked for close sampling, from when to when."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import Lease
from wattmark_core.printable import printable, unprintable
from wattmark_core.units import seconds_to_ns

LONGEST_LEASE_SECONDS: Final = 3600.0
KEPT_SECONDS: Final = 600.0
"""So long after its end a lease is reported, as samples are kept."""
MOST_LEASES: Final = 64
"""That run at once. Of ended ones as many again are kept."""
MOST_CHARACTERS: Final = 100
"""Of a lease's name, and of its holder's."""


class TooManyLeases(ConfigurationError):
    """Nobody else can measure closely now."""


@dataclass(slots=True)
class _Held:
    lease: str
    holder: str
    start_ns: int
    end_ns: int


class Leases:
    """Close sampling lasts while any lease runs. Times are boot time, ns."""

    def __init__(self, boottime_ns: Callable[[], int]) -> None:
        self.until_ns = 0
        """When the last one ends."""
        self._boottime_ns = boottime_ns
        self._running: dict[str, _Held] = {}
        self._ended: deque[_Held] = deque(maxlen=MOST_LEASES)
        self._lock = Lock()

    def arm(self, seconds: float, lease: str = "", holder: str = "") -> None:
        """Let ``lease`` run for ``seconds`` s more, at most an hour; a shorter time does not cut it
        short, 0 ends it and no other's.

        Raises ``ConfigurationError`` for a name that cannot be kept, ``TooManyLeases``.
        """
        if len(lease) > MOST_CHARACTERS or unprintable(lease) is not None:
            raise ConfigurationError(
                f"lease= is a name of at most {MOST_CHARACTERS} printable characters"
            )
        now_ns = self._boottime_ns()
        with self._lock:
            self._sort_out(now_ns)
            if seconds > 0:
                self._extend(seconds, lease, printable(holder[:MOST_CHARACTERS]), now_ns)
            elif (held := self._running.pop(lease, None)) is not None:
                held.end_ns = now_ns
                self._ended.append(held)
            self.until_ns = max((held.end_ns for held in self._running.values()), default=0)

    def report(self, offset_ns: int) -> tuple[Lease, ...]:
        """Those of the last ten minutes, the oldest first, in Unix ns."""
        with self._lock:
            self._sort_out(self._boottime_ns())
            held = sorted([*self._ended, *self._running.values()], key=lambda one: one.start_ns)
        return tuple(
            Lease(one.lease, one.holder, one.start_ns + offset_ns, one.end_ns + offset_ns)
            for one in held
        )

    def _extend(self, seconds: float, lease: str, holder: str, now_ns: int) -> None:
        end_ns = now_ns + seconds_to_ns(min(seconds, LONGEST_LEASE_SECONDS))
        held = self._running.get(lease)
        if held is not None:
            held.end_ns = max(held.end_ns, end_ns)
            held.holder = holder or held.holder
        elif len(self._running) >= MOST_LEASES:
            raise TooManyLeases(f"{MOST_LEASES} leases run already; end one with seconds=0")
        else:
            self._running[lease] = _Held(lease, holder, now_ns, end_ns)

    def _sort_out(self, now_ns: int) -> None:
        for lease in [name for name, held in self._running.items() if held.end_ns <= now_ns]:
            self._ended.append(self._running.pop(lease))
        oldest_ns = now_ns - seconds_to_ns(KEPT_SECONDS)
        for held in [held for held in self._ended if held.end_ns < oldest_ns]:
            self._ended.remove(held)
