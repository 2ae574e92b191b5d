"""After a run's last window: wait for its samples, mark what overlaps, score."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.errors import StoreUnavailable
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check, Score, Verdict, Window
from wattmark_core.units import seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.overhead import counts, tell
from wattmark_runner.scoring.pinning import counted
from wattmark_runner.scoring.publishing import publish
from wattmark_runner.scoring.scorer import score_run
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.waiting import pause
from wattmark_scoring.formula import Formula
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, NETSCORE
from wattmark_store import Store

SAMPLES_SECONDS: Final = 60.0
"""How long scoring waits for the samples beyond the run's end."""
AWAY_SECONDS: Final = 300.0
"""How long scoring waits for a store whose server does not answer."""
AWAY_TURN_SECONDS: Final = 2.0
BEYOND_NS: Final = seconds_to_ns(30.0)
"""How far beyond the end such a sample is looked for: as far as the store looks for edges."""
HOST_SECONDS: Final = 5.0
"""How long beyond that for the host's, which are read once a second and fetched every two seconds:
checks want them, scores do not."""
HOST: Final = ("cpu", "exporter")
"""What the host's checks read: foreign CPU time is all but the worker's and the exporter's own."""
COLLECTOR: Final = "collector"
"""What the overhead needs beside the exporter's, of the windows that it is told of."""
LATE: Final = "late samples"
INTERRUPTED: Final = "telemetry"


def settle(
    record: RunRecord,
    store: Store,
    *,
    limit_seconds: float = SAMPLES_SECONDS,
    cancel: threading.Event | None = None,
    open_windows: Callable[[], Sequence[Window]] = tuple,
    formulas: Sequence[Formula] = (),
) -> None:
    """Score the windows of ``record``, which says afterwards in ``reason`` why it is not whole.

    ``open_windows``: those of other programs that have not closed yet. A reason that is there
    already stays, unless it was that samples came late: they may be here now. A store that is
    away is waited for. Raises ``StoreError``, and ``Cancelled`` when ``cancel`` is set; the record
    is then not ``published``: a result of before may be gone from the store. Nor is it where the
    store went away when it had the scores and not all that is shown of them.
    """
    record.published = False
    reason, deadline = record.reason, time.monotonic() + AWAY_SECONDS
    while True:
        try:
            _settle(record, store, limit_seconds, cancel, open_windows, formulas)
        except StoreUnavailable as error:
            record.reason = reason
            if time.monotonic() > deadline:
                late = Check(LATE, Verdict.INVALID, None, None, "", str(error))
                record.checks = (*record.checks, late)  # scoring again clears it
                raise
            pause(AWAY_TURN_SECONDS, lambda _: None, cancel)
        else:
            return


def _settle(
    record: RunRecord,
    store: Store,
    limit_seconds: float,
    cancel: threading.Event | None,
    open_windows: Callable[[], Sequence[Window]],
    formulas: Sequence[Formula],
) -> None:
    if any(check.name == LATE for check in record.checks):
        record.reason = ""
    name = INTERRUPTED
    if not record.reason:
        record.reason = _await_samples(record, store, limit_seconds, cancel)
        name = LATE
    # Another program's window may have closed, and marked ours, in the meantime.
    others = open_windows()
    record.windows = [put_marked(window, store, others) for window in record.windows]
    whole = {window.window_id: window.complete for window in record.windows}
    tell(record, store)
    score_run(record, store, formulas)
    if record.reason:
        check = Check(name, Verdict.INVALID, None, None, "", record.reason)
        _invalidate(record, check, whole, store)


def _await_samples(
    record: RunRecord, store: Store, limit_seconds: float, cancel: threading.Event | None
) -> str:
    """Wait until every counter that counts has a sample beyond the end; else say which not."""
    end_ns = max(window.end_ns for window in record.windows)
    deadline = time.monotonic() + limit_seconds
    inside = counted(record.series, record.request)
    while True:
        missing = [each for each in inside if not _sampled_beyond(record, store, each, end_ns)]
        if not missing:
            _await_host(record, store, end_ns, cancel)
            return ""
        if time.monotonic() > deadline:
            names = ", ".join(f"{each.source} {each.domain} {each.device}" for each in missing)
            return f"no sample of {names} arrived within {limit_seconds:g} s of the run's end"
        pause(0.25, lambda _: None, cancel)


def _await_host(
    record: RunRecord, store: Store, end_ns: int, cancel: threading.Event | None
) -> None:
    """Wait for CPU times beyond the end, if any came shortly before it."""
    deadline = time.monotonic() + HOST_SECONDS
    host = {"host": record.host}
    wanted = [(name, host, end_ns) for name in HOST]
    if told := [window.end_ns for window in record.windows if counts(window)]:
        wanted += [(COLLECTOR, tags, max(told)) for tags in (host, {"boot_id": record.boot_id})]
    while time.monotonic() < deadline:
        if all(_has_beyond(name, tags, store, end) for name, tags, end in wanted):
            return
        pause(0.25, lambda _: None, cancel)


def _has_beyond(name: str, tags: Mapping[str, str], store: Store, end_ns: int) -> bool:
    found = store.series(name, end_ns - BEYOND_NS, end_ns + BEYOND_NS, tags)
    return all(data.times_ns[-1] > end_ns for data in found)


def _sampled_beyond(record: RunRecord, store: Store, series: EnergySeries, end_ns: int) -> bool:
    tags = {"host": record.host, **series.tags}
    found = store.series("energy", end_ns, end_ns + BEYOND_NS, tags)
    beyond_ns = end_ns + seconds_to_ns(series.averaging_seconds / 2.0)  # it lags by so much
    return any(data.times_ns and data.times_ns[-1] > beyond_ns for data in found)


def _invalidate(record: RunRecord, check: Check, whole: dict[str, bool], store: Store) -> None:
    """A run whose samples were interrupted is never scored as if whole."""
    record.checks = (*record.checks, check)
    record.scores = tuple(_invalidated(score, check) for score in record.scores)
    record.windows = [
        replace(window, complete=window.complete and whole[window.window_id])
        for window in record.windows
    ]
    record.published = publish(record, store)


def _invalidated(score: Score, check: Check) -> Score:
    if score.formula in {ACCURACY_PER_PARAMETER, NETSCORE}:
        return score  # they rest on no energy
    return replace(score, verdict=Verdict.INVALID, checks=(*score.checks, check))
