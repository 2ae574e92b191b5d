"""Does reading a window's edges from the store cost more when the window is long?"""

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.lines import PERIOD_NS, START_NS, samples
from benchmarks.report import Goal, Row, Section
from wattmark_core.units import NS_PER_S
from wattmark_store.sqlite import SqliteStore

MEDIAN_GOAL: Final = Goal(5.0)
RATIO_GOAL: Final = Goal(1.5)
BATCH_TICKS: Final = 50_000
WINDOWS: Final = {"1 min": 60, "1 h": 3600, "24 h": 86_400}
MARGIN_SECONDS: Final = 7200
"""Samples before and after the longest window: it too lies anywhere, on pages not yet cached."""


def measure(repeats: int, longest: str = "24 h") -> Section:
    """Median of ``repeats`` calls per length, the lengths taken in turn."""
    windows = dict(list(WINDOWS.items())[: list(WINDOWS).index(longest) + 1])
    ticks = (windows[longest] + 2 * MARGIN_SECONDS) * NS_PER_S // PERIOD_NS
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        store = SqliteStore(Path(folder) / "store.sqlite")
        try:
            _fill(store, ticks)
            taken = _time(store, windows, ticks, repeats)
        finally:
            store.close()
    medians = {name: statistics.median(values) for name, values in taken.items()}
    rows = [
        Row(f"edges of {name}", "ms", value, MEDIAN_GOAL, value / medians["1 min"])
        for name, value in medians.items()
    ]
    rows.append(Row(f"{longest} ÷ 1 min", "", medians[longest] / medians["1 min"], RATIO_GOAL))
    return Section(
        "A window's edges from the store", rows, ratio_of="1 min",
        note=f"Median of {repeats} calls; 2 series at 10 Hz, {2 * ticks:,} samples in the store.",
    )  # fmt: skip


def _fill(store: SqliteStore, ticks: int) -> None:
    for first in range(0, ticks, BATCH_TICKS):
        store.write(samples(min(BATCH_TICKS, ticks - first), first))


def _time(
    store: SqliteStore, windows: dict[str, int], ticks: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds per call; each call reads edges at another place, so on other pages."""
    places = random.Random(1)  # noqa: S311 - places, not secrets
    margin_ns = MARGIN_SECONDS * NS_PER_S // 2
    taken: dict[str, list[float]] = {name: [] for name in windows}
    for _ in range(repeats):
        for name, seconds in windows.items():
            latest = START_NS + ticks * PERIOD_NS - seconds * NS_PER_S - margin_ns
            start_ns = places.randrange(START_NS + margin_ns, latest)
            begin = time.perf_counter_ns()
            found = store.edges("energy", start_ns, start_ns + seconds * NS_PER_S, {})
            taken[name].append((time.perf_counter_ns() - begin) / 1e6)
            assert [len(series.times_ns) for series in found] == [32, 32]
    return taken
