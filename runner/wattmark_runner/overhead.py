"""What measuring itself costs: CPU time of Wattmark's own processes on this machine.

Exporter, collector and the process that carries out the run. Not the worker: what it does is the
inference, but for two stamps of the clock a window.
"""

import os
import time
from pathlib import PurePath
from typing import Final

import psutil

ROOMS: Final = {
    "wattmark_exporters": "exporter", "wattmark-exporter": "exporter",
    "wattmark_collector": "collector", "wattmark-collector": "collector",
}  # fmt: skip
"""Module or program → part."""
_CPUCLOCK_SCHED: Final = 2


class Overhead:
    """CPU seconds from its making on."""

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._before = _cpu_seconds(_processes())

    def constants(self) -> dict[str, float]:
        """For a run's record: CPU seconds of each part, and their share of all cores.

        A part that does not run on this machine, or that ended meanwhile, is left out.
        """
        seconds = (time.monotonic_ns() - self._start_ns) / 1e9
        after = _cpu_seconds({pid: part for pid, (part, _) in self._before.items()})
        spent: dict[str, float] = {}
        for pid, (part, cpu_seconds) in after.items():
            spent[part] = spent.get(part, 0.0) + cpu_seconds - self._before[pid][1]
        cpus = os.cpu_count() or 1
        return {
            **{f"overhead.{part}_cpu_seconds": value for part, value in spent.items()},
            "overhead.seconds": seconds,
            "overhead.cpus": float(cpus),
            "overhead.ratio": sum(spent.values()) / (cpus * seconds),
        }


def _processes() -> dict[int, str]:
    """Process id → part."""
    found = {os.getpid(): "runner"}
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        part = next((ROOMS[name] for name in map(_name, words[:4]) if name in ROOMS), None)
        if part is not None:
            found.setdefault(process.info["pid"], part)
    return found


def _name(word: str) -> str:
    return PurePath(word).name


def _cpu_seconds(processes: dict[int, str]) -> dict[int, tuple[str, float]]:
    """Of all threads, to the ns, by the clock that clock_getcpuclockid(3) gives; /proc knows 10 ms.

    Process id → part and seconds; those that are gone are left out.
    """
    found = {}
    for pid, part in processes.items():
        try:
            found[pid] = (part, time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED))
        except OSError:
            continue
    return found
