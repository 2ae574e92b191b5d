"""The power of each window, from its energy counters: what remains when raw samples are gone."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Window
from wattmark_core.sample import make_tags
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.repeats import counter_data
from wattmark_scoring.arrays import CounterData
from wattmark_store import Store, ViewPoint

MOST_POINTS: Final = 500
"""Of a window and series."""
RUN_POINTS: Final = 60_000
LEAST_POINTS: Final = 20
"""A run of very many windows has fewer of each: about so many together, but no fewer of one."""


def window_power(record: RunRecord, store: Store) -> Iterator[tuple[Window, list[ViewPoint]]]:
    """The points of each window of the run, idle and warm-up too, per pinned counter.

    ``watts`` is the mean since the point before, so that power drawn in steps that end at the
    points encloses the energy; the first point stands at the window's start, with the power that
    follows it. ``seconds`` since the window's start. A sensor that lags is shifted, as for the
    energy. Across epochs there is no power. Windows of which the store holds no raw samples (any
    more) are left out: what was shown of them stays. Raises ``StoreError``.
    """
    pieces = max(1, len(record.windows) * len(record.series))
    most = min(MOST_POINTS, max(LEAST_POINTS, RUN_POINTS // pieces))
    for window in record.windows:
        points = [
            point
            for series in record.series
            for point in _points(record, window, series, most, store)
        ]
        if points:
            yield window, points


def _points(
    record: RunRecord, window: Window, series: EnergySeries, most: int, store: Store
) -> Iterator[ViewPoint]:
    lag_ns = seconds_to_ns(series.averaging_seconds / 2.0)
    start_ns, end_ns = window.start_ns + lag_ns, window.end_ns + lag_ns
    counter = _samples(window.host, series, start_ns, end_ns, store)
    covered = len(counter.times_ns) and (
        counter.times_ns[0] <= start_ns and counter.times_ns[-1] >= end_ns
    )
    if window.complete and not covered:
        return
    tags = make_tags({
        "run_id": record.run_id, "host": window.host, "window_id": window.window_id,
        "phase": window.phase, "domain": series.domain, "device": series.device,
        "method": series.method,
    })  # fmt: skip
    for time_ns, watts in power_steps(counter, start_ns, end_ns, most):
        fields = {"watts": watts, "seconds": ns_to_seconds(time_ns - start_ns)}
        yield ViewPoint("window_power", tags, fields, time_ns - lag_ns)


def power_steps(
    counter: CounterData, start_ns: int, end_ns: int, most: int = MOST_POINTS
) -> Iterator[tuple[int, float]]:
    """(time, mean watts since the time before) at both edges and at samples inside: the last of
    each of so many equal stretches of time that there are at most ``most`` of all."""
    inside = counter.inside(start_ns + 1, end_ns - 1).times_ns
    stretch_ns = -(-(end_ns - start_ns) // (most - 2))
    last_of = {(int(time_ns) - start_ns) // stretch_ns: int(time_ns) for time_ns in inside}
    times = [start_ns, *last_of.values(), end_ns]
    known = [_at(counter, time_ns) for time_ns in times]
    first = True
    for i in range(1, len(times)):
        before, after = known[i - 1], known[i]
        if before is None or after is None or before[1] != after[1] or after[0] < before[0]:
            continue
        watts = (after[0] - before[0]) / ns_to_seconds(times[i] - times[i - 1])
        if first:
            yield times[i - 1], watts
            first = False
        yield times[i], watts


def _samples(
    host: str, series: EnergySeries, start_ns: int, end_ns: int, store: Store
) -> CounterData:
    """Those inside, and around the edges."""
    tags = {"host": host, **series.tags}
    names = ("joules", "epoch", "uncertainty_seconds")
    found: dict[int, tuple[float | int | None, ...]] = {}
    near = store.edges("energy", start_ns, end_ns, tags, neighbours=1)
    for data in (*near, *store.series("energy", start_ns, end_ns, tags)):
        missing = [None] * len(data.times_ns)
        columns = [data.fields.get(name, missing) for name in names]
        found |= dict(zip(data.times_ns, zip(*columns, strict=True), strict=True))
    times = sorted(found)
    held = list(zip(*(found[time_ns] for time_ns in times), strict=True)) or [(), (), ()]
    return counter_data(times, dict(zip(names, held, strict=True)))


def _at(counter: CounterData, instant_ns: int) -> tuple[float, int] | None:
    """Joules and epoch; between two samples only within one epoch."""
    after = int(np.searchsorted(counter.times_ns, instant_ns, side="left"))
    if after == len(counter.times_ns):
        return None
    epoch = int(counter.epochs[after])
    if counter.times_ns[after] == instant_ns:
        return float(counter.joules[after]), epoch
    if after == 0 or counter.epochs[after - 1] != epoch:
        return None
    span = int(counter.times_ns[after] - counter.times_ns[after - 1])
    share = (instant_ns - int(counter.times_ns[after - 1])) / span
    first, last = float(counter.joules[after - 1]), float(counter.joules[after])
    return first + share * (last - first), epoch
