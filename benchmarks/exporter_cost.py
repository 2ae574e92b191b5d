"""What measuring costs: the exporter, a bare loop, the exporter before, CodeCarbon and Zeus, one
after the other.

Each runs alone: side by side on a small machine they evict each other from its caches, which costs
those most that do the least at a time. The exporter and the bare loop at its rates, whose ratio is
a goal, have a turn at the beginning and one at the end.
"""

import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.before import COMMIT, before
from benchmarks.processes import ROOT, NotRun, Usage, exporter, finish, moving_tree, started, usage
from benchmarks.report import Goal, Row, Section
from wattmark_core.exporter_api import ExporterClient, HostReport

CPU_GOAL: Final = Goal(0.20)
MEMORY_GOAL: Final = Goal(26)
BARE_GOAL: Final = Goal(2.0)
"""Times the bare loop at the exporter's rates: what later work must keep."""
TAKEN_GOAL: Final = Goal(99, least=True)
BENCH_PYTHON: Final = ROOT / ".venv-bench/bin/python"
SETTLE_SECONDS: Final = 8.0
"""Zeus's helper processes import for some seconds after it is ready."""


@dataclass(frozen=True, slots=True)
class _Contender:
    """``peer``: its program. ``mounted``: it reads /sys itself, and has its own environment."""

    name: str
    peer: str
    arguments: tuple[str, ...] = ()
    mounted: bool = False


BARE: Final = _Contender("bare loop, exporter's rates", "bare_loop", ("10",))


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu_seconds_per_minute: float
    resident_mebibytes: float
    processes: int


def measure(seconds: float) -> Section:
    """Every contender alone, in turns that make ``seconds`` s in all, settling not counted."""
    with moving_tree() as sysfs:
        contenders = _contenders()
        turn = seconds / (len(contenders) + 5)
        first, taken_percent = _exporter_turn(sysfs, turn)
        bare_first, _ = _peer_turn(BARE, sysfs, turn)
        with before() as environment:
            earlier, _ = _exporter_turn(sysfs, turn, environment)
        peers = [_peer_turn(contender, sysfs, turn) for contender in contenders]
        bare_last, hertz = _peer_turn(BARE, sysfs, turn)
        last, taken_later = _exporter_turn(sysfs, turn)
    ours = _mean(first, last)
    rows = _exporter_rows(ours, min(taken_percent, taken_later))
    if bare_first is not None and bare_last is not None:
        bare = _mean(bare_first, bare_last)
        times = ours.cpu_seconds_per_minute / bare.cpu_seconds_per_minute
        times_before = earlier.cpu_seconds_per_minute / bare.cpu_seconds_per_minute
        rows += [
            Row("exporter ÷ bare loop at its rates", "×", times, BARE_GOAL),
            Row(f"{COMMIT} ÷ bare loop at its rates", "×", times_before),
            *_peer_rows(BARE.name, bare, ours, float(hertz)),
        ]
    rows += [
        Row(f"exporter of {COMMIT}", "CPU-s/min", earlier.cpu_seconds_per_minute,
            ratio=earlier.cpu_seconds_per_minute / ours.cpu_seconds_per_minute),
        Row(f"exporter of {COMMIT}", "MiB", earlier.resident_mebibytes,
            ratio=earlier.resident_mebibytes / ours.resident_mebibytes),
    ]  # fmt: skip
    for contender, (cost, words) in zip(contenders, peers, strict=True):
        if cost is None:
            rows.append(Row(contender.name, "CPU-s/min", None, note=words))
        else:
            rows.extend(_peer_rows(contender.name, cost, ours, float(words)))
    return Section(
        "What measuring costs", rows, ratio_of="exporter",
        note=f"{turn:.0f} s each, one after the other; exporter and bare loop first and last"
        f" ({first.cpu_seconds_per_minute:.3f} and {last.cpu_seconds_per_minute:.3f} CPU-s/min)."
        " Energy at 10 Hz everywhere; host metrics at 1 Hz in the exporter, which is also polled"
        " over HTTP at 1 Hz. Memory shared by a tool's processes counts once for each.",
    )  # fmt: skip


