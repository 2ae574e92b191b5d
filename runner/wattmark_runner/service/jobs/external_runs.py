"""The run that windows of code elsewhere belong to, and what such a window must keep to.

Pure but for ``check_times``, which looks for samples in the store.
"""

import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core import labels
from wattmark_core.clock import SystemClock
from wattmark_core.exporter_api import EnergySeries, HostReport
from wattmark_core.results import Phase, Window
from wattmark_core.units import seconds_to_ns
from wattmark_runner.errors import Conflict, Invalid
from wattmark_runner.execution.request import new_run_id
from wattmark_runner.records.model import RunRecord, RunRequest, RunSource, RunState
from wattmark_runner.records.window_request import WindowRequest, WindowResults
from wattmark_runner.scoring.pinning import counted
from wattmark_scoring.boundary import pin_sources
from wattmark_scoring.counts import impossible_cpu_time, why_impossible
from wattmark_store import Store

FUTURE_NS: Final = seconds_to_ns(1.0)
"""How far a client's clock may be ahead of ours."""
RECENT_NS: Final = seconds_to_ns(60.0)
"""Samples of an end less than this ago may still be on their way."""
LONGEST_NS: Final = seconds_to_ns(86_400.0)
"""As an open window may last."""
OLDEST_NS: Final = 7 * LONGEST_NS
"""What was so long ago nobody remembers to the second, and its machine was another one's."""
TAKES_WINDOWS: Final = (RunState.RUNNING, RunState.SCORING, RunState.DONE, RunState.FAILED)
"""States of an external run that takes one more window."""


def new_run(request: WindowRequest, report: HostReport, machine: Mapping[str, str]) -> RunRecord:
    """A run for a first window. Raises ``Invalid``, and ``ConfigurationError`` if the exporter has
    no counter that its boundary needs. ``machine``: what the numbers depend on, for its record."""
    _require_names(request.phase, request.model, request.workload)
    series = pin_sources(report.energy)
    counted_of(series, request)
    now = SystemClock().boottime_ns() + report.offset_ns
    return RunRecord(
        new_run_id(request.model), _as_run(request), RunState.RUNNING, report.host,
        report.boot_id, report.instance, report.offset_ns, started_ns=now,
        created_ns=time.time_ns(), source=RunSource.EXTERNAL, series=series,
        environment={"exporter": report.version, **machine}, test_images=request.test_images,
    )  # fmt: skip


def joined(record: RunRecord, request: WindowRequest) -> RunRecord:
    """The external run ``record``, ready for one more window. Raises ``Invalid``, ``Conflict``."""
    if record.source is not RunSource.EXTERNAL:
        raise Conflict("is a run of the runner's own; leave it out to make one", "run_id")
    if record.state not in TAKES_WINDOWS:
        raise Conflict(f"is {record.state}; leave it out to make another", "run_id")
    names = {}
    for name in ("model", "workload"):
        current, requested = getattr(record.request, name), getattr(request, name)
        if current and requested and current != requested:
            text = f"is {current} in this run; leave out run_id to make another run"
            raise Invalid(text, name)
        names[name] = current or requested
    _require_names(request.phase, names["model"], names["workload"])
    record.request = replace(record.request, **names)
    record.test_images = record.test_images or request.test_images
    return record


def new_window(request: WindowRequest, record: RunRecord, start_ns: int, end_ns: int) -> Window:
    """A window of the run, Unix ns."""
    repeat = sum(window.phase is request.phase for window in record.windows)
    return Window(
        uuid.uuid4().hex, record.host, request.phase, start_ns, end_ns,
        request.model or record.request.model, request.workload or record.request.workload,
        record.run_id, repeat, request.label,
    )  # fmt: skip


def leave_out(record: RunRecord, window: Window) -> None:
    """Take a window that was withdrawn out of its run. Without windows it has no score."""
    record.windows = [own for own in record.windows if own.window_id != window.window_id]
    record.facts.pop(window.window_id, None)
    update_totals(record)
    if not record.windows:
        record.scores, record.checks = (), ()
        record.reason, record.published = "its windows were withdrawn", False


def update_totals(record: RunRecord) -> None:
    """Repeats and accuracy of an external run, from its windows."""
    windows = [window for window in record.windows if window.phase is Phase.INFERENCE]
    record.request = replace(record.request, repeats=max(1, len(windows)))
    inferences = sum(window.inferences or 0 for window in windows)
    correct = [window.correct for window in windows if window.correct is not None]
    whole = inferences > 0 and len(correct) == len(windows)
    record.accuracy = sum(correct) / inferences if whole else None


def counted_of(series: Sequence[EnergySeries], request: WindowRequest) -> Sequence[EnergySeries]:
    """The counters that the window's boundary needs. Raises ``ConfigurationError``."""
    return counted(series, _as_run(request))


def check_counts(results: WindowResults, seconds: float | None = None) -> None:
    """Raise ``Invalid`` for counts that cannot be of a window of ``seconds``, where that is known:
    more correct ones than inferences, or more of these, or of CPU time, than a machine can do."""
    wrong = why_impossible(results.inferences, results.correct, seconds)
    if wrong is None and seconds is not None:
        wrong = impossible_cpu_time(results.cpu_seconds, seconds, os.cpu_count() or 1)
    if wrong is not None:
        raise Invalid(wrong.reason, wrong.field)


def check_times(
    store: Store, host: str, series: Sequence[EnergySeries], start_ns: int, end_ns: int
) -> None:
    """Raise ``Invalid`` for times that no sample of each of ``series`` lies around."""
    now = time.time_ns()
    if end_ns <= start_ns:
        raise Invalid("ends before it starts, or at once", "end_ns")
    if end_ns > now + FUTURE_NS:
        raise Invalid("lies in the future; post the window when it is over", "end_ns")
    if end_ns - start_ns > LONGEST_NS:
        hours = (end_ns - start_ns) / 3.6e12
        text = f"lies {hours:.0f} h before the end; a window lasts a day at most"
        raise Invalid(text, "start_ns")
    if end_ns < now - OLDEST_NS:
        days = (now - end_ns) / 8.64e13
        raise Invalid(f"lies {days:.0f} days back; post a window within a week", "end_ns")
    for counter in series:
        edges = store.edges("energy", start_ns, end_ns, {"host": host, **counter.tags})
        times = [time_ns for data in edges for time_ns in data.times_ns]
        name = f"{labels.counter(counter.domain, counter.device)} of {counter.source}"
        missing = f"{name} has no sample at that time; nothing was measured"
        if not any(time_ns <= start_ns for time_ns in times):
            raise Invalid(missing, "start_ns")
        if end_ns < now - RECENT_NS and not any(time_ns >= end_ns for time_ns in times):
            raise Invalid(missing, "end_ns")


def _as_run(request: WindowRequest) -> RunRequest:
    return RunRequest(
        request.workload, request.model, repeats=1, warmup_seconds=0.0, idle_before_seconds=0.0,
        idle_after_seconds=0.0, boundary=request.boundary, gpu=request.gpu, owner=request.owner,
        labels=dict(request.labels),
    )  # fmt: skip


def _require_names(phase: Phase, model: str, workload: str) -> None:
    if phase is Phase.IDLE:
        return
    for name, value in (("model", model), ("workload", workload)):
        if not value:
            raise Invalid("is needed: scores are told apart by it", name)
