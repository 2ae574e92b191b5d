"""What is kept of a run: enough to repeat it and to score it again."""

from dataclasses import dataclass, field
from enum import StrEnum

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Score, Window


class RunState(StrEnum):
    """``queued`` → ``running`` → ``scoring`` → one of the last four."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


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
    batch_size: int = 32
    warmup_seconds: float = 3.0
    idle_before_seconds: float = 30.0
    idle_after_seconds: float = 30.0
    boundary: Boundary | None = None
    """None: ``host`` where a GPU is used, else ``cpu``."""
    gpu: str = ""
    """UUID of the one GPU to use; empty: run on the CPU."""
    seed: int = 20231015


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
    ended_ns: int | None = None
    reason: str = ""
    series: tuple[EnergySeries, ...] = ()
    constants: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    test_images: int | None = None
    accuracy: float | None = None
    parameters: int | None = None
    macs: int | None = None
    notices: list[str] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    edges: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    scores: tuple[Score, ...] = ()
