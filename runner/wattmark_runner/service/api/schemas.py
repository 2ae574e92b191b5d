"""What goes over the wire, beside the dataclasses of ``wattmark_core.results``."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from wattmark_core.catalogue import Domain, Method
from wattmark_core.results import Boundary, Check, Phase, Score, Window
from wattmark_runner.execution.progress import Progress
from wattmark_runner.records.database import RunRow, WindowRow
from wattmark_runner.records.model import RunRecord, RunState, Source
from wattmark_runner.service.api import examples
from wattmark_runner.service.api.shown import ShownGroup, ShownRun
from wattmark_runner.views.tables import Table
from wattmark_scoring.ranking import RankedGroup
from wattmark_scoring.score_words import ScoreTexts, score_texts

LAST_NS: Final = 2**63 - 1
COUNT: Final = 2**53
"""The largest count that every JSON reader keeps exact."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
Owner = Annotated[str, Field(max_length=100, description="who asks for it; free text")]
Labels = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=256)]],
    Field(max_length=32, description="names and values of your own, to find runs by"),
]
Text = Annotated[str, Field(max_length=500)]
Gpu = Annotated[str, Field(max_length=100, description="UUID of the GPU to count; empty: none")]
Nanoseconds = Annotated[int, Field(ge=0, le=LAST_NS, description="Unix ns")]
Count = Annotated[int, Field(ge=0, le=COUNT)]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class Body(BaseModel):
    """A request's body: unknown fields are errors, and nothing is converted on the quiet."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RunCreate(Body):
    """A run to queue. Only what the server's configuration names can be run."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"workload": "digits", "model": "cnn-small", "repeats": 3,
                 "parameters": {"batch_size": 64}, "labels": {"project": "thesis"}}
            ]
        }
    )  # fmt: skip

    workload: Name
    model: Name
    parameters: dict[str, str | int | float | bool] = Field(
        default={}, max_length=64, description="values of what the workload declares"
    )
    repeats: int = Field(default=5, ge=1, le=1000, description="measured windows")
    seconds: float | None = Field(
        default=None, gt=0, le=3600, allow_inf_nan=False,
        description="least length of a window; null: what the sensor in use needs",
    )  # fmt: skip
    warmup_seconds: Seconds = 3.0
    idle_before_seconds: Seconds = 30.0
    idle_after_seconds: Seconds = 30.0
    boundary: Annotated[Boundary | None, Field(strict=False)] = Field(
        default=None, description="what is counted; null: host with a GPU, else cpu"
    )
    gpu: Gpu = ""
    owner: Owner = ""
    labels: Labels = {}


class WindowCreate(Body):
    """A window to open; or with ``start_ns`` and ``end_ns`` one that is over."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"workload": "my-test-set", "model": "my-network", "label": "batch 64"}]
        }
    )

    workload: Annotated[str, Field(max_length=200)] = ""
    model: Annotated[str, Field(max_length=200)] = ""
    phase: Literal["idle", "warmup", "inference", "training"] = "inference"
    label: Text = ""
    run_id: str | None = Field(
        default=None, max_length=200,
        description="an external run that gets one more window; null: a run is made",
    )  # fmt: skip
    max_seconds: float = Field(
        default=3600.0, gt=0, le=86400, allow_inf_nan=False,
        description="an open window is abandoned after so long",
    )  # fmt: skip
    gpu: Gpu = ""
    boundary: Annotated[Boundary | None, Field(strict=False)] = None
    owner: Owner = ""
    labels: Labels = {}
    test_images: int | None = Field(default=None, ge=1, le=COUNT)
    start_ns: Nanoseconds | None = None
    end_ns: Nanoseconds | None = None
    inferences: Count | None = None
    correct: Count | None = None
    cpu_seconds: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)

    @property
    def whole(self) -> bool:
        """It is over already, and its times are the client's."""
        return self.start_ns is not None and self.end_ns is not None


class WindowClose(Body):
    """What is known when a window ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"inferences": 10000, "correct": 8712}]}
    )

    inferences: Count | None = None
    correct: Count | None = None
    cpu_seconds: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    label: Text | None = None


class ProgressItem(BaseModel):
    """How far a run is."""

    stage: str
    fraction: float
    seconds_left: float


class Run(BaseModel):
    """A run at a glance."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.RUN))

    run_id: str
    state: RunState
    reason: str
    source: Source
    workload: str
    model: str
    parameters: dict[str, str | int | float | bool]
    owner: str
    labels: dict[str, str]
    host: str = Field(description="empty while it waits")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    queue_position: int | None = Field(description="0: the next; null: it does not wait")
    progress: ProgressItem | None
    score: Score | None = Field(description="accuracy² / energy in the run's own boundary")
    score_texts: ScoreTexts | None = Field(description="the score as people read it")
    final: bool = Field(description="nothing more will happen in the run")

    @classmethod
    def of(cls, row: RunRow, position: int | None, progress: Progress | None) -> Self:
        """From the database's row."""
        return cls(
            run_id=row.run_id, state=row.state, reason=row.reason, source=row.source,
            workload=row.workload, model=row.model, parameters=row.parameters, owner=row.owner,
            labels=row.labels, host=row.host, created_at=_moment(row.created_ns),
            started_at=None if row.started_ns is None else _moment(row.started_ns),
            ended_at=None if row.ended_ns is None else _moment(row.ended_ns),
            queue_position=position,
            progress=None if progress is None else ProgressItem(
                stage=progress.stage, fraction=progress.fraction,
                seconds_left=progress.seconds_left),
            score=row.score,
            score_texts=None if row.score is None else score_texts(row.score),
            final=row.state.final,
        )  # fmt: skip


