"""Whose series it is: of two targets that give one series, one counts.

The targets file binds a target to its host by the label ``host``; such a target comes before one
that says itself which host it is, or takes it from its address. Among equals the first has it. Of a
GPU's gauges, which dcgm-exporter gives beside its own, those of a Wattmark exporter come first: as
with energy, NVML before DCGM.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from wattmark_core.clock import Clock
from wattmark_core.sample import Tags
from wattmark_core.units import seconds_to_ns

GRACE_SECONDS: Final = 60.0
"""A target that restarts keeps its series this long, or for three of its intervals."""
GPU: Final = "gpu"
SWEEP_NS: Final = seconds_to_ns(600.0)
Series = tuple[str, Tags, str]
"""Measurement, tags, field."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A target. ``instance``: of the exporter that answers there, empty for other targets: two
    addresses of one exporter may both be read. ``bound``: the targets file names its host."""

    url: str
    bound: bool
    instance: str = ""
    grace_seconds: float = GRACE_SECONDS

    def rank(self, measurement: str) -> int:
        """The larger comes first."""
        return 2 if measurement == GPU and self.instance else int(self.bound)

    def same(self, other: "Owner") -> bool:
        """Whether both are one target, or one exporter."""
        return self.url == other.url or (self.instance != "" and self.instance == other.instance)


class SeriesOwnership:
    """All sources share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._owned: dict[Series, tuple[Owner, int]] = {}
        self._swept_ns = clock.monotonic_ns()
        self._lock = Lock()

    def take(self, owner: Owner, series: Iterable[Series]) -> dict[str, str]:
        """Make ``owner`` the owner of what is nobody's, or renew that. The fields of which it is
        not, each with the URL of the target that is."""
        refused, now_ns = {}, self._clock.monotonic_ns()
        with self._lock:
            self._sweep(now_ns)
            for one in series:
                held, until_ns = self._owned.get(one, (owner, 0))
                before = owner.rank(one[0]) > held.rank(one[0])
                if held.same(owner) or now_ns > until_ns or before:
                    # of two addresses of one exporter the first stays the owner
                    kept = held if held.same(owner) and held.url != owner.url else owner
                    self._owned[one] = kept, now_ns + seconds_to_ns(owner.grace_seconds)
                else:
                    refused[one[2]] = held.url
        return refused

    def release(self, url: str) -> None:
        """Give up all that the target at ``url`` owns."""
        with self._lock:
            self._owned = {
                one: (held, until_ns) for one, (held, until_ns) in self._owned.items()
                if held.url != url
            }  # fmt: skip

    def _sweep(self, now_ns: int) -> None:
        if now_ns - self._swept_ns > SWEEP_NS:
            self._swept_ns = now_ns
            self._owned = {
                one: (held, until_ns) for one, (held, until_ns) in self._owned.items()
                if until_ns >= now_ns
            }  # fmt: skip
