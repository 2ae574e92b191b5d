"""The record of a run: enough to repeat it and to score it again."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Score, Window
from wattmark_runner.workloads.parameters import Value, shown_value
from wattmark_scoring.window_facts import WindowFacts


class RunState(StrEnum):
    """``queued`` → ``running`` → ``scoring`` → one of the last four."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def final(self) -> bool:
        """Nothing more will happen in the run."""
        return self in FINAL


FINAL: Final = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.INTERRUPTED})


class RunSource(StrEnum):
    """Who inferred: a worker of ours, or code elsewhere whose windows were annotated."""

    RUNNER = "runner"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run. ``seconds`` None: as long as the sensor in use needs.

    ``seconds`` is the least length of a measured window; passes over the test set are whole.
    ``idle_before_seconds``/``idle_after_seconds`` 0: the caller gives the baselines.
    """

    workload: str
    model: str
    repeats: int = 5
    seconds: float | None = None
    parameters: dict[str, Value] = field(default_factory=dict)
    """Values of what the workload declares; ``execute`` completes them."""
    warmup_seconds: float = 3.0
    idle_before_seconds: float = 30.0
    idle_after_seconds: float = 30.0
    boundary: Boundary | None = None
    """None: ``host`` where a GPU is used, else ``cpu``."""
    gpu: str = ""
    """UUID of the one GPU to use; empty: run on the CPU."""
    owner: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def main_boundary(self) -> Boundary:
        """The boundary that is asked for, else ``host`` with a GPU and ``cpu`` without."""
        if self.boundary is not None:
            return self.boundary
        return Boundary.HOST if self.gpu else Boundary.CPU

    @property
    def gpus(self) -> list[str]:
        """UUIDs of the GPUs that the run uses: one or none."""
        return [self.gpu] if self.gpu else []

    @property
    def batch_size(self) -> int | None:
        """Images in a batch, where the workload has such a parameter."""
        value = self.parameters.get("batch_size")
        return value if isinstance(value, int) else None


@dataclass(slots=True)
class RunRecord:
    """A run. Times are Unix ns in the exporter's time base; the dictionaries hold JSON values.

    ``series``: the pinned energy series. ``windows``: idle, warm-up and measured windows.
    ``edges``: per window id, per series the counter's samples around both edges, as read from the
    store when the run was scored, so that the score outlives the raw data.
    """

    run_id: str
    request: RunRequest
    state: RunState
    host: str
    boot_id: str
    exporter_instance: str
    offset_ns: int
    started_ns: int
    created_ns: int = 0
    """When it was asked for, by the wall clock."""
    source: RunSource = RunSource.RUNNER
    ended_ns: int | None = None
    reason: str = ""
    series: tuple[EnergySeries, ...] = ()
    constants: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    """What the configuration said of the workload when it ran; ``defaults``: its parameters'."""
    test_images: int | None = None
    accuracy: float | None = None
    parameters: int | None = None
    macs: int | None = None
    notices: list[str] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    edges: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    scores: tuple[Score, ...] = ()
    usage: dict[str, float] = field(default_factory=dict)
    """Means over the measured windows, of what the store knew when the run was scored:
    ``cpu_utilization_ratio``, ``memory_used_bytes``, ``gpu_utilization_ratio``,
    ``gpu_memory_used_bytes``."""
    formulas: dict[str, str] = field(default_factory=dict)
    """Name and text of the owner's own scores, as they were when the run was scored."""
    facts: dict[str, WindowFacts] = field(default_factory=dict, metadata={"exclude": True})
    """By window id, what was noted of it while it lasted. REST leaves it out, as ``published``."""
    published: bool = field(default=True, metadata={"exclude": True})
    """The store has confirmed that it holds the windows and scores as they are here. REST leaves it
    out: command lines of 0.1.0 refuse a record with a field that they do not know."""

    @property
    def settings(self) -> str:
        """The parameters that are not at their defaults: ``backend=torch batch_size=1``."""
        defaults = self.definition.get("defaults", {})
        parameters = sorted(self.request.parameters.items())
        changed = [(n, value) for n, value in parameters if n in defaults and value != defaults[n]]
        return " ".join(f"{name}={shown_value(value)}" for name, value in changed)

    @property
    def known_of_scores(self) -> dict[str, Any]:
        """Fields of its scores that the run knows, too: test images and use of the machine."""
        known = {"test_images": self.test_images, **self.usage}
        return {name: value for name, value in known.items() if value is not None}

    @property
    def completed_scores(self) -> tuple[Score, ...]:
        """Its scores, each with what it lacks and the run knows: those of earlier versions hold
        neither test images nor use of the machine."""
        known = self.known_of_scores
        return tuple(
            replace(score, **{n: value for n, value in known.items() if getattr(score, n) is None})
            for score in self.scores
        )
