"""What being measured costs the program that is measured: the same inference with and without.

"Without" the exporter and the collector are stopped (SIGSTOP), so that both are of the same age and
the turns may be short. Turns come in pairs, in random order, so that what drifts hits both alike.
"""

import math
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from benchmarks.report import Goal, Row, Section
from wattmark_cli.embedded import Rooms, open_rooms
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRequest
from wattmark_runner.windows.recorder import Recorder
from wattmark_runner.workloads.reading import load_config

OWN_GOAL: Final = Goal(0.2)
"""Per cent of all cores. The paper (arXiv 2310.09554) claims 0.05 % of its server's."""
TURN_SECONDS: Final = 0.4
SETTLE_SECONDS: Final = 0.3
RESAMPLES: Final = 4999
RUNS: Final = 3
REPEATS: Final = 7
IDLE_SECONDS: Final = 2.0
CPU_SECONDS: Final = "_cpu_seconds"
BATCHES_TO_TRY: Final = 50
SHAPES: Final = ((256, 784), (784, 1024), (1024, 1024), (1024, 10))
"""A batch, and the layers of a perceptron; matrix products keep all cores busy."""


class Perceptron:
    """The load: as many batches as take a turn."""

    def __init__(self) -> None:
        generator = np.random.default_rng(1)
        self._batch, *self._layers = (
            generator.normal(0.0, 0.05, shape).astype(np.float32) for shape in SHAPES
        )
        self.batches = BATCHES_TO_TRY
        self.batches = max(1, round(BATCHES_TO_TRY * TURN_SECONDS / self.infer()))

    def infer(self) -> float:
        """Seconds that a turn takes."""
        start = time.perf_counter()
        for _ in range(self.batches):
            value = self._batch
            for layer in self._layers:
                value = np.maximum(value @ layer, 0.0)
        return time.perf_counter() - start


def load(_: str) -> Callable[[], tuple[int, None]]:
    """The same load as a workload of the runner: a pass is a turn."""
    perceptron = Perceptron()

    def one_pass() -> tuple[int, None]:
        perceptron.infer()
        return perceptron.batches * SHAPES[0][0], None

    return one_pass


def measure(pairs: int) -> Section:
    """``pairs`` turns with and as many without; and runs, whose records say what they took."""
    with (
        tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder,
        open_rooms(Path(folder)) as rooms,
    ):
        slowdowns = _turns(pairs, rooms)
        shares = [_recorded(rooms) for _ in range(RUNS)]
    mean, median = (_interval(slowdowns, of) for of in (np.mean, np.median))
    rows = [
        Row("slowdown of the inference, median", "%", statistics.median(slowdowns), note=median),
        Row("slowdown of the inference, mean", "%", statistics.mean(slowdowns), note=mean),
        Row("Wattmark's own CPU time ÷ (cores × time), as recorded", "%",
            100.0 * statistics.median(share["ratio"] for share in shares), OWN_GOAL,
            note=_parts(shares)),
    ]  # fmt: skip
    note = (
        f"{pairs} pairs of turns of {TURN_SECONDS:g} s in random order, in logarithms of their"
        " ratio; intervals by bootstrap. Close sampling is on, a window is open. CPU time: median"
        f" of {RUNS} runs with {REPEATS} windows of 3 s each, the shortest there are."
    )
    return Section("What being measured costs", rows, note=note)


def _recorded(rooms: Rooms) -> dict[str, float]:
    """What the record of a run says of its overhead: ratio, CPU seconds by part."""
    config = rooms.data / "workloads.toml"
    config.write_text(
        "[workloads.perceptron]\n"
        'entry_point = "benchmarks.overhead:load"\n'
        'models = ["perceptron"]\n'
    )
    record = execute(
        RunRequest("perceptron", "perceptron", repeats=REPEATS, idle_before_seconds=IDLE_SECONDS,
                   idle_after_seconds=IDLE_SECONDS),
        exporter_url=rooms.exporter_url, store=rooms.store, cache=rooms.data,
        log=rooms.data / "worker.log", progress=lambda _: None,
        workload=load_config(config).find("perceptron"),
    )  # fmt: skip
    assert not record.reason, record.reason
    return {
        name.removeprefix("overhead."): value
        for name, value in record.constants.items()
        if name.startswith("overhead.")
    }


def _parts(shares: Sequence[dict[str, float]]) -> str:
    def per_cent(name: str) -> float:
        return 100.0 * statistics.median(s[name] / s["cpus"] / s["seconds"] for s in shares)

    names = [name for name in shares[0] if name.endswith(CPU_SECONDS)]
    return ", ".join(f"{name.removesuffix(CPU_SECONDS)} {per_cent(name):.3f} %" for name in names)


def _turns(pairs: int, rooms: Rooms) -> list[float]:
    """Slowdowns, %."""
    load, order = Perceptron(), random.Random(1)  # noqa: S311 - the order of turns is no secret
    processes = [child.process for child in rooms.children]
    slowdowns = []
    with Recorder(rooms.exporter_url, rooms.store) as recorder:
        for _ in range(pairs):
            taken: dict[bool, float] = {}
            for measured in order.sample((True, False), 2):
                _let(processes, run=measured)
                if not measured:
                    taken[measured] = load.infer()
                    continue
                with recorder.window(model="bench"):
                    taken[measured] = load.infer()
            slowdowns.append(100.0 * math.log(taken[True] / taken[False]))
            _let(processes, run=True)
    return slowdowns


def _let(processes: Sequence[subprocess.Popen[str]], *, run: bool) -> None:
    """Let them run, or stand still."""
    time.sleep(SETTLE_SECONDS)  # the window before gets its last sample
    for process in processes:
        process.send_signal(signal.SIGCONT if run else signal.SIGSTOP)
    time.sleep(SETTLE_SECONDS)  # what they have missed is made up for


def _interval(values: Sequence[float], statistic: Callable[..., Any]) -> str:
    """95 %, in words."""
    bootstrapped = stats.bootstrap(
        (values,), statistic, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    return f"95 % interval {bootstrapped.low:+.2f} to {bootstrapped.high:+.2f} %"
