"""What measuring itself costs: CPU time of Wattmark's own programs on the machine it measures.

Exporter and collector publish theirs, so that it is known in the store wherever they run; of the
program that carries out a run it is read at the edges of its windows. Not of the worker: what that
does is the inference, but for two stamps of the clock a window.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from wattmark_core.results import Phase, Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.records.model import RunRecord
from wattmark_scoring.window_data import FieldSeries, WindowData

RUNNER: Final = "overhead.runner_cpu_seconds"
SECONDS: Final = "overhead.seconds"
CPUS: Final = "overhead.cpus"
RATIO: Final = "overhead.ratio"
PUBLISHED: Final = ("exporter", "collector")
"""Measurements with a field ``cpu_seconds``."""
NOT_SEEN: Final = (
    "what measuring itself took is known in part only (overhead): the store does not hold the CPU"
    " time of exporter and collector throughout, or one of them was restarted meanwhile"
)


def counts(window: Window) -> bool:
    """Is the window one of those over which overhead is stated: of work, and stamped here?"""
    return window.clock == "host" and window.phase is not Phase.IDLE


def added(constants: Mapping[str, float], cpu_ns: int) -> dict[str, float]:
    """A run's constants with this process's CPU time in one more of its windows."""
    return {
        **constants,
        RUNNER: constants.get(RUNNER, 0.0) + ns_to_seconds(cpu_ns),
        CPUS: float(os.cpu_count() or 1),
    }


def add_overhead(record: RunRecord, windows: Sequence[WindowData]) -> None:
    """Complete the run's constants with what was read: CPU seconds of exporter and collector in
    its windows, and the share of all cores that all three took.

    What is not known is left out, and then there is no share, but a notice: it would be too small.
    What was known before, of as many seconds, stays when samples are gone.
    """
    counted = [data for data in windows if counts(data.window)]
    if not counted or RUNNER not in record.constants:
        return
    after, before = spent(counted, record.constants, record.boot_id), record.constants
    if RATIO in after or before.get(SECONDS) != after[SECONDS] or RATIO not in before:
        ours = {SECONDS, RATIO, *map(_name, PUBLISHED)}
        others = {name: value for name, value in before.items() if name not in ours}
        record.constants = {**others, **after}
    record.notices = [notice for notice in record.notices if notice != NOT_SEEN]
    if RATIO not in record.constants:
        record.notices.append(NOT_SEEN)


def spent(
    windows: Sequence[WindowData], constants: Mapping[str, float], boot_id: str
) -> dict[str, float]:
    """The seconds of ``windows``, of one host, the CPU seconds in them of each part that is known,
    and the share if all are. ``constants`` hold the runner's and the number of CPUs.

    A collector on another machine takes nothing of the windows': it runs on another boot than
    ``boot_id``. One that does not publish its boot is theirs if it has their host's name; if it has
    another, it is not known where it is.
    """
    host = windows[0].window.host
    exporters = [_published("exporter", data) for data in windows]
    collectors = [_published("collector", data) for data in windows]
    here = [[s for s in series if _is_here(s, host, boot_id)] for series in collectors]
    parts = {
        "exporter": _in_all(windows, exporters),
        "collector": _in_all(windows, here),
    }
    seen = [s for series in collectors for s in series]
    if seen and all("boot_id" in s.tags and not _is_here(s, host, boot_id) for s in seen):
        del parts["collector"]
    seconds = sum(data.window.seconds for data in windows)
    known = {_name(name): value for name, value in parts.items() if value is not None}
    stated = {SECONDS: seconds, **known}
    if len(known) == len(parts) and seconds > 0.0:
        own = constants[RUNNER] + sum(known.values())
        stated[RATIO] = own / (constants[CPUS] * seconds)
    return stated


def _name(part: str) -> str:
    return f"overhead.{part}_cpu_seconds"


def _published(part: str, data: WindowData) -> list[FieldSeries]:
    """The CPU time that a part published around a window; what began after it says nothing."""
    return [
        series
        for series in data.others
        if series.measurement == part
        and "cpu_seconds" in series.fields
        and series.fields["cpu_seconds"].times_ns[0] <= data.window.end_ns
    ]


def _is_here(series: FieldSeries, host: str, boot_id: str) -> bool:
    """Is a collector on the windows' machine?"""
    boot = series.tags.get("boot_id")
    return series.tags["host"] == host if boot is None else boot == boot_id


def _in_all(windows: Sequence[WindowData], series: Sequence[Sequence[FieldSeries]]) -> float | None:
    """CPU seconds of a part in all windows; None if it is not known of each, once."""
    grown = [
        part.fields["cpu_seconds"].growth(data.window.start_ns, data.window.end_ns)
        for data, around in zip(windows, series, strict=True)
        for part in around
    ]
    known = [value for value in grown if value is not None]
    return sum(known) if len(known) == len(windows) == len(grown) else None
