"""A run: idle baseline, load, warm-up, R measured repeats, idle baseline, score."""

import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from wattmark_core.clock import SystemClock
from wattmark_core.codec import to_json
from wattmark_core.errors import RunError, StoreError, StoreUnavailable
from wattmark_core.exporter_api import ExporterAddress, HostReport
from wattmark_core.results import Phase, Window
from wattmark_runner.errors import Cancelled
from wattmark_runner.execution.baseline import idle_window
from wattmark_runner.execution.fetch_weights import fetch_weights
from wattmark_runner.execution.measured_work import load_command, measure
from wattmark_runner.execution.progress import Plan, Progress, expected_stages
from wattmark_runner.execution.request import check_request, new_run
from wattmark_runner.execution.under_way import ALONE, Hooks, RunUnderWay
from wattmark_runner.execution.worker_places import of_store
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.await_samples import SAMPLES_SECONDS
from wattmark_runner.scoring.pinning import counted, guard_seconds, window_seconds
from wattmark_runner.scoring.run import score_when_sampled
from wattmark_runner.windows.exporter_link import ExporterLink
from wattmark_runner.windows.measured_host import measured_host
from wattmark_runner.windows.waiting import pause
from wattmark_runner.workloads import DATA_ROOT, Workload, find_workload
from wattmark_runner.workloads.pretrained import to_download
from wattmark_scoring.boundary import pin_sources
from wattmark_store import Store

DEAD_SAMPLES_SECONDS: Final = 5.0
"""How long scoring waits for samples of an exporter that does not answer any more: those that it
took before are still on their way."""
REST_SECONDS: Final = 1.0
"""A machine's power falls for a while after a load; a baseline does not begin at once."""


def execute(
    request: RunRequest,
    *,
    exporter_url: str | ExporterAddress,
    store: Store,
    cache: Path,
    log: Path,
    progress: Callable[[Progress], None],
    idle_before: Window | None = None,
    cancel: threading.Event | None = None,
    workload: Workload | None = None,
    data_root: Path = DATA_ROOT,
    private: Iterable[Path] = (),
) -> RunRecord:
    """Check a request and carry it out; see ``carry_out``.

    ``workload``: what the request's name means; None: the built-in one.
    """
    workload = workload or find_workload(request.workload)
    record = new_run(check_request(request, workload))
    carry_out(
        record, workload, exporter_url=exporter_url, store=store, cache=cache, log=log,
        progress=progress, idle_before=idle_before, cancel=cancel, data_root=data_root,
        private=private,
    )  # fmt: skip
    return record


def carry_out(
    record: RunRecord,
    workload: Workload,
    *,
    exporter_url: str | ExporterAddress,
    store: Store,
    cache: Path,
    log: Path,
    progress: Callable[[Progress], None],
    idle_before: Window | None = None,
    cancel: threading.Event | None = None,
    hooks: Hooks = ALONE,
    data_root: Path = DATA_ROOT,
    private: Iterable[Path] = (),
) -> None:
    """Carry out a queued run from beginning to end; on return, all its processes are gone.

    ``idle_before``: a baseline measured already (``last_idle`` of the run before). ``log`` gets
    what the worker prints; ``private`` files and folders, and the store's, are out of its
    reach. What breaks during the run is in the record: its state and reason.
    Raises ``ConfigurationError`` or ``ExporterError`` when nothing could be started, ``StoreError``
    when results cannot be kept.
    """
    _begin(record, workload, measured_host(exporter_url, store))
    if idle_before is not None:
        record.windows.append(idle_before)
    rest = float(record.request.parameters["pause_seconds"]) if workload.keras else 0.0
    with ExporterLink(exporter_url) as exporter:
        _carry_out(
            RunUnderWay(
                record, workload, hooks, store, exporter, cancel or threading.Event(),
                Plan(expected_stages(record, rest), progress), cache, log, data_root,
                (*private, *of_store(store)),
            )
        )  # fmt: skip


def last_idle(record: RunRecord) -> Window | None:
    """The baseline measured after a run, to go before the next; None if there is none."""
    windows = record.windows
    return windows[-1] if windows and windows[-1].phase is Phase.IDLE else None


