"""After a run's last window: wait for the samples that its scores are made of."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Window
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.overhead import counts
from wattmark_runner.scoring.pinning import counted
from wattmark_runner.scoring.reading import (
    beyond_ns,
    energy_tags,
    outside_seconds,
    power_tags,
    reach_ns,
)
from wattmark_runner.windows.waiting import pause
from wattmark_store import Selection, SeriesData, Store

SAMPLES_SECONDS: Final = 60.0
"""How long scoring waits for the counters' samples beyond the run's end."""
AROUND_NS: Final = seconds_to_ns(30.0)
"""How far from the end samples are looked for: as far as scoring looks for those of a counter."""
REST_SECONDS: Final = 5.0
"""How long beyond that for the others, which are read once a second and fetched every two seconds:
they make checks and means, and the interval narrower."""
POLL_SECONDS: Final = 0.25
HOST: Final = ("cpu", "memory", "exporter")
"""What checks and means are made of, beside the GPU."""
COLLECTOR: Final = "collector"
"""What the overhead is made of beside the exporter's, in the windows that it is stated for."""


@dataclass(frozen=True, slots=True)
class _Awaited:
    """Series that are to have a sample later than ``beyond_ns``.

    ``if_seen``: those alone that have a sample shortly before; else there must be one.
    """

    measurement: str
    tags: dict[str, str]
    beyond_ns: int
    if_seen: bool = True
    around_ns: int = AROUND_NS

    def selection(self) -> Selection:
        """What to read of the store to see them."""
        first_ns = self.beyond_ns - self.around_ns if self.if_seen else self.beyond_ns + 1
        return Selection(self.measurement, first_ns, self.beyond_ns + self.around_ns, self.tags)

    def arrived(self, answer: Sequence[SeriesData]) -> bool:
        """Whether the answer to ``selection`` holds what is awaited."""
        later = [data.times_ns[-1] > self.beyond_ns for data in answer]
        return all(later) if self.if_seen else any(later)


def await_samples(
    record: RunRecord, store: Store, limit_seconds: float, cancel: threading.Event | None
) -> str:
    """Wait until every counter that counts has a sample beyond the run's end; else return which
    have none. Then wait a little for all others that are read.

    Raises ``StoreError``, and ``Cancelled`` when ``cancel`` is set.
    """
    end_ns = max(window.end_ns for window in record.windows)
    needed = [
        _energy(record.host, series, end_ns + beyond_ns(series))
        for series in counted(record.series, record.request)
    ]
    if needed:  # a counter that ticks every 15 s is given the time
        slowest_ns = max(series.around_ns for series in needed)
        limit_seconds += ns_to_seconds(slowest_ns - AROUND_NS)
    missing = _await(needed, store, limit_seconds, cancel)
    if missing:
        names = ", ".join(
            f"{series.tags['source']} {series.tags['domain']} {series.tags['device']}"
            for series in missing
        )
        return f"no sample of {names} arrived within {limit_seconds:g} s of the run's end"
    _await_rest([*_counters(record, end_ns), *_machine(record, end_ns)], end_ns, store, cancel)
    return ""


def await_window(
    window: Window, pinned: Sequence[EnergySeries], store: Store, limit_seconds: float
) -> None:
    """Wait for the counters' samples that the energy of one window is made of, or until the limit
    is over. Raises ``StoreError``."""
    needed = [_energy(window.host, s, window.end_ns + beyond_ns(s)) for s in pinned]
    if not _await(needed, store, limit_seconds, None):
        reached = [_energy(window.host, s, window.end_ns + reach_ns(s)) for s in pinned]
        _await_rest(reached, window.end_ns, store, None)


def _energy(host: str, series: EnergySeries, beyond_ns: int) -> _Awaited:
    around_ns = seconds_to_ns(outside_seconds(series))
    return _Awaited("energy", energy_tags(host, series), beyond_ns, False, around_ns)


def _counters(record: RunRecord, end_ns: int) -> Iterator[_Awaited]:
    """All of them, as far as their samples count, and the power of the same sensors."""
    for series in record.series:
        last_ns = end_ns + reach_ns(series)
        yield _Awaited("energy", energy_tags(record.host, series), last_ns)
        yield _Awaited("power", power_tags(record.host, series), last_ns)


def _machine(record: RunRecord, end_ns: int) -> Iterator[_Awaited]:
    host = {"host": record.host}
    for measurement in HOST:
        yield _Awaited(measurement, host, end_ns)
    for gpu in record.request.gpus:
        yield _Awaited("gpu", {**host, "device": gpu}, end_ns)
    if stated := [window.end_ns for window in record.windows if counts(window)]:
        for tags in (host, {"boot_id": record.boot_id}):
            yield _Awaited(COLLECTOR, tags, max(stated))


def _await_rest(
    awaited: Sequence[_Awaited], end_ns: int, store: Store, cancel: threading.Event | None
) -> None:
    reach = max((series.beyond_ns for series in awaited), default=end_ns) - end_ns
    _await(awaited, store, REST_SECONDS + ns_to_seconds(reach), cancel)


def _await(
    awaited: Sequence[_Awaited], store: Store, limit_seconds: float,
    cancel: threading.Event | None,
) -> list[_Awaited]:  # fmt: skip
    """Those that are not there when the limit is over; one call of the store at each look."""
    deadline = time.monotonic() + limit_seconds
    missing = list(awaited)
    while missing:
        answers = store.select([series.selection() for series in missing])
        missing = [e for e, answer in zip(missing, answers, strict=True) if not e.arrived(answer)]
        if not missing or time.monotonic() > deadline:
            break
        pause(POLL_SECONDS, lambda _: None, cancel)
    return missing
