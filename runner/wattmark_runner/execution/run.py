"""A run: idle baseline, load, warm-up, R measured repeats, idle baseline, score."""

import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from wattmark_core.clock import SystemClock
from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError, RunError, StoreUnavailable
from wattmark_core.exporter_api import EnergySeries, ExporterAddress, HostReport
from wattmark_core.results import Phase, Window
from wattmark_runner.execution.baseline import idle_window, measure_idle
from wattmark_runner.execution.fetch_weights import fetch_weights
from wattmark_runner.execution.progress import Plan, Progress
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.await_samples import SAMPLES_SECONDS
from wattmark_runner.scoring.overhead import added
from wattmark_runner.scoring.pinning import counted, guard_seconds, window_seconds
from wattmark_runner.scoring.run import score_when_sampled
from wattmark_runner.windows.exporter_link import Edge as WindowEdge
from wattmark_runner.windows.exporter_link import ExporterLink, TimeBase, read_host
from wattmark_runner.windows.overlap import put_marked
from wattmark_runner.windows.stamping import Frame
from wattmark_runner.windows.waiting import Cancelled, pause
from wattmark_runner.worker.protocol import (
    Done,
    Edge,
    Event,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    Step,
    Trained,
)
from wattmark_runner.workloads import DATA_ROOT, Workload, find_workload
from wattmark_runner.workloads.pretrained import require_weights, to_download
from wattmark_scoring.boundary import pin_sources
from wattmark_scoring.formula import Formula
from wattmark_store import Store

__all__ = ["execute", "last_idle", "measure_idle"]

DEAD_SAMPLES_SECONDS: Final = 5.0
"""How long scoring waits for samples when the exporter does not answer any more: what it took is
still on its way."""
SETTLE_SECONDS: Final = 1.0
"""A machine's power falls for a while after a load; a baseline does not begin at once."""
LOAD_SECONDS: Final = 6.0
TRAIN_SECONDS: Final = 15.0
SCORE_SECONDS: Final = 3.0
"""Expected lengths, for the time left alone."""


def nothing(_: RunRecord) -> None:
    """Keeps nothing."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a queue of runs has beside each; the defaults suit a run on its own.

    ``run_id`` and ``created_ns`` were given to the run when it was asked for. ``keep`` is called
    with the record whenever something in it is worth keeping. ``open_windows``: windows of other
    programs that have not closed yet. ``formulas``: scores beside the built-in ones.
    """

    run_id: str = ""
    created_ns: int = 0
    keep: Callable[[RunRecord], None] = nothing
    open_windows: Callable[[], Sequence[Window]] = tuple
    formulas: tuple[Formula, ...] = ()


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
    hooks: Hooks = Hooks(),
    workload: Workload | None = None,
    data_root: Path = DATA_ROOT,
) -> RunRecord:
    """Carry out a run from beginning to end; when it returns, all its processes are gone.

    ``idle_before``: a baseline measured already (``last_idle`` of the run before). ``log`` gets
    what the worker prints. ``workload``: what the request's name means; None: what is
    built in. What breaks during the run is in the record: its state and reason.
    Raises ``ConfigurationError`` or ``ExporterError`` when nothing could be started, ``StoreError``
    when results cannot be kept.
    """
    workload = workload or find_workload(request.workload)
    request = _validated(request, workload)
    report = read_host(exporter_url)
    series = pin_sources(report.energy)
    inside = counted(series, request)
    record = _new_record(request, report, series, inside, hooks)
    record.definition = _definition(workload)
    if idle_before is not None:
        record.windows.append(idle_before)
    with ExporterLink(exporter_url) as telemetry:
        run = _Run(
            record, hooks, store, telemetry, cancel or threading.Event(),
            Plan(_stages(record, workload), progress), cache, log, data_root, workload,
        )  # fmt: skip
        run.carry_out()
    return record


def last_idle(record: RunRecord) -> Window | None:
    """The baseline measured after a run, to go before the next; None if there is none."""
    windows = record.windows
    return windows[-1] if windows and windows[-1].phase is Phase.IDLE else None


def _validated(request: RunRequest, workload: Workload) -> RunRequest:
    """The request with all its parameters. Raises ``ConfigurationError``."""
    if request.repeats < 1:
        raise ConfigurationError("a run needs at least one repeat")
    lengths = (request.warmup_seconds, request.idle_before_seconds, request.idle_after_seconds)
    if min(lengths) < 0 or (request.seconds is not None and request.seconds <= 0):
        raise ConfigurationError("windows, warm-up and baselines cannot have negative lengths")
    parameters = workload.check(request.model, request.parameters)
    require_weights(workload, request.model, parameters)
    return replace(request, parameters=parameters)


