"""Sums over the counters of a boundary, none counted twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from wattmark_core import labels
from wattmark_core.catalogue import Domain, Method, weakest
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_core.results import BOUNDARY_DOMAINS, Boundary
from wattmark_core.sources import pin
from wattmark_scoring.energy import ESTIMATE_FACTOR, Z95, SeriesEnergy


@dataclass(frozen=True, slots=True)
class BoundaryEnergy:
    """Energy of one window within a boundary, joules.

    ``joules`` None: a counter of the boundary says nothing, ``reason`` says which and why.
    ``complete`` False: joules are a lower bound. ``random_joules`` and ``alias_joules`` are
    standard deviations of the instrument; ``low`` and ``high`` the 95 % interval, a factor of two
    either way on the estimated part.
    """

    boundary: Boundary
    joules: float | None
    complete: bool
    reason: str
    method: Method | None
    low: float | None = None
    high: float | None = None
    random_joules: float = 0.0
    alias_joules: float = 0.0


def pin_sources(offered: Iterable[EnergySeries]) -> tuple[EnergySeries, ...]:
    """Of the series that work, one per domain and device: see ``wattmark_core.sources.pin``. One
    that stands still while the machine works does not: the next source counts in its place."""
    return pin(
        series
        for series in offered
        if series.state is SensorState.OK and series.moving is not False
    )


def of_boundary(
    pinned: Iterable[EnergySeries], boundary: Boundary, gpus: Sequence[str] = ()
) -> tuple[EnergySeries, ...]:
    """The pinned series that a boundary adds up; of the GPUs only ``gpus`` (UUIDs)."""
    domains = BOUNDARY_DOMAINS[boundary]
    return tuple(
        series
        for series in pinned
        if series.domain in domains
        and (series.domain is not Domain.GPU or boundary is Boundary.HOST or series.device in gpus)
    )


def boundary_energy(boundary: Boundary, parts: Sequence[SeriesEnergy]) -> BoundaryEnergy:
    """The sum of ``parts``, one per series of ``of_boundary``.

    Instrument errors of different counters are independent; the factor of an estimate is not
    statistical and is applied to its part whole. A missing part makes the sum unknown, never less.
    """
    if not parts:
        return BoundaryEnergy(
            boundary, None, False, f"no sensor counts energy of boundary {boundary}", None
        )
    method = weakest([part.series.method for part in parts])
    reason = "; ".join(
        f"{p.series.source} {labels.counter(p.series.domain, p.series.device)}: {p.reason}"
        for p in parts
        if not p.complete
    )
    if any(part.joules is None for part in parts):
        return BoundaryEnergy(boundary, None, False, reason, method)
    measured = sum(p.joules or 0.0 for p in parts if p.series.method is not Method.ESTIMATED)
    estimated = sum(p.joules or 0.0 for p in parts if p.series.method is Method.ESTIMATED)
    random = float(np.sqrt(sum(p.spread.random_joules**2 for p in parts)))
    alias = float(sum(p.spread.alias_joules for p in parts))
    half = Z95 * float(np.hypot(random, alias))
    complete = all(part.complete for part in parts)
    low = max(0.0, measured + estimated / ESTIMATE_FACTOR - half)
    high = measured + estimated * ESTIMATE_FACTOR + half if complete else None
    return BoundaryEnergy(
        boundary, measured + estimated, complete, reason, method, low, high, random, alias
    )
