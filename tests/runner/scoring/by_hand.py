"""Runs whose samples are made by hand: on the CPU and on a GPU, with all that scoring reads."""

import random
from collections.abc import Iterator

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.model import RunRecord, RunRequest, RunState

S = 1_000_000_000
START = 1_700_000_000 * S
END_SECONDS = 70.0
PACKAGE = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
DRAM = EnergySeries(Domain.DRAM, "socket0", "rapl", Method.COUNTER, 0.001)
GPU = EnergySeries(
    Domain.GPU, "GPU-1", "nvml", Method.INTEGRATED, 0.1, averaging_seconds=0.1, coverage_ratio=0.25,
    interval_seconds=0.02,
)  # fmt: skip
PLAN = [(Phase.IDLE, 8), (Phase.WARMUP, 3), *[(Phase.INFERENCE, 6)] * 5, (Phase.IDLE, 8)]


def make_run(gpu: str = "") -> RunRecord:
    """Eight windows at odd instants; on the GPU every counter is read, on the CPU two."""
    windows, begin = [], 1.0371
    for number, (phase, seconds) in enumerate(PLAN):
        start_ns = START + round(begin * S)
        work = phase is Phase.INFERENCE
        windows.append(
            Window(f"w{number}", "h", phase, start_ns, start_ns + seconds * S, run_id="run",
                   repeat=max(0, number - 2), inferences=4000 if work else None,
                   correct=3600 if work else None, cpu_seconds=2.0)
        )  # fmt: skip
        begin += seconds + 0.7313
    series = (PACKAGE, DRAM, GPU) if gpu else (PACKAGE, DRAM)
    return RunRecord(
        "run", RunRequest("digits", "net", gpu=gpu, parameters={"batch_size": 32}),
        RunState.SCORING, "h", "boot", "instance", 0, START, series=series, accuracy=0.9,
        test_images=400, parameters=10_000, macs=1_000_000, windows=windows,
        constants={"overhead.runner_cpu_seconds": 0.05, "overhead.cpus": 2.0},
    )  # fmt: skip


def make_samples() -> list[Sample]:
    """By time: counters at 10 and 50 Hz whose power never stays the same, the machine once a
    second, the collector every 10 s."""
    return sorted(_samples(), key=lambda sample: sample.time_ns)


def _samples() -> Iterator[Sample]:
    for series in (PACKAGE, DRAM, GPU):
        yield from _counter(series, random.Random(series.device + series.domain))  # noqa: S311
    for second in range(int(END_SECONDS)):
        time_ns = START + second * S + 123_456_789
        yield Sample(
            "cpu",
            make_tags({"host": "h"}),
            {"busy_seconds": 0.4 * second, "steal_seconds": 0.0, "cpus": 2},
            time_ns,
        )
        yield Sample(
            "memory", make_tags({"host": "h"}), {"used_bytes": 10**9 + 1000 * second**2}, time_ns
        )
        yield Sample("exporter", make_tags({"host": "h"}), {"cpu_seconds": 0.002 * second}, time_ns)
        yield Sample(
            "gpu",
            make_tags({"host": "h", "device": GPU.device}),
            {
                "utilization_ratio": second % 7 / 7,
                "processes": 1,
                "throttled_hw_thermal_seconds": 0.0,
            },
            time_ns,
        )
        if second % 10 == 0:
            yield Sample("collector", make_tags({"host": "h", "boot_id": "boot"}),
                         {"cpu_seconds": 0.01 * second}, time_ns)  # fmt: skip


def _counter(series: EnergySeries, dice: random.Random) -> Iterator[Sample]:
    tags = {"host": "h", **series.tags}
    joules, step = 0.0, series.interval_seconds
    for number in range(int(END_SECONDS / step)):
        watts = dice.uniform(40.0, 60.0)
        joules += watts * step
        time_ns = START + round(number * step * S) + 7_654_321
        yield Sample(
            "energy",
            make_tags(tags),
            {"joules": joules, "epoch": 1, "uncertainty_seconds": 0.0005},
            time_ns,
        )
        if series is GPU:
            yield Sample("power", make_tags(tags), {"watts": watts}, time_ns)  # fmt: skip
