"""What opening a window costs its caller, and how soon the sensors are read for it."""

import hashlib
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.processes import exporter, moving_tree
from benchmarks.report import Goal, Row, Section
from wattmark_core.exporter_api import ExporterClient
from wattmark_core.line_protocol import decode_lines
from wattmark_runner.windows.recorder import Recorder
from wattmark_store.sqlite import SqliteStore

OPEN_GOAL: Final = Goal(50)
DELAY_GOAL: Final = Goal(5)
POST_GOAL: Final = Goal(2)
APART_SECONDS: Final = 0.037
"""Between forced reads: over the 20 ms in which they are shared, and out of step with sampling."""
STAMP_AGE_NS: Final = 1_000_000
"""A forced sample's stamp may lie before its read: RAPL's value is 0.5 ms old on average."""


def measure(repeats: int) -> Section:
    """``repeats`` windows, then ``repeats`` requests."""
    with (
        tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder,
        moving_tree() as sysfs,
        exporter(sysfs) as (_, url),
    ):
        store = SqliteStore(Path(folder) / "store.sqlite")
        client = ExporterClient(url)
        try:
            posts = _posts(client, repeats)
            busy, _ = _windows(url, store, repeats, _compute)
            rested, edges_ns = _windows(url, store, repeats, time.sleep)
            delays = _delays(edges_ns, _stamps(client))
        finally:
            client.close()
            store.close()
    rows = [
        *_rows("opening a window, the program at work", "µs", busy, OPEN_GOAL),
        *_rows("opening a window, after a sleep", "µs", rested, OPEN_GOAL),
        *_rows("window's edge to forced sample's stamp", "ms", delays, DELAY_GOAL),
        *_rows("POST /sample, kept connection", "ms", posts, POST_GOAL),
    ]
    note = f"{repeats} of each, {APART_SECONDS * 1e3:g} ms apart; the goals are for the median."
    return Section("What a window costs", rows, note=note)


def _rows(what: str, unit: str, values: Sequence[float], goal: Goal) -> list[Row]:
    """Median and 95th percentile; the goal is the median's."""
    p95 = statistics.quantiles(values, n=20)[-1]
    return [
        Row(f"{what}, median", unit, statistics.median(values), goal),
        Row(f"{what}, 95th percentile", unit, p95),
    ]


def _posts(client: ExporterClient, repeats: int) -> list[float]:
    """Milliseconds per request."""
    client.sample_now()  # connects
    taken = []
    for _ in range(repeats):
        time.sleep(APART_SECONDS)
        begin = time.perf_counter_ns()
        client.sample_now()
        taken.append((time.perf_counter_ns() - begin) / 1e6)
    return taken


def _compute(seconds: float) -> None:
    """Keep a core busy, and its caches with something else, outside the interpreter's lock."""
    end = time.perf_counter() + seconds
    data = bytes(1 << 20)
    while time.perf_counter() < end:
        hashlib.sha256(data)


def _windows(
    url: str, store: SqliteStore, repeats: int, spend: Callable[[float], None]
) -> tuple[list[float], list[int]]:
    """Microseconds to open each, and where they began (Unix ns, the exporter's time base).

    ``spend`` is what the program does inside and between the windows.
    """
    taken = []
    with Recorder(url, store) as recorder:
        for _ in range(repeats):
            spend(APART_SECONDS)
            begin = time.perf_counter_ns()
            with recorder.window(model="bench"):
                taken.append((time.perf_counter_ns() - begin) / 1e3)
                spend(APART_SECONDS)
    return taken, [window.start_ns for window in recorder.windows]


def _stamps(client: ExporterClient) -> list[int]:
    """Times of all package samples that the exporter still holds."""
    return sorted(
        sample.time_ns
        for sample in decode_lines(client.samples().text)
        if sample.measurement == "energy" and sample.tag["domain"] == "package"
    )


def _delays(edges_ns: Sequence[int], stamps_ns: Sequence[int]) -> list[float]:
    """Milliseconds from each edge to the stamp of the first sample read after it.

    The stamp is T/2 = 0.5 ms older than the read, so it may lie before the edge.
    """
    return [
        (stamps_ns[bisect_left(stamps_ns, edge_ns - STAMP_AGE_NS)] - edge_ns) / 1e6
        for edge_ns in edges_ns
    ]
