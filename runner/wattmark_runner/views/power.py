"""Power over time, from energy counters: of a run as a curve, of each window in steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from wattmark_core import labels
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import make_tags
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.window_data import CounterSamples, WindowData
from wattmark_store import SeriesData, ViewPoint

CURVE_POINTS: Final = 600
"""Of a run and counter."""
FAR_NS: Final = seconds_to_ns(60.0)
MOST_POINTS: Final = 500
"""Of a window and counter."""
RUN_POINTS: Final = 60_000
LEAST_POINTS: Final = 20
"""A run of very many windows has fewer of each: about this many together, but no fewer of one."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean power between successive samples of one counter, W; a break where there is none.

    ``points``: (Unix ns of the stretch's end, watts), None for a break.
    """

    series: EnergySeries
    points: tuple[tuple[int, float] | None, ...]

    @property
    def name(self) -> str:
        """By which programs know it."""
        return f"{self.series.domain} {self.series.device} ({self.series.method})"

    @property
    def label(self) -> str:
        """For people."""
        return labels.counter(self.series.domain, self.series.device, self.series.method)


@dataclass(frozen=True, slots=True)
class _Count:
    """What a counter shows at an instant."""

    time_ns: int
    joules: float | None
    epoch: float | None

    def watts_since(self, before: "_Count") -> float | None:
        """Mean power since an instant before; None across epochs, where nothing is known."""
        seconds = ns_to_seconds(self.time_ns - before.time_ns)
        if self.joules is None or before.joules is None or self.epoch != before.epoch:
            return None
        if seconds <= 0 or self.joules < before.joules:
            return None
        return (self.joules - before.joules) / seconds


def own_windows(record: RunRecord) -> list[Window]:
    """The run's windows without baselines that lie far from it, shared with other runs."""
    work = [w for w in record.windows if w.phase is not Phase.IDLE] or record.windows
    start = min((w.start_ns for w in work), default=0) - FAR_NS
    end = max((w.end_ns for w in work), default=0) + FAR_NS
    return [w for w in record.windows if w.end_ns >= start and w.start_ns <= end]


def power_curve(series: EnergySeries, data: SeriesData) -> Curve:
    """ΔJ/Δt of an energy counter, within one epoch only: across epochs nothing is drawn."""
    missing = [None] * len(data.times_ns)
    joules, epochs = data.fields.get("joules", missing), data.fields.get("epoch", missing)
    counts = [_Count(*row) for row in zip(data.times_ns, joules, epochs, strict=True)]
    watts = [after.watts_since(before) for before, after in pairwise(counts)]
    points = [
        None if power is None else (count.time_ns, power)
        for count, power in zip(counts[1:], watts, strict=True)
    ]
    return Curve(series, tuple(points))


def window_power(
    record: RunRecord, data: Mapping[str, WindowData]
) -> Iterator[tuple[Window, list[ViewPoint]]]:
    """The points of each window of the run, idle and warm-up too, per pinned counter: what remains
    when raw samples are gone.

    ``watts`` is the mean since the point before, so that power drawn in steps that end at the
    points encloses the energy; the first point stands at the window's start, with the power that
    follows it. ``seconds`` since the window's start. A sensor that lags is shifted, as for the
    energy. Across epochs there is no power. Windows without raw samples (any more) are left out:
    what was shown of them stays.
    """
    pieces = max(1, len(record.windows) * len(record.series))
    most = min(MOST_POINTS, max(LEAST_POINTS, RUN_POINTS // pieces))
    for window in record.windows:
        counters: Sequence[CounterSamples] = data[window.window_id].counters
        points = [p for samples in counters for p in _points(record, window, samples, most)]
        if points:
            yield window, points


def _points(
    record: RunRecord, window: Window, samples: CounterSamples, most: int
) -> Iterator[ViewPoint]:
    series, times = samples.series, samples.counter.times_ns
    lag_ns = seconds_to_ns(series.averaging_seconds / 2.0)
    start_ns, end_ns = window.start_ns + lag_ns, window.end_ns + lag_ns
    covered = len(times) and times[0] <= start_ns and times[-1] >= end_ns
    if window.complete and not covered:
        return
    tags = make_tags({
        "run_id": record.run_id, "host": window.host, "window_id": window.window_id,
        "phase": window.phase, "domain": series.domain, "device": series.device,
        "method": series.method,
    })  # fmt: skip
    for time_ns, watts in power_steps(samples.counter, start_ns, end_ns, most):
        fields = {"watts": watts, "seconds": ns_to_seconds(time_ns - start_ns)}
        yield ViewPoint("window_power", tags, fields, time_ns - lag_ns)


def power_steps(
    counter: CounterData, start_ns: int, end_ns: int, most: int = MOST_POINTS
) -> Iterator[tuple[int, float]]:
    """(time, mean watts since the time before) at both edges and at samples inside: the last of
    each of equal stretches of time, as long as makes at most ``most`` of all."""
    inside = counter.inside(start_ns + 1, end_ns - 1).times_ns
    stretch_ns = -(-(end_ns - start_ns) // (most - 2))
    last_of = {(int(time_ns) - start_ns) // stretch_ns: int(time_ns) for time_ns in inside}
    counts = [_at(counter, time_ns) for time_ns in (start_ns, *last_of.values(), end_ns)]
    first = True
    for before, after in pairwise(counts):
        watts = after.watts_since(before)
        if watts is None:
            continue
        if first:
            yield before.time_ns, watts
            first = False
        yield after.time_ns, watts


def _at(counter: CounterData, instant_ns: int) -> _Count:
    """Between two samples only within one epoch."""
    after = int(np.searchsorted(counter.times_ns, instant_ns, side="left"))
    if after == len(counter.times_ns):
        return _Count(instant_ns, None, None)
    epoch = int(counter.epochs[after])
    if counter.times_ns[after] == instant_ns:
        return _Count(instant_ns, float(counter.joules[after]), epoch)
    if after == 0 or counter.epochs[after - 1] != epoch:
        return _Count(instant_ns, None, None)
    span = int(counter.times_ns[after] - counter.times_ns[after - 1])
    share = (instant_ns - int(counter.times_ns[after - 1])) / span
    first, last = float(counter.joules[after - 1]), float(counter.joules[after])
    return _Count(instant_ns, first + share * (last - first), epoch)
