"""What measuring itself costs: CPU time of Wattmark's own processes on this machine.

Exporter, collector and the process that carries out the run. Not the worker: what it does is the
inference, but for two stamps of the clock a window.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

import psutil

ROOMS: Final = {
    "wattmark_exporters": "exporter", "wattmark-exporter": "exporter",
    "wattmark_collector": "collector", "wattmark-collector": "collector",
}  # fmt: skip
"""Module or program → part."""
PREFIX: Final = "overhead."
RATIO: Final = "overhead.ratio"
SECONDS: Final = "overhead.seconds"
CPUS: Final = "overhead.cpus"
NOT_SEEN: Final = (
    "what measuring itself took is known in part only (overhead): the exporter's process cannot be"
    " seen from here, or one of ours ended meanwhile"
)
_CPUCLOCK_SCHED: Final = 2


class Overhead:
    """CPU seconds from its making on, of ``processes`` (process id → part; None: all there are)."""

    def __init__(self, processes: Mapping[int, str] | None = None) -> None:
        self._start_ns = time.monotonic_ns()
        self._parts = own_processes() if processes is None else processes
        self._before = _cpu_seconds(self._parts)

    def constants(self) -> dict[str, float]:
        """For a run's record: CPU seconds of each part, and their share of all cores.

        A part that cannot be seen from here, or that ended meanwhile, is left out, and then there
        is no share: it would be too small.
        """
        seconds = (time.monotonic_ns() - self._start_ns) / 1e9
        after = _cpu_seconds(self._parts)
        spent: dict[str, float] = {}
        for pid, cpu_seconds in after.items():
            part = f"{PREFIX}{self._parts[pid]}_cpu_seconds"
            spent[part] = spent.get(part, 0.0) + cpu_seconds - self._before[pid]
        whole = "exporter" in self._parts.values() and after.keys() == self._parts.keys()
        cpus = float(os.cpu_count() or 1)
        share = {RATIO: sum(spent.values()) / (cpus * seconds)} if whole else {}
        return {**spent, SECONDS: seconds, CPUS: cpus, **share}


def added(known: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    """A run's constants with those of one more of its windows."""
    before = {name: value for name, value in known.items() if name.startswith(PREFIX)}
    others = {name: value for name, value in known.items() if name not in before}
    if not before:
        return {**others, **more}
    names = [name for name in (*before, *more) if name not in {CPUS, RATIO}]
    total = {name: before.get(name, 0.0) + more.get(name, 0.0) for name in dict.fromkeys(names)}
    share = {}
    if RATIO in before and RATIO in more:
        spent = sum(value for name, value in total.items() if name != SECONDS)
        share[RATIO] = spent / (more[CPUS] * total[SECONDS])
    return {**others, **total, CPUS: more[CPUS], **share}


def own_processes() -> dict[int, str]:
    """Process id → part: this process, and all exporters and collectors that can be seen."""
    found = {os.getpid(): "runner"}
    for process in psutil.process_iter(["pid", "cmdline"]):
        part = next((ROOMS[n] for n in _names(process.info["cmdline"] or []) if n in ROOMS), None)
        if part is not None:
            found.setdefault(process.info["pid"], part)
    return found


def _names(words: Sequence[str]) -> Iterator[str]:
    """What a command line runs: the program, or the script or module that Python was given."""
    first, *others = [PurePath(word).name for word in words] or [""]
    yield first
    if first.startswith("python"):
        yield from [word for word in others if not word.startswith("-")][:1]


def _cpu_seconds(processes: Mapping[int, str]) -> dict[int, float]:
    """Of all threads, to the ns, by the clock that clock_getcpuclockid(3) gives; /proc knows 10 ms.

    Process id → seconds; those that are gone are left out.
    """
    found = {}
    for pid in processes:
        try:
            found[pid] = time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
        except OSError:
            continue
    return found
