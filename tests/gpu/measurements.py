"""What is measured of a board, by name, in the order of what it needs."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import mean, median, quantiles
from typing import TYPE_CHECKING, Any, Final

from tests.gpu.board import GpuBoard, Look
from tests.gpu.load import NoLoad, square_load, torch_for

if TYPE_CHECKING:
    from tests.gpu.__main__ import Options

ROOT: Final = Path(__file__).parents[2]
LEAST_TICKS: Final = 5
DUTY: Final = 0.4
DUTY_PERIOD_SECONDS: Final = 0.37
"""Not in step with sensors that look every 20 or 100 ms."""
SETTLE_SECONDS: Final = 2.0


class Skipped(Exception):
    """What a measurement needs is not here."""


def update_period(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """T of counter and power, from their changes at reads about every ms."""
    looks = board.watch(min(options.seconds, 10.0))
    return {
        "reads": len(looks),
        "read_milliseconds": round(1e3 * (looks[-1].seconds - looks[0].seconds) / len(looks), 3),
        "energy": _ticks([(look.seconds, look.joules) for look in looks]),
        "power": _ticks([(look.seconds, look.watts) for look in looks]),
    }


def _ticks(values: list[tuple[float, float | None]]) -> dict[str, Any]:
    changes = [b[0] for a, b in pairwise(values) if None not in {a[1], b[1]} and a[1] != b[1]]
    if len(changes) < LEAST_TICKS:
        return {"ticks": len(changes)}
    milliseconds = [1e3 * (b - a) for a, b in pairwise(changes)]
    low, *_, high = quantiles(milliseconds, n=20)
    return {
        "ticks": len(changes),
        "median_milliseconds": round(median(milliseconds), 2),
        "from_5_to_95_per_cent": [round(low, 2), round(high, 2)],
    }


def gain(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """Counter over the integral of the board's own power: as it is, and under load if PyTorch is
    here."""
    if not board.access.counts or not board.access.has_power:
        raise Skipped("the board gives no counter, or no power")
    found = {"as_it_is": _gain(board.watch(options.seconds))}
    try:
        with square_load(board.index, 10.0, 1.0):
            time.sleep(SETTLE_SECONDS)
            found["under_load"] = _gain(board.watch(options.seconds))
    except NoLoad as reason:
        found["under_load"] = {"state": "skipped", "reason": str(reason)}
    return found


def _gain(looks: list[Look]) -> dict[str, Any]:
    whole = [(t, j, w) for t, j, w in looks if j is not None and w is not None]
    ticks = [i for i, (a, b) in enumerate(pairwise(whole), start=1) if a[1] != b[1]]
    if len(ticks) < LEAST_TICKS:
        raise ValueError(f"the counter moved {len(ticks)} times")
    inside = whole[ticks[0] : ticks[-1] + 1]
    integral = sum((b[2] + a[2]) / 2 * (b[0] - a[0]) for a, b in pairwise(inside))
    counted = inside[-1][1] - inside[0][1]
    return {
        "seconds": round(inside[-1][0] - inside[0][0], 3),
        "counted_joules": counted,
        "integrated_joules": round(integral, 3),
        "ratio": round(counted / integral, 5),
    }


def step(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """How power and the counter follow a load that begins at once: time to half and 90 %."""
    _needs_load(board)
    idle = board.watch(SETTLE_SECONDS)
    with square_load(board.index, 60.0, 1.0) as edges:
        looks = board.watch(max(4.0, options.seconds / 4))
    low = mean(look.watts for look in idle if look.watts is not None)
    high = mean(look.watts for look in looks[-len(looks) // 4 :] if look.watts is not None)
    begin = edges[0]

    def reached(share: float) -> float | None:
        level = low + share * (high - low)
        after = (look.seconds - begin for look in looks if (look.watts or 0.0) >= level)
        return next((round(1e3 * seconds, 1) for seconds in after), None)

    return {
        "idle_watts": round(low, 2),
        "load_watts": round(high, 2),
        "half_milliseconds": reached(0.5),
        "nine_tenths_milliseconds": reached(0.9),
    }


def duty_cycle(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """Energy of a load that works for 40 % of every 0.37 s, beside what idle and full power make of
    the times at which it worked."""
    _needs_load(board)
    if not board.access.counts:
        raise Skipped("the board has no energy counter")
    idle = _mean_watts(board.watch(SETTLE_SECONDS * 2))
    with square_load(board.index, 60.0, 1.0):
        time.sleep(SETTLE_SECONDS)
        full = _mean_watts(board.watch(SETTLE_SECONDS * 2))
    with square_load(board.index, DUTY_PERIOD_SECONDS, DUTY) as edges:
        time.sleep(SETTLE_SECONDS)
        looks = board.watch(options.seconds)
        times = list(edges)
    counted = _mean_watts(looks)
    pairs = zip(times[::2], times[1::2], strict=False)
    begin, end = looks[0].seconds, looks[-1].seconds
    busy = sum(max(0.0, min(b, end) - max(a, begin)) for a, b in pairs)
    expected = idle + (full - idle) * busy / (end - begin)
    return {
        "idle_watts": round(idle, 2),
        "full_watts": round(full, 2),
        "busy_ratio": round(busy / (end - begin), 4),
        "counted_watts": round(counted, 2),
        "expected_watts": round(expected, 2),
        "ratio": round(counted / expected, 4),
    }


def _needs_load(board: GpuBoard) -> None:
    try:
        torch_for(board.index)
    except NoLoad as reason:
        raise Skipped(str(reason)) from reason


def _mean_watts(looks: list[Look]) -> float:
    """Of the counter, from its first tick to its last."""
    ticks = [b for a, b in pairwise(looks) if None not in {a.joules, b.joules} and a[1] != b[1]]
    if len(ticks) < LEAST_TICKS:
        raise ValueError(f"the counter moved {len(ticks)} times")
    joules = (ticks[-1].joules or 0.0) - (ticks[0].joules or 0.0)
    return joules / (ticks[-1].seconds - ticks[0].seconds)


def overhead(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """CPU time and memory of the exporter, armed as in a measured window."""
    psutil = _module("psutil")
    _module("prometheus_client")
    from wattmark_core.exporter_api import ExporterClient

    command = [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0"]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment()
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            if not ready:
                errors.seek(0)
                raise RuntimeError(f"the exporter did not start: {errors.read()[-300:]}")
            client = ExporterClient(ready[-1])
            client.arm(options.seconds + 5.0)
            program = psutil.Process(process.pid)
            before, begin = program.cpu_times(), time.monotonic()
            cursor, lines = "", 0
            while time.monotonic() < begin + options.seconds:
                page = client.samples(cursor)
                cursor, lines = page.cursor, lines + page.text.count("\n")
                time.sleep(0.5)
            after, seconds = program.cpu_times(), time.monotonic() - begin
            cpu = after.user + after.system - before.user - before.system
            (sensor,) = (one for one in client.sensors().sensors if one.name == "nvml")
            return {
                "cpu_ratio": round(cpu / seconds, 5),
                "lines_per_second": round(lines / seconds),
                "memory_megabytes": round(program.memory_info().rss / 1e6, 1),
                "state": "ok",
                "sensor": str(sensor.state),
                "update_periods": [s.update_period_seconds for s in sensor.energy],
            }
        finally:
            process.terminate()


def score(board: GpuBoard, options: "Options") -> dict[str, Any]:
    """The whole way: a network on the GPU, three windows, and its score."""
    _needs_load(board)
    for name in ("keras", "fastapi", "rich", "numpy", "scipy"):
        _module(name)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "wattmark_cli",
            "fit",
            "--json",
            "--data",
            folder,
            "--gpu",
            board.uuid,
            "--repeats",
            "3",
            "--idle-seconds",
            "10",
            "--between-seconds",
            "5",
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=_environment(),
            check=False,
            timeout=max(1.0, options.left_seconds - 5.0),
        )
    if done.returncode:
        raise RuntimeError(f"wattmark fit ended with {done.returncode}: {done.stderr[-500:]}")
    return {"fit": done.stdout}


def _module(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise Skipped(f"{name} is missing") from error


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


MEASUREMENTS: Final[Mapping[str, Callable[[GpuBoard, "Options"], dict[str, Any]]]] = {
    "update_period": update_period,
    "gain": gain,
    "step": step,
    "duty_cycle": duty_cycle,
    "overhead": overhead,
    "score": score,
}
