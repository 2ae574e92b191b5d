"""CPU time that the work did not get for itself: of other programs, and taken by the hypervisor.

Both heat the same package, so that where CPU energy counts their sum decides when a score fails.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from wattmark_core.catalogue import Domain
from wattmark_core.results import BOUNDARY_DOMAINS, Check, Verdict
from wattmark_scoring.measured import MeasuredWindow

FAIL_CORES: Final = 0.25
FAIL_RATIO: Final = 0.25
"""Of the work's own CPU time. With a quarter more on the package than the work itself uses, its
energy per inference is off by some 20 %; below a quarter of a core that share is of too little to
be told from what any system does beside."""


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Of one window, CPU seconds; None: not known. ``own``: the work's; ``exporter``: what
    measuring took; ``counts``: CPU energy is part of the boundary."""

    seconds: float
    busy: float | None = None
    own: float | None = None
    exporter: float | None = None
    stolen: float | None = None
    counts: bool = True

    @classmethod
    def of(cls, measured: MeasuredWindow) -> Self:
        """From what was read of the window."""
        window, data = measured.window, measured.data
        boundary = measured.energy.boundary
        return cls(
            window.seconds, data.growth("cpu", "busy_seconds"), window.cpu_seconds,
            data.growth("exporter", "cpu_seconds"), data.growth("cpu", "steal_seconds"),
            counts=Domain.PACKAGE in BOUNDARY_DOMAINS[boundary],
        )  # fmt: skip

    @property
    def foreign(self) -> float | None:
        """All but the work's and the exporter's own is foreign. Not known where the work is said to
        have used more than all programs together did, by as much as foreign time may not be."""
        if self.busy is None or self.own is None or self.exporter is None:
            return None
        used = self.busy + (self.stolen or 0.0)  # some kernels count that as the program's, too
        if self.own - used > max(FAIL_CORES * self.seconds, FAIL_RATIO * used):
            return None
        return max(0.0, self.busy - self.own - self.exporter)

    @property
    def fail_seconds(self) -> float:
        """Foreign and stolen time together fail above it: 25 % of the work's own CPU time, and at
        least a quarter of a core. Own time is no more than all that was used."""
        own = min(_known((self.own, self.busy)), default=0.0)
        return max(FAIL_CORES * self.seconds, FAIL_RATIO * own)

    @property
    def fails(self) -> bool:
        """Do foreign and stolen time, as far as they are known, exceed what is allowed?"""
        disturbed = (self.foreign or 0.0) + (self.stolen or 0.0)
        return self.counts and disturbed > self.fail_seconds

    def judged(self, check: Check, seconds: float | None) -> Check:
        """``check`` of ``seconds`` foreign or stolen: it fails with the sum if its part is the
        larger of the two, or beyond its own limit."""
        if not self.fails or seconds is None:
            return check
        larger = seconds >= max(_known((self.foreign, self.stolen)))
        if not larger and check.verdict is Verdict.VALID:
            return check
        cores = self.fail_seconds / self.seconds
        text = f"{check.message}; with what else disturbs, more than {cores:.2g} cores"
        return replace(check, verdict=Verdict.INVALID, message=text)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
