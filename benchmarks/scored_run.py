"""A program of its own, for any version of the packages: ``STORE_URL TIMES`` scores a run of eight
windows on the CPU and one on a GPU, and prints as JSON what that took of each.

``reads``: calls of the store that return samples; ``calls``: all of them; ``seconds``: the shortest
time to read and to compute, without the writing of results.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_store import open_store

try:
    from wattmark_runner.records.model import RunRecord, RunRequest, RunState
    from wattmark_runner.scoring.run import score_run
except ModuleNotFoundError:  # before the runner had folders
    from wattmark_runner.records import (  # type: ignore[attr-defined, no-redef]
        RunRecord,
        RunRequest,
        RunState,
    )
    from wattmark_runner.scorer import score_run  # type: ignore[import-not-found, no-redef]

S = 1_000_000_000
START = 1_700_000_000 * S
SECONDS = 100
READS = ("select", "series", "edges", "aggregate")
COUNTERS = (
    EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001),
    EnergySeries(Domain.DRAM, "socket0", "rapl", Method.COUNTER, 0.001),
    EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.1),
)
PLAN = [(Phase.IDLE, 15), (Phase.WARMUP, 3), *[(Phase.INFERENCE, 10)] * 5, (Phase.IDLE, 15)]


def samples() -> Iterator[Sample]:
    """Energy at 10 Hz, a GPU's power too; the machine once a second."""
    for series in COUNTERS:
        for i in range(10 * SECONDS):
            tags, time_ns = make_tags({"host": "h", **series.tags}), START + i * S // 10
            energy = {"joules": 5.0 * i + i % 7, "epoch": 1, "uncertainty_seconds": 0.0005}
            yield Sample("energy", tags, energy, time_ns)
            if series.domain is Domain.GPU:
                yield Sample("power", tags, {"watts": 50.0}, time_ns)
    gpu = {f"throttled_{reason}_seconds": 0.0 for reason in (
        "hw_slowdown", "sw_thermal", "hw_thermal", "power_brake", "power_cap")}  # fmt: skip
    for i in range(SECONDS):
        host, time_ns = make_tags({"host": "h"}), START + i * S
        cpu = {"busy_seconds": 0.4 * i, "steal_seconds": 0.0, "cpus": 2}
        yield Sample("cpu", host, cpu, time_ns)
        yield Sample("memory", host, {"used_bytes": 10**9}, time_ns)
        yield Sample("exporter", host, {"cpu_seconds": 0.002 * i}, time_ns)
        tags = make_tags({"host": "h", "device": "GPU-1"})
        busy = {"utilization_ratio": 0.9, "memory_used_bytes": 10**9, "processes": 1, **gpu}
        yield Sample("gpu", tags, busy, time_ns)


def record(gpu: str) -> RunRecord:
    """A run that waits for its score."""
    windows, begin = [], 1.03
    for number, (phase, seconds) in enumerate(PLAN):
        start_ns, work = START + round(begin * S), phase is Phase.INFERENCE
        windows.append(
            Window(f"w{number}", "h", phase, start_ns, start_ns + seconds * S, run_id=f"run{gpu}",
                   repeat=max(0, number - 2), inferences=4000 if work else None,
                   correct=3600 if work else None, cpu_seconds=2.0)
        )  # fmt: skip
        begin += seconds + 0.7
    return RunRecord(
        f"run{gpu}", RunRequest("digits", "net", gpu=gpu), RunState.SCORING, "h", "boot",
        "instance", 0, START, series=COUNTERS if gpu else COUNTERS[:2], accuracy=0.9,
        test_images=400, parameters=10_000, macs=1_000_000, windows=windows,
    )  # fmt: skip


class Counted:
    """A store whose calls are counted."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        """A method that is about to be called."""
        self.calls[name] = self.calls.get(name, 0) + 1
        return getattr(self.store, name)


class Silent:
    """A store that reads samples and writes no results."""

    def __init__(self, store: Any) -> None:
        for name in READS:
            setattr(self, name, getattr(store, name, None))
        for name in ("put_window", "put_score", "keep_scores"):
            setattr(self, name, self._nothing)

    def windows(self, **_: object) -> list[Window]:
        """None."""
        return []

    def _nothing(self, *_: object) -> None:
        pass


def main(url: str, times: int) -> None:
    """Print what both take."""
    store, taken = open_store(url), {}
    store.write(samples())
    for name, gpu in (("CPU", ""), ("GPU", "GPU-1")):
        silent: Any = Silent(store)
        seconds = []
        for _ in range(times):
            waiting = record(gpu)
            begin = time.perf_counter()
            score_run(waiting, silent)
            seconds.append(time.perf_counter() - begin)
        counted: Any = Counted(store)
        score_run(record(gpu), counted)
        reads = sum(counted.calls.get(method, 0) for method in READS)
        taken[name] = {"reads": reads, "calls": sum(counted.calls.values()),
                       "seconds": min(seconds)}  # fmt: skip
    store.close()
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