def _exporter_turn(
    sysfs: Path, seconds: float, environment: dict[str, str] | None = None
) -> tuple[_Cost, float]:
    """Its cost while polled, and the share of due samples that it took, per cent."""
    with exporter(sysfs, environment=environment) as (process, url):
        client = ExporterClient(url)
        try:
            cursor = _poll(client, SETTLE_SECONDS)
            report, start, before = client.sensors(), time.monotonic(), usage(process.pid)
            _poll(client, seconds, cursor)
            after, elapsed, later = usage(process.pid), time.monotonic() - start, client.sensors()
        finally:
            client.close()
    return _cost(before, after, elapsed), _taken_percent(report, later)


def _peer_turn(contender: _Contender, sysfs: Path, seconds: float) -> tuple[_Cost | None, str]:
    """Its cost and the rounds a second it did; or None and why it was not run."""
    try:
        with _start(contender, sysfs) as (process, _):
            time.sleep(SETTLE_SECONDS)
            start, before = time.monotonic(), usage(process.pid)
            time.sleep(seconds)
            after, elapsed = usage(process.pid), time.monotonic() - start
            words = finish(process).split()
    except NotRun as reason:
        return None, str(reason)
    if not words:  # its CPU time is not that of the whole turn
        return None, "it ended during the run"
    return _cost(before, after, elapsed), words[-1]


def _mean(first: _Cost, last: _Cost) -> _Cost:
    """Of two turns; the larger memory."""
    return _Cost(
        (first.cpu_seconds_per_minute + last.cpu_seconds_per_minute) / 2,
        max(first.resident_mebibytes, last.resident_mebibytes),
        first.processes,
    )


def _contenders() -> list[_Contender]:
    return [
        _Contender("bare loop, all at 10 Hz", "bare_loop", ("1",)),
        _Contender("CodeCarbon, 10 Hz", "codecarbon_loop", mounted=True),
        _Contender("Zeus, windows of 0.1 s", "zeus_loop", mounted=True),
    ]


def _start(
    contender: _Contender, sysfs: Path
) -> AbstractContextManager[tuple[subprocess.Popen[str], str]]:
    words = ("-m", f"benchmarks.peers.{contender.peer}")
    if not contender.mounted:
        return started([sys.executable, *words, str(sysfs), *contender.arguments])
    if not BENCH_PYTHON.exists():
        raise NotRun("its environment is not there; make bench makes it")
    return started([str(BENCH_PYTHON), *words], mount=sysfs)


def _poll(client: ExporterClient, seconds: float, cursor: str = "") -> str:
    """Fetch new samples once a second, as the collector does; the cursor to go on from."""
    end = time.monotonic() + seconds
    due = time.monotonic()
    while due < end:
        cursor = client.samples(cursor).cursor
        due += 1
        time.sleep(max(0.0, min(due, end) - time.monotonic()))
    return cursor


def _cost(before: Usage, after: Usage, seconds: float) -> _Cost:
    return _Cost(
        (after.cpu_seconds - before.cpu_seconds) / seconds * 60,
        max(before.resident_bytes, after.resident_bytes) / 2**20,
        after.processes,
    )


def _taken_percent(before: HostReport, after: HostReport) -> float:
    """Samples taken of those due in between, all running sensors together."""
    first = {sensor.name: sensor for sensor in before.sensors}
    taken = sum(sensor.taken - first[sensor.name].taken for sensor in after.sensors)
    due = sum(sensor.due - first[sensor.name].due for sensor in after.sensors)
    return 100 * taken / due


def _exporter_rows(cost: _Cost, taken_percent: float) -> list[Row]:
    return [
        Row("exporter", "CPU-s/min", cost.cpu_seconds_per_minute, CPU_GOAL, 1.0),
        Row("exporter", "MiB", cost.resident_mebibytes, MEMORY_GOAL, 1.0),
        Row("exporter, due samples taken", "%", taken_percent, TAKEN_GOAL),
    ]


def _peer_rows(name: str, cost: _Cost, ours: _Cost, hertz: float) -> list[Row]:
    processes = f"{cost.processes} processes" if cost.processes > 1 else ""
    cpu, memory = cost.cpu_seconds_per_minute, cost.resident_mebibytes
    return [
        Row(name, "CPU-s/min", cpu, ratio=cpu / ours.cpu_seconds_per_minute,
            note=f"{hertz:.2f} rounds/s done"),
        Row(name, "MiB", memory, ratio=memory / ours.resident_mebibytes, note=processes),
    ]  # fmt: skip
