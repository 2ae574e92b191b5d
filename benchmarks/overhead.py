"""What being measured costs the program that is measured: the same inference with and without.

"Without" the exporter and the collector are stopped (SIGSTOP), so that both are of the same age and
the turns may be short. Turns come in pairs, in random order, so that what drifts hits both alike.
"""

import math
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from benchmarks.processes import started, usage
from benchmarks.report import Goal, Row, Section
from wattmark_runner.recorder import Recorder
from wattmark_store import Store, open_store

OWN_GOAL: Final = Goal(0.2)
"""Per cent of all cores. The paper (arXiv 2310.09554) claims 0.05 % of its server's."""
TURN_SECONDS: Final = 0.4
SETTLE_SECONDS: Final = 0.3
RESAMPLES: Final = 4999
BATCHES_TO_TRY: Final = 50
SHAPES: Final = ((256, 784), (784, 1024), (1024, 1024), (1024, 10))
"""A batch, and the layers of a perceptron; matrix products keep all cores busy."""


class Perceptron:
    """The load: so many batches as take a turn."""

    def __init__(self) -> None:
        generator = np.random.default_rng(1)
        self._batch, *self._layers = (
            generator.normal(0.0, 0.05, shape).astype(np.float32) for shape in SHAPES
        )
        self._batches = BATCHES_TO_TRY
        self._batches = max(1, round(BATCHES_TO_TRY * TURN_SECONDS / self.infer()))

    def infer(self) -> float:
        """Seconds that a turn takes."""
        start = time.perf_counter()
        for _ in range(self._batches):
            value = self._batch
            for layer in self._layers:
                value = np.maximum(value @ layer, 0.0)
        return time.perf_counter() - start


def measure(pairs: int) -> Section:
    """``pairs`` turns with and as many without."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder, ExitStack() as stack:
        store_url = f"sqlite:///{folder}/store.sqlite"
        processes, url = _rooms(stack, Path(folder), store_url)
        store = open_store(store_url)
        stack.callback(store.close)
        slowdowns, own = _turns(pairs, processes, url, store)
    mean, median = (_interval(slowdowns, of) for of in (np.mean, np.median))
    rows = [
        Row("slowdown of the inference, median", "%", statistics.median(slowdowns), note=median),
        Row("slowdown of the inference, mean", "%", statistics.mean(slowdowns), note=mean),
        Row("exporter and collector, CPU time ÷ (cores × time)", "%", sum(own), OWN_GOAL,
            note=f"exporter {own[0]:.3f} %, collector {own[1]:.3f} %"),
    ]  # fmt: skip
    note = (
        f"{pairs} pairs of turns of {TURN_SECONDS:g} s in random order, in logarithms of their"
        " ratio; intervals by bootstrap. Close sampling is on, a window is open."
    )
    return Section("What being measured costs", rows, note=note)


def _rooms(
    stack: ExitStack, folder: Path, store_url: str
) -> tuple[list[subprocess.Popen[str]], str]:
    """Exporter and collector, and the exporter's URL."""
    python = [sys.executable, "-m"]
    exporter, url = stack.enter_context(
        started([*python, "wattmark_exporters", "--listen", "127.0.0.1:0"])
    )
    targets = folder / "targets.yml"
    targets.write_text(
        "scrape_configs:\n"
        "  - job_name: wattmark\n"
        "    metrics_path: /samples\n"
        f"    static_configs: [{{targets: ['{url.removeprefix('http://')}']}}]\n"
    )
    collector, _ = stack.enter_context(
        started([*python, "wattmark_collector", "--config", str(targets), "--store", store_url])
    )
    return [exporter, collector], url


def _turns(
    pairs: int, processes: Sequence[subprocess.Popen[str]], url: str, store: Store
) -> tuple[list[float], list[float]]:
    """Slowdowns, %, and each process's share of all cores while they measured, %."""
    load, order = Perceptron(), random.Random(1)  # noqa: S311 - the order of turns is no secret
    slowdowns, with_seconds, own_seconds = [], 0.0, [0.0] * len(processes)
    with Recorder(url, store) as recorder:
        for _ in range(pairs):
            taken: dict[bool, float] = {}
            for measured in order.sample((True, False), 2):
                _let(processes, run=measured)
                if not measured:
                    taken[measured] = load.infer()
                    continue
                with recorder.window(model="bench"):
                    before, start = _cpu_seconds(processes), time.perf_counter()
                    taken[measured] = load.infer()
                    with_seconds += time.perf_counter() - start
                    after = _cpu_seconds(processes)
                    spent = zip(own_seconds, before, after, strict=True)
                    own_seconds = [own + last - first for own, first, last in spent]
            slowdowns.append(100.0 * math.log(taken[True] / taken[False]))
            _let(processes, run=True)
    cores_seconds = with_seconds * (os.cpu_count() or 1)
    return slowdowns, [100.0 * seconds / cores_seconds for seconds in own_seconds]


def _let(processes: Sequence[subprocess.Popen[str]], *, run: bool) -> None:
    """Let them run, or stand still."""
    time.sleep(SETTLE_SECONDS)  # the window before gets its last sample
    for process in processes:
        process.send_signal(signal.SIGCONT if run else signal.SIGSTOP)
    time.sleep(SETTLE_SECONDS)  # what they have missed is made up for


def _cpu_seconds(processes: Sequence[subprocess.Popen[str]]) -> list[float]:
    return [usage(process.pid).cpu_seconds for process in processes]


def _interval(values: Sequence[float], statistic: Callable[..., Any]) -> str:
    """95 %, in words."""
    found = stats.bootstrap(
        (values,), statistic, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    return f"95 % interval {found.low:+.2f} to {found.high:+.2f} %"