class RunDetail(Run):
    """A run with all that is kept of it."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.DETAIL))

    record: RunRecord
    shown: ShownRun


class RunsPage(BaseModel):
    """Runs, newest first; ``next`` is the cursor of the page after."""

    model_config = ConfigDict(json_schema_extra=examples.shown(runs=[examples.RUN], next=None))

    runs: list[Run]
    next: str | None


class RunScores(BaseModel):
    """The scores of one run with the checks of its own boundary."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(
            run_id=examples.RUN_ID, scores=[examples.SCORE], checks=[examples.CHECK]
        )
    )

    run_id: str
    scores: list[Score]
    checks: list[Check]


class ScoresPage(BaseModel):
    """Scores, last scored first."""

    model_config = ConfigDict(json_schema_extra=examples.shown(scores=[examples.SCORE], next="17"))

    scores: list[Score]
    next: str | None


class Ranking(BaseModel):
    """Groups of scores that may be compared."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(groups=[examples.GROUP], shown=[examples.SHOWN_GROUP])
    )

    groups: list[RankedGroup]
    shown: list[ShownGroup] = Field(
        default=[], description="the groups as people read them, in their order, where asked for"
    )


class Tables(BaseModel):
    """The paper's tables over one's own runs. A cell is a number, a text, or null: not known."""

    model_config = ConfigDict(json_schema_extra=examples.shown(tables=[examples.TABLE]))

    tables: list[Table]


class WindowItem(BaseModel):
    """A window. ``joules`` come once its run is scored."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.WINDOW))

    window_id: str
    run_id: str
    state: Literal["open", "closed", "abandoned"]
    clock: str
    host: str
    phase: Phase
    model: str
    workload: str
    label: str
    start_ns: int
    end_ns: int | None
    max_seconds: float | None
    inferences: int | None
    correct: int | None
    cpu_seconds: float | None
    joules: float | None
    joules_low: float | None
    joules_high: float | None
    boundary: Boundary | None
    method: Method | None
    complete: bool
    overlapping: bool
    warnings: list[str]

    @classmethod
    def of(cls, row: WindowRow) -> Self:
        """From the database's row."""
        return cls._of(row.window, row.state, row.max_seconds, row.warnings)

    @classmethod
    def of_window(cls, window: Window) -> Self:
        """A closed window of a run."""
        return cls._of(window, "closed", None, ())

    @classmethod
    def _of(
        cls, window: Window, state: str, max_seconds: float | None, warnings: tuple[str, ...]
    ) -> Self:
        facts = {name: getattr(window, name) for name in cls.model_fields if hasattr(window, name)}
        facts["end_ns"] = window.end_ns if state == "closed" else None
        return cls(**facts, state=state, max_seconds=max_seconds, warnings=list(warnings))  # type: ignore[arg-type]  # checked by pydantic


class WindowsPage(BaseModel):
    """Windows, newest first."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(windows=[examples.WINDOW], next=None)
    )

    windows: list[WindowItem]
    next: str | None


class ParameterItem(BaseModel):
    """A parameter that a workload declares."""

    name: str
    type: str = Field(description="integer, number, string or boolean")
    default: Any
    minimum: float | None
    maximum: float | None
    choices: list[Any]
    meaning: str


class WorkloadItem(BaseModel):
    """Something that may be run."""

    name: str
    meaning: str
    models: list[str]
    parameters: list[ParameterItem]


class Workloads(BaseModel):
    """What may be run, and the scores beside the built-in ones."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.WORKLOADS))

    workloads: list[WorkloadItem]
    formulas: dict[str, str]


class SensorItem(BaseModel):
    """A sensor of the host."""

    name: str
    state: str
    found: bool
    reason: str
    remedy: str


class EnergyItem(BaseModel):
    """An energy counter; ``chosen``: it counts."""

    domain: Domain
    device: str
    source: str
    method: Method
    chosen: bool


class Sensors(BaseModel):
    """What the exporter of this host measures, and why not more."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.SENSORS))

    host: str
    exporter: str
    sensors: list[SensorItem]
    energy: list[EnergyItem]
    advice: list[str]


class CurveItem(BaseModel):
    """Power over time of one counter; null: nothing is known there."""

    name: str
    domain: Domain
    device: str
    source: str
    method: Method
    points: list[tuple[float, float] | None] = Field(description="[Unix ms, W]")


class PhaseItem(BaseModel):
    """When something happened in a run, Unix ms."""

    phase: Phase
    repeat: int
    start_ms: float
    end_ms: float


class Power(BaseModel):
    """Power over a run, with its windows."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.POWER))

    curves: list[CurveItem]
    windows: list[PhaseItem]
    picture: str = Field(description="HTML with an inline SVG")


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns / 1e9, UTC)


def examples_of(name: str) -> Any:
    """The examples of the model of that name."""
    model: type[BaseModel] = globals()[name]
    extra: Any = model.model_config["json_schema_extra"]
    return extra["examples"]
