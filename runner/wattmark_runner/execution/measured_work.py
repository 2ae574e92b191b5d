"""Load, warm-up and measured repeats: what a worker reports becomes windows of the run."""

import time
from dataclasses import dataclass, field, replace

from wattmark_core.errors import RunError
from wattmark_core.results import Phase
from wattmark_core.units import ns_to_seconds
from wattmark_runner.errors import Cancelled
from wattmark_runner.execution.progress import LOAD_SECONDS, TRAIN_SECONDS
from wattmark_runner.execution.under_way import RunUnderWay
from wattmark_runner.execution.worker_places import WorkerPlaces
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.scoring import throttled
from wattmark_runner.scoring.overhead import added
from wattmark_runner.windows.exporter_link import WindowEdge
from wattmark_runner.windows.stamping import clock_facts
from wattmark_runner.worker.protocol import (
    Done,
    EdgeReached,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    Step,
    Trained,
    WorkerMessage,
)
from wattmark_runner.worker.stops import StopWatch
from wattmark_scoring.counts import why_impossible

STEPS = {"train": "training", "measure": "measuring", "warmup": "warming up"}
"""What a worker's step is called for people; any other is loading."""


def load_command(run: RunUnderWay) -> Load:
    """What a worker needs to make the run's model ready."""
    request, workload = run.record.request, run.workload
    return Load(
        workload.builtin, request.model, dict(request.parameters), str(run.cache),
        str(run.data_root), request.gpu, workload.entry_point,
        workload.arguments(request.model, request.parameters), workload.limits.memory_bytes,
        workload.keras.options_for(request.model) if workload.keras else {},
    )  # fmt: skip


def measure(run: RunUnderWay) -> None:
    """Load and measure; a worker that had to train is replaced by a fresh one.

    Raises ``RunError``, ``StoreError`` and ``Cancelled``.
    """
    if not _Measurement(run).carry_out() and not _Measurement(run).carry_out():
        raise RunError("the weights were trained but could not be loaded; see the run's log")


@dataclass(slots=True)
class _Measurement:
    """One worker's part of the run."""

    run: RunUnderWay
    edges: dict[tuple[str, int, bool], WindowEdge] = field(default_factory=dict)
    cpu_ns: dict[tuple[str, int, bool], int] = field(default_factory=dict)
    """CPU time of this process at each edge."""
    stops: StopWatch | None = None
    """The worker's."""

    def carry_out(self) -> bool:
        """False: it trained the network, and another worker is to measure it."""
        run = self.run
        gpu = run.record.request.gpu
        load = load_command(run)
        with WorkerProcess(
            run.log,
            gpu=gpu,
            on_edge=self._on_edge,
            places=WorkerPlaces.of(load, run.private, run.workload),
        ) as worker:
            self.stops = StopWatch(worker.pid)
            worker.send(load)
            for message in worker.messages(run.cancel, run.workload.limits.seconds):
                match message:
                    case Trained():
                        return False
                    case Loaded():
                        self._loaded(message)
                        run.hooks.save(run.record)
                        run.exporter.arm()
                        worker.send(self._command())
                    case Done():
                        self._done(message)
                        run.exporter.disarm()
                        return True
                    case _:
                        self._note(message)
        raise Cancelled

    def _command(self) -> Measure:
        constants, request = self.run.record.constants, self.run.record.request
        return Measure(request.repeats, constants["window_seconds"], constants["guard_seconds"],
                       request.warmup_seconds)  # fmt: skip

    def _on_edge(self, edge: EdgeReached) -> None:
        """In the listening thread, at once: the sample at the edge must follow within 5 ms."""
        which = edge.phase, edge.repeat, edge.opening
        self.edges[which] = self.run.exporter.edge(edge.time_ns)
        self.cpu_ns[which] = time.process_time_ns()

    def _note(self, message: WorkerMessage) -> None:
        match message:
            case Notice():
                self.run.add_notice(message.text)
            case Step():
                self._step(message)
            case PhaseEnd():
                self._phase_end(message)

    def _step(self, step: Step) -> None:
        plan = self.run.plan
        if step.stage == "train":
            plan.stages["load"] = LOAD_SECONDS + TRAIN_SECONDS
        stage = step.stage if step.stage in {"measure", "warmup"} else "load"
        doing = STEPS.get(step.stage, "loading")
        plan.at(stage, step.fraction, f"{doing} {self.run.record.request.model}")

    def _loaded(self, loaded: Loaded) -> None:
        record = self.run.record
        if loaded.workload != self.run.workload.builtin:
            # A run on a stand-in test set has its name, not a notice alone.
            record.request = replace(record.request, workload=loaded.workload)
        record.test_images = loaded.test_images
        record.parameters = loaded.parameters
        record.macs = loaded.macs
        record.environment |= loaded.environment

    def _phase_end(self, ended: PhaseEnd) -> None:
        record = self.run.record
        wrong = why_impossible(ended.inferences, None, ns_to_seconds(ended.end_ns - ended.start_ns))
        if wrong:
            raise RunError(f"the worker counted what cannot be: {wrong}")
        opening, closing = ((ended.phase, ended.repeat, edge) for edge in (True, False))
        spent_ns = self.cpu_ns.pop(closing) - self.cpu_ns.pop(opening)
        record.constants = throttled.added(
            added(record.constants, spent_ns), ended.phase, ended.repeat, ended.throttled_seconds
        )
        first, last = self.edges.pop(opening), self.edges.pop(closing)
        window = self.run.stamping.window(
            Phase(ended.phase),
            first,
            last,
            model=record.request.model,
            workload=record.request.workload,
            run_id=record.run_id,
            repeat=ended.repeat,
            inferences=ended.inferences,
            cpu_seconds=ended.cpu_seconds,
        )
        own = 0.0 if self.stops is None else self.stops.seconds(ended.start_ns, ended.end_ns)
        facts = replace(
            clock_facts(first, last), pause_seconds=ended.pause_seconds,
            stopped_seconds=max(ended.stopped_seconds, own),
        )  # fmt: skip
        self.run.add_window(window, facts)

    def _check_correct(self, done: Done) -> None:
        """Raise ``RunError`` for more right answers than there were inferences."""
        for window in self.run.record.windows:
            if window.phase is Phase.INFERENCE:
                correct = done.correct[window.repeat]
                if wrong := why_impossible(window.inferences, correct, window.seconds):
                    raise RunError(f"the worker counted what cannot be: {wrong}")

    def _done(self, done: Done) -> None:
        record = self.run.record
        self._check_correct(done)
        record.accuracy = done.accuracy
        for name in ("test_images", "parameters", "macs"):
            if getattr(done, name) is not None:
                setattr(record, name, getattr(done, name))
        record.windows = [
            replace(window, correct=done.correct[window.repeat])
            if window.phase is Phase.INFERENCE
            else window
            for window in record.windows
        ]