def _new_record(
    request: RunRequest,
    report: HostReport,
    series: tuple[EnergySeries, ...],
    inside: tuple[EnergySeries, ...],
    hooks: Hooks,
) -> RunRecord:
    constants = {
        f"{sensor.name}.{name}": value
        for sensor in report.sensors
        for name, value in sensor.constants
    }
    constants["window_seconds"] = request.seconds or window_seconds(inside)
    constants["guard_seconds"] = guard_seconds(inside)
    return RunRecord(
        run_id=hooks.run_id or new_run_id(request.model),
        request=request,
        state=RunState.QUEUED,
        host=report.host,
        boot_id=report.boot_id,
        exporter_instance=report.instance,
        offset_ns=report.offset_ns,
        started_ns=SystemClock().boottime_ns() + report.offset_ns,
        created_ns=hooks.created_ns or time.time_ns(),
        series=series,
        constants=constants,
        environment={"exporter": report.version},
    )


def _definition(workload: Workload) -> dict[str, Any]:
    """What is needed to repeat the run, beside the request."""
    found: dict[str, Any] = to_json(workload)
    names = ("builtin", "keras", "entry_point", "command", "limits")
    return {
        **{name: found[name] for name in names},
        "defaults": {each.name: each.default for each in workload.parameters},
    }


