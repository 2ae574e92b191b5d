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
from wattmark_runner.records.model import RunRecord
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
    What was known before, of as many seconds, stays when samples are gone. Raises ``StoreError``.
    """
    windows = [window for window in record.windows if counts(window)]
    if not windows or RUNNER not in record.constants:
        return
    found = spent(windows, record.constants, store, record.boot_id)
    before = record.constants
    if RATIO in found or before.get(SECONDS) != found[SECONDS] or RATIO not in before:
        ours = {SECONDS, RATIO, *map(_name, PUBLISHED)}
        others = {name: value for name, value in before.items() if name not in ours}
        record.constants = {**others, **found}
    record.notices = [notice for notice in record.notices if notice != NOT_SEEN]
    if RATIO not in record.constants:
        record.notices.append(NOT_SEEN)


def spent(
    windows: Sequence[Window], constants: Mapping[str, float], store: Store, boot_id: str
) -> dict[str, float]:
    """The seconds of ``windows``, of one host, the CPU seconds in them of each part that is known,
    and the share if all are. ``constants`` hold the runner's and the number of CPUs.

    A collector on another machine takes nothing of the windows': it runs on another boot than
    ``boot_id``. One that does not tell its boot is theirs if it has their host's name; if it has
    another, it is not known where it is.
    """
    collectors = [_near("collector", window, store, {}) for window in windows]
    parts = {
        "exporter": _in_all(
            windows, [_near("exporter", w, store, {"host": w.host}) for w in windows]
        ),
        "collector": _in_all(
            windows, [[d for d in found if _here(d, windows[0], boot_id)] for found in collectors]
        ),
    }
    heard = [data for found in collectors for data in found]
    if heard and all("boot_id" in d.tag and not _here(d, windows[0], boot_id) for d in heard):
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


def _near(part: str, window: Window, store: Store, tags: Mapping[str, str]) -> list[SeriesData]:
    """What a part published around a window."""
    around = window.start_ns - AROUND_NS, window.end_ns + AROUND_NS
    return [each for each in store.series(part, *around, tags) if "cpu_seconds" in each.fields]


def _here(data: SeriesData, window: Window, boot_id: str) -> bool:
    """Is a collector on the window's machine?"""
    told = data.tag.get("boot_id")
    return data.tag["host"] == window.host if told is None else told == boot_id


def _in_all(windows: Sequence[Window], found: Sequence[Sequence[SeriesData]]) -> float | None:
    """CPU seconds of a part in all windows; None if it is not known of each, once."""
    grown = [
        _growth(data, window)
        for window, around in zip(windows, found, strict=True)
        for data in around
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
