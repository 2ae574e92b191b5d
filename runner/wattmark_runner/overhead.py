"""What measuring itself costs: CPU time of Wattmark's own programs on the machine it measures.

Exporter and collector publish theirs, so that it is known in the store wherever they run; of the
program that carries out a run it is read at the edges of its windows. Not of the worker: what that
does is the inference, but for two stamps of the clock a window.
"""

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from wattmark_core.results import Phase, Window
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.records import RunRecord
from wattmark_store import SeriesData, Store

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
AROUND_NS: Final = seconds_to_ns(15.0)
"""How far outside a window samples of CPU time are looked for: the collector's may come every
10 s."""


def counts(window: Window) -> bool:
    """Is the window one of those over which overhead is told? Those of work that were stamped
    here."""
    return window.clock == "host" and window.phase is not Phase.IDLE


def added(constants: Mapping[str, float], cpu_ns: int) -> dict[str, float]:
    """A run's constants with this process's CPU time in one more of its windows."""
    return {
        **constants,
        RUNNER: constants.get(RUNNER, 0.0) + ns_to_seconds(cpu_ns),
        CPUS: float(os.cpu_count() or 1),
    }


def tell(record: RunRecord, store: Store) -> None:
    """Complete the run's constants with what the store holds: CPU seconds of exporter and
    collector in its windows, and the share of all cores that all three took.

    What is not known is left out, and then there is no share, but a notice: it would be too small.
    What was known before stays when samples are gone. Raises ``StoreError``.
    """
    windows = [window for window in record.windows if counts(window)]
    if not windows or RUNNER not in record.constants:
        return
    found = spent(windows, record.constants, store)
    before = record.constants
    if RATIO in found or before.get(SECONDS) != found[SECONDS] or RATIO not in before:
        ours = {SECONDS, RATIO, *map(_name, PUBLISHED)}
        others = {name: value for name, value in before.items() if name not in ours}
        record.constants = {**others, **found}
    record.notices = [notice for notice in record.notices if notice != NOT_SEEN]
    if RATIO not in record.constants:
        record.notices.append(NOT_SEEN)


def spent(
    windows: Sequence[Window], constants: Mapping[str, float], store: Store
) -> dict[str, float]:
    """The seconds of ``windows``, of one host, the CPU seconds in them of each part that is known,
    and the share if all are. ``constants`` hold the runner's and the number of CPUs.

    A collector on another host than the windows' takes nothing of it.
    """
    parts = {name: _in_all(name, windows, store) for name in PUBLISHED}
    if parts["collector"] is None and _elsewhere(windows, store):
        del parts["collector"]
    seconds = sum(window.seconds for window in windows)
    known = {_name(name): value for name, value in parts.items() if value is not None}
    found = {SECONDS: seconds, **known}
    if len(known) == len(parts) and seconds > 0.0:
        own = constants[RUNNER] + sum(known.values())
        found[RATIO] = own / (constants[CPUS] * seconds)
    return found


def _name(part: str) -> str:
    return f"overhead.{part}_cpu_seconds"


def _in_all(part: str, windows: Sequence[Window], store: Store) -> float | None:
    """CPU seconds of a part in all windows; None if it is not known of each."""
    grown = [
        _growth(data, window)
        for window in windows
        for data in store.series(part, *_around(window), {"host": window.host})
        if "cpu_seconds" in data.fields
    ]
    known = [value for value in grown if value is not None]
    return sum(known) if len(known) == len(windows) == len(grown) else None


def _growth(data: SeriesData, window: Window) -> float | None:
    """In the window, between samples in proportion to time; None if they do not reach beyond both
    of its edges, or fall: then it was restarted."""
    samples = [
        (time_ns, value)
        for time_ns, value in zip(data.times_ns, data.fields["cpu_seconds"], strict=True)
        if value is not None
    ]
    before = [index for index, (time_ns, _) in enumerate(samples) if time_ns <= window.start_ns]
    after = [index for index, (time_ns, _) in enumerate(samples) if time_ns >= window.end_ns]
    if not before or not after:
        return None
    used = samples[before[-1] : after[0] + 1]
    if any(second < first for (_, first), (_, second) in pairwise(used)):
        return None
    return sum(
        (value - earlier) * _share(start_ns, end_ns, window)
        for (start_ns, earlier), (end_ns, value) in pairwise(used)
    )


def _share(start_ns: int, end_ns: int, window: Window) -> float:
    """Of the time from start to end, that which lies in the window."""
    inside_ns = min(end_ns, window.end_ns) - max(start_ns, window.start_ns)
    return inside_ns / (end_ns - start_ns)


def _elsewhere(windows: Sequence[Window], store: Store) -> bool:
    """Does the store hear of collectors, and of none on the windows' host?"""
    hosts = {
        data.tag["host"]
        for window in windows
        for data in store.series("collector", *_around(window), {})
    }
    return bool(hosts) and windows[0].host not in hosts


def _around(window: Window) -> tuple[int, int]:
    return window.start_ns - AROUND_NS, window.end_ns + AROUND_NS