def _begin(record: RunRecord, workload: Workload, report: HostReport) -> None:
    """Fill in host, time base and counters. Raises ``ConfigurationError`` if one is missing."""
    series = pin_sources(report.energy)
    inside = counted(series, record.request)
    record.series = series
    record.host, record.boot_id = report.host, report.boot_id
    record.exporter_instance, record.offset_ns = report.instance, report.offset_ns
    record.started_ns = SystemClock().boottime_ns() + report.offset_ns
    record.environment = {"exporter": report.version}
    record.definition = _definition(workload)
    record.constants = {
        f"{sensor.name}.{name}": value
        for sensor in report.sensors
        for name, value in sensor.constants
    }
    record.constants["window_seconds"] = record.request.seconds or window_seconds(inside)
    record.constants["guard_seconds"] = guard_seconds(inside)


def _definition(workload: Workload) -> dict[str, Any]:
    """What is needed to repeat the run, beside the request."""
    body: dict[str, Any] = to_json(workload)
    names = ("builtin", "keras", "entry_point", "command", "limits")
    return {
        **{name: body[name] for name in names},
        "defaults": {parameter.name: parameter.default for parameter in workload.parameters},
    }


def _carry_out(run: RunUnderWay) -> None:
    """All phases, whatever happens in them; the record is saved at the end of each."""
    record, save = run.record, run.hooks.save
    record.state = RunState.RUNNING
    save(record)
    try:
        _fetch(run)
        if _idle(run, "idle before", record.request.idle_before_seconds):
            save(record)
        measure(run)
        save(record)
        if not run.exporter_lost:  # a baseline that nobody samples is time lost
            _idle(run, "idle after", record.request.idle_after_seconds)
        run.note_holders()
        record.state = RunState.SCORING
        save(record)
        _score(run)
        record.state = RunState.FAILED if record.reason else RunState.DONE
    except Cancelled:
        record.state, record.reason = RunState.CANCELLED, "cancelled"
    except StoreUnavailable as error:
        record.state = RunState.FAILED
        record.reason = f"{error}; then score the run again, its windows are kept"
    except RunError as error:
        record.state, record.reason = RunState.FAILED, _with_limit(run.workload, str(error))
    except StoreError as error:
        record.state, record.reason = RunState.FAILED, str(error)
        raise
    except BaseException as error:
        record.state, record.reason = RunState.INTERRUPTED, type(error).__name__
        raise
    finally:
        record.ended_ns = SystemClock().boottime_ns() + record.offset_ns
        save(record)


def _with_limit(workload: Workload, reason: str) -> str:
    """Native code that gets no memory does not report it: it aborts, or goes on with nothing."""
    limit = workload.limits.memory_bytes
    if limit is None or not re.search("killed by SIG(ABRT|SEGV|BUS)", reason):
        return reason
    return (
        f"{reason}; its memory is limited to {limit} bytes ([workloads.NAME.limits]"
        " memory_bytes), perhaps too few"
    )


def _fetch(run: RunUnderWay) -> None:
    """What has to be downloaded first, so that the idle baseline is not for nothing."""
    request, workload = run.record.request, run.workload
    if to_download(workload, request.model, request.parameters):
        run.plan.at("idle before", 0.0, f"downloading the weights of {request.model}")
        fetch_weights(load_command(run), run.log, run.cancel, workload.limits.seconds, run.private)


def _idle(run: RunUnderWay, stage: str, seconds: float) -> bool:
    """A baseline; False if none was asked for."""
    if seconds <= 0:
        return False

    def report(fraction: float) -> None:
        run.plan.at(stage, fraction, "idle baseline")

    pause(max(REST_SECONDS, run.record.constants["guard_seconds"]), lambda _: None,
          run.cancel)  # fmt: skip
    idle = idle_window(seconds, run.stamping, run.exporter, report, run.cancel, run.record.run_id)
    run.add_window(*idle)
    return True


def _score(run: RunUnderWay) -> None:
    model = run.record.request.model
    run.plan.at("score", 0.0, f"scoring {model}")
    score_when_sampled(
        run.record,
        run.store,
        limit_seconds=DEAD_SAMPLES_SECONDS if run.exporter_lost else SAMPLES_SECONDS,
        cancel=run.cancel,
        open_windows=run.hooks.open_windows,
        formulas=run.hooks.formulas,
    )
    run.plan.at("score", 1.0, f"scored {model}")
