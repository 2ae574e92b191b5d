"""What scoring a run takes: calls of the store and time, beside the version before."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import influxd
from benchmarks.before import COMMIT, before, today
from benchmarks.processes import ROOT, NotRun
from benchmarks.report import Goal, Row, Section

READS_GOAL: Final = Goal(5.0 * 8)
"""Five of each of a run's eight windows."""
PROGRAM: Final = ROOT / "benchmarks/scored_run.py"


def measure(times: int) -> Section:
    """A run on the CPU and one on a GPU, each ``times`` times, from SQLite and from InfluxDB."""
    rows = list(_sqlite(times))
    try:
        rows += _influx(times)
    except NotRun as reason:
        rows.append(Row("time, from InfluxDB", "ms", None, note=str(reason)))
    return Section(
        "Scoring a run", rows, ratio_of=COMMIT,
        note="Eight windows, three counters on the GPU and two on the CPU. Reads are calls of the"
        " store that return samples; all calls are those and the writing of windows and scores."
        f" Time is that of reading and computing: the shortest of {times}.",
    )  # fmt: skip


def _sqlite(times: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder, before() as earlier:
        stores = [f"sqlite:///{Path(folder) / name}.sqlite" for name in ("before", "now")]
        old, new = _run(earlier, stores[0], times), _run(today(), stores[1], times)
    for run in old:
        yield from _beside(f"reads, {run}", "calls", old[run]["reads"], new[run]["reads"],
                           READS_GOAL)  # fmt: skip
        yield from _beside(f"all calls, {run}", "calls", old[run]["calls"], new[run]["calls"])
        yield from _times("SQLite", run, old, new)


def _influx(times: int) -> Iterator[Row]:
    taken = []
    with before() as earlier:
        for environment in (earlier, today()):
            with influxd.running() as (_, address):
                taken.append(_run(environment, f"influxdb://{address}", times))
    for run in taken[0]:
        yield from _times("InfluxDB", run, *taken)


def _times(store: str, run: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Row]:
    values = (1000.0 * version[run]["seconds"] for version in (old, new))
    return _beside(f"time from {store}, {run}", "ms", *values)


def _beside(
    what: str, unit: str, old: float, new: float, goal: Goal | None = None
) -> Iterator[Row]:
    yield Row(f"{what}, {COMMIT}", unit, old, ratio=1.0)
    yield Row(what, unit, new, goal, ratio=new / old)


def _run(environment: Mapping[str, str], url: str, times: int) -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [sys.executable, PROGRAM, url, str(times)],
        env=dict(environment), text=True, capture_output=True, check=True,
    )  # fmt: skip
    taken: dict[str, dict[str, float]] = json.loads(done.stdout)
    return taken