def new_run_id(model: str) -> str:
    """A name that sorts by time, says what it is about, and can stand in a URL and a file name."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")[:40] or "run"
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug}-{uuid.uuid4().hex[:6]}"


def _stages(record: RunRecord, workload: Workload) -> dict[str, float]:
    request, guard = record.request, record.constants["guard_seconds"]
    windows = request.repeats * (record.constants["window_seconds"] + guard) + guard
    pause_seconds = float(request.parameters["pause_seconds"]) if workload.keras else 0.0
    if pause_seconds:
        windows += (request.repeats - 1) * (pause_seconds + guard)
    return {
        "idle before": request.idle_before_seconds,
        "load": LOAD_SECONDS,
        "warmup": request.warmup_seconds,
        "measure": windows,
        "idle after": request.idle_after_seconds,
        "score": SCORE_SECONDS,
    }


@dataclass(slots=True)
class _Run:
    """One run under way; fills ``record``."""

    record: RunRecord
    hooks: Hooks
    store: Store
    telemetry: ExporterLink
    cancel: threading.Event
    plan: Plan
    cache: Path
    log: Path
    data_root: Path
    workload: Workload
    edges: dict[tuple[str, int, bool], WindowEdge] = field(default_factory=dict)
    cpu_ns: dict[tuple[str, int, bool], int] = field(default_factory=dict)
    """What this process had taken at each edge."""

    def carry_out(self) -> None:
        """All stages, whatever happens in them."""
        record = self.record
        record.state = RunState.RUNNING
        self.hooks.keep(record)
        try:
            self._fetch()
            self._idle("idle before", record.request.idle_before_seconds)
            self._work()
            if not self.telemetry.failing:  # a baseline that nobody samples is time lost
                self._idle("idle after", record.request.idle_after_seconds)
            record.state = RunState.SCORING
            self.hooks.keep(record)
            self._score()
            record.state = RunState.FAILED if record.reason else RunState.DONE
        except Cancelled:
            record.state, record.reason = RunState.CANCELLED, "cancelled"
        except StoreUnavailable as error:
            record.state = RunState.FAILED
            record.reason = f"{error}; then score the run again, its windows are kept"
        except RunError as error:
            record.state, record.reason = RunState.FAILED, self._with_limit(str(error))
        except BaseException as error:
            record.state, record.reason = RunState.INTERRUPTED, type(error).__name__
            raise
        finally:
            record.ended_ns = SystemClock().boottime_ns() + record.offset_ns
            self.hooks.keep(record)

    def _with_limit(self, reason: str) -> str:
        """Native code that gets no memory does not say so: it aborts, or goes on with nothing."""
        limit = self.workload.limits.memory_bytes
        if limit is None or not re.search("killed by SIG(ABRT|SEGV|BUS)", reason):
            return reason
        return (
            f"{reason}; its memory is limited to {limit} bytes ([workloads.NAME.limits]"
            " memory_bytes), perhaps too few"
        )

    @property
    def frame(self) -> Frame:
        record = self.record
        return Frame(record.host, TimeBase(record.exporter_instance, record.offset_ns))

    def _idle(self, stage: str, seconds: float) -> None:
        if seconds <= 0:
            return

        def tell(fraction: float) -> None:
            self.plan.at(stage, fraction, "idle baseline")

        pause(max(SETTLE_SECONDS, self.record.constants["guard_seconds"]), lambda _: None,
              self.cancel)  # fmt: skip
        window = idle_window(
            seconds, self.frame, self.telemetry, tell, self.cancel, self.record.run_id
        )
        self._keep(window)

    def _fetch(self) -> None:
        """What has to be downloaded first, so that the idle baseline is not for nothing."""
        request, workload = self.record.request, self.workload
        if to_download(workload, request.model, request.parameters):
            self.plan.at("idle before", 0.0, f"downloading the weights of {request.model}")
            fetch_weights(self._load(), self.log, self.cancel, workload.limits.seconds)

    def _load(self) -> Load:
        request, workload = self.record.request, self.workload
        return Load(
            workload.builtin, request.model, dict(request.parameters), str(self.cache),
            str(self.data_root), request.gpu, workload.entry_point,
            workload.arguments(request.model, request.parameters), workload.limits.memory_bytes,
            workload.keras.given_to(request.model) if workload.keras else {},
        )  # fmt: skip

    def _work(self) -> None:
        """Load and measure; a worker that had to train is replaced by a fresh one."""
        if not self._one_worker() and not self._one_worker():
            raise RunError("the weights were trained but could not be loaded; see the run's log")

    def _one_worker(self) -> bool:
        """False: it trained the network, and another worker is to measure it."""
        limit_seconds = self.workload.limits.seconds
        gpu = self.record.request.gpu
        with WorkerProcess(self.log, gpu=gpu, on_edge=self._on_edge) as worker:
            worker.send(self._load())
            for event in worker.events(self.cancel, limit_seconds):
                if isinstance(event, Trained):
                    return False
                if isinstance(event, Loaded):
                    self._loaded(event)
                    self.telemetry.arm()
                    worker.send(self._measure())
                elif isinstance(event, Done):
                    self._done(event)
                    self.telemetry.disarm()
                    return True
                else:
                    self._note(event)
        raise Cancelled

    def _measure(self) -> Measure:
        constants, request = self.record.constants, self.record.request
        return Measure(request.repeats, constants["window_seconds"], constants["guard_seconds"],
                       request.warmup_seconds)  # fmt: skip

    def _on_edge(self, edge: Edge) -> None:
        """In the listening thread, at once: the sample at the edge must follow within 5 ms."""
        which = edge.phase, edge.repeat, edge.opening
        self.edges[which] = self.telemetry.edge(edge.time_ns)
        self.cpu_ns[which] = time.process_time_ns()

    def _note(self, event: Event) -> None:
        if isinstance(event, Notice) and event.text not in self.record.notices:
            self.record.notices.append(event.text)
        elif isinstance(event, Step):
            self._step(event)
        elif isinstance(event, PhaseEnd):
            self._phase_end(event)

    def _step(self, step: Step) -> None:
        model = self.record.request.model
        if step.stage == "train":
            self.plan.stages["load"] = LOAD_SECONDS + TRAIN_SECONDS
            self.plan.at("load", step.fraction, f"training {model}")
        elif step.stage == "measure":
            self.plan.at("measure", step.fraction, f"measuring {model}")
        elif step.stage == "warmup":
            self.plan.at("warmup", step.fraction, f"warming up {model}")
        else:
            self.plan.at("load", step.fraction, f"loading {model}")

    def _loaded(self, loaded: Loaded) -> None:
        record = self.record
        if loaded.workload != self.workload.builtin:
            # A run on a stand-in test set says so by its name, not by a notice alone.
            record.request = replace(record.request, workload=loaded.workload)
        record.test_images = loaded.test_images
        record.parameters = loaded.parameters
        record.macs = loaded.macs
        record.environment |= loaded.environment

    def _phase_end(self, ended: PhaseEnd) -> None:
        request = self.record.request
        opening, closing = ((ended.phase, ended.repeat, edge) for edge in (True, False))
        spent_ns = self.cpu_ns.pop(closing) - self.cpu_ns.pop(opening)
        self.record.constants = added(self.record.constants, spent_ns)
        window = self.frame.window(
            Phase(ended.phase),
            self.edges.pop(opening),
            self.edges.pop(closing),
            model=request.model,
            workload=request.workload,
            run_id=self.record.run_id,
            repeat=ended.repeat,
            inferences=ended.inferences,
            cpu_seconds=ended.cpu_seconds,
        )
        self._keep(window)

    def _done(self, done: Done) -> None:
        self.record.accuracy = done.accuracy
        for name in ("test_images", "parameters", "macs"):
            if getattr(done, name) is not None:
                setattr(self.record, name, getattr(done, name))
        self.record.windows = [
            replace(window, correct=done.correct[window.repeat])
            if window.phase is Phase.INFERENCE
            else window
            for window in self.record.windows
        ]

    def _keep(self, window: Window) -> None:
        try:
            window = put_marked(window, self.store, self.hooks.open_windows())
        except StoreUnavailable:  # scoring writes it again, or whoever keeps the record
            self.record.published = False
        self.record.windows.append(window)
        if not window.complete and not self.record.reason:
            self.record.reason = self._interruption(window)
        self.hooks.keep(self.record)

    def _interruption(self, window: Window) -> str:
        what = f"{window.phase} window {window.repeat + 1}"
        failure = self.telemetry.failure or "the exporter was restarted or moved its time base"
        return f"the samples were interrupted in {what}: {failure}"

    def _score(self) -> None:
        record = self.record
        self.plan.at("score", 0.0, f"scoring {record.request.model}")
        score_when_sampled(
            record,
            self.store,
            limit_seconds=DEAD_SAMPLES_SECONDS if self.telemetry.failing else SAMPLES_SECONDS,
            cancel=self.cancel,
            open_windows=self.hooks.open_windows,
            formulas=self.hooks.formulas,
        )
        self.plan.at("score", 1.0, f"scored {record.request.model}")
