"""Power over a run, from its energy counters."""

from dataclasses import dataclass
from typing import Final

from wattmark_core import labels
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_store import SeriesData, Store

POINTS: Final = 600
MARGIN_NS: Final = seconds_to_ns(1.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean power between successive samples of one counter, W; a break where there is none.

    ``points``: (Unix ns of the stretch's end, watts), None for a break.
    """

    name: str
    series: EnergySeries
    points: tuple[tuple[int, float] | None, ...]


def power_curve(name: str, series: EnergySeries, data: SeriesData) -> Curve:
    """ΔJ/Δt of an energy counter, within one epoch only: across epochs nothing is drawn."""
    times = data.times_ns
    missing = [None] * len(times)
    joules, epochs = data.fields.get("joules", missing), data.fields.get("epoch", missing)
    points: list[tuple[int, float] | None] = []
    for i in range(1, len(times)):
        before, after = joules[i - 1], joules[i]
        seconds = ns_to_seconds(times[i] - times[i - 1])
        if epochs[i] != epochs[i - 1] or before is None or after is None or seconds <= 0:
            points.append(None)
            continue
        points.append((times[i], (after - before) / seconds))
    return Curve(name, series, tuple(points))


def own_windows(record: RunRecord) -> list[Window]:
    """The run's windows without baselines that lie far from it, shared with other runs."""
    work = [w for w in record.windows if w.phase is not Phase.IDLE] or record.windows
    start = min((w.start_ns for w in work), default=0) - seconds_to_ns(60.0)
    end = max((w.end_ns for w in work), default=0) + seconds_to_ns(60.0)
    return [w for w in record.windows if w.end_ns >= start and w.start_ns <= end]


def power_curves(record: RunRecord, store: Store, points: int = POINTS) -> list[Curve]:
    """Power over the run, a curve per pinned counter of about ``points`` points."""
    windows = own_windows(record)
    if not windows:
        return []
    start = min(window.start_ns for window in windows) - MARGIN_NS
    end = max(window.end_ns for window in windows) + MARGIN_NS
    return [
        power_curve(labels.counter(series.domain, series.device, series.method), series, data)
        for series in record.series
        for data in store.series(
            "energy", start, end, {"host": record.host, **series.tags}, points=points
        )
    ]
