"""Does reading a window's edges from a store, and its score, cost more when the window is long?"""

import random
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import influxd
from benchmarks.lines import PERIOD_NS, START_NS, samples
from benchmarks.processes import NotRun
from benchmarks.report import Goal, Row, Section
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary
from wattmark_core.units import NS_PER_S
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.boundary import boundary_energy
from wattmark_scoring.energy import window_energy
from wattmark_store import Store, open_store
from wattmark_store.sqlite import SqliteStore

MEDIAN_GOAL: Final = Goal(5.0)
SCORE_GOAL: Final = Goal(50.0)
WATTS: Final = 39.0
"""Of the samples in ``lines``."""
ACCURACY: Final = 0.9
RATIO_GOAL: Final = Goal(1.5)
BATCH_TICKS: Final = 50_000
WINDOWS: Final = {"1 min": 60, "1 h": 3600, "24 h": 86_400}
MARGIN_SECONDS: Final = 7200
"""Samples before and after the longest window: it too lies anywhere, on pages not yet cached."""


def measure(repeats: int, longest: str = "24 h") -> Section:
    """From SQLite. Median of ``repeats`` calls per length, the lengths taken in turn."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        store = SqliteStore(Path(folder) / "store.sqlite")
        with closing(store):
            return _measure(store, "A window's edges from SQLite", repeats, longest, MEDIAN_GOAL)


def measure_influx(repeats: int, longest: str = "24 h") -> Section:
    """The same from InfluxDB, edges and score."""
    title = "A window's score from InfluxDB"
    try:
        with influxd.running() as (_, address), closing(
            open_store(f"influxdb://{address}")
        ) as store:  # fmt: skip
            return _measure(store, title, repeats, longest, SCORE_GOAL, influxd.SETTLE_SECONDS)
    except NotRun as reason:
        return Section(title, [Row("score of a window", "ms", None, note=str(reason))])


def _measure(
    store: Store, title: str, repeats: int, longest: str, goal: Goal, settle_seconds: float = 0.0
) -> Section:
    windows = dict(list(WINDOWS.items())[: list(WINDOWS).index(longest) + 1])
    ticks = (windows[longest] + 2 * MARGIN_SECONDS) * NS_PER_S // PERIOD_NS
    _fill(store, ticks)
    time.sleep(settle_seconds)
    taken = _time(store, windows, ticks, repeats)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    rows = [
        Row(f"energy and score of {name}", "ms", value, goal, value / medians["1 min"])
        for name, value in medians.items()
    ]
    rows.append(Row(f"{longest} ÷ 1 min", "", medians[longest] / medians["1 min"], RATIO_GOAL))
    return Section(
        title, rows, ratio_of="1 min",
        note=f"Median of {repeats} calls; 2 series at 10 Hz, {2 * ticks:,} samples in the store."
        " From the window's edges, as its energy is; the checks of a run read its samples too.",
    )  # fmt: skip


def _fill(store: Store, ticks: int) -> None:
    for first in range(0, ticks, BATCH_TICKS):
        store.write(samples(min(BATCH_TICKS, ticks - first), first))


def _time(
    store: Store, windows: dict[str, int], ticks: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds per call; each call scores a window elsewhere, so from other pages."""
    places = random.Random(1)  # noqa: S311 - places, not secrets
    margin_ns = MARGIN_SECONDS * NS_PER_S // 2
    taken: dict[str, list[float]] = {name: [] for name in windows}
    for _ in range(repeats):
        for name, seconds in windows.items():
            latest = START_NS + ticks * PERIOD_NS - seconds * NS_PER_S - margin_ns
            start_ns = places.randrange(START_NS + margin_ns, latest)
            begin = time.perf_counter_ns()
            score = _score(store, start_ns, start_ns + seconds * NS_PER_S)
            taken[name].append((time.perf_counter_ns() - begin) / 1e6)
            assert abs(score * seconds * WATTS / ACCURACY**2 - 1.0) < 1e-3
    return taken


def _score(store: Store, start_ns: int, end_ns: int) -> float:
    """accuracy² / J of both counters over the window, as if it held one inference."""
    energies = store.edges("energy", start_ns, end_ns, {})
    parts = []
    for data in energies:
        epochs = [None if epoch is None else int(epoch) for epoch in data.fields["epoch"]]
        counter = CounterData.of(
            data.times_ns, data.fields["joules"], epochs, data.fields["uncertainty_seconds"]
        )
        series = EnergySeries(Domain(data.tag["domain"]), "socket0", "rapl", Method.COUNTER, 0.001)
        parts.append(window_energy(series, counter, start_ns, end_ns))
    energy = boundary_energy(Boundary.CPU, parts)
    assert energy.joules is not None
    return ACCURACY**2 / energy.joules
