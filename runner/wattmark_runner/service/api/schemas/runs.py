"""Runs over the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from wattmark_core.catalogue import Domain, Method
from wattmark_core.results import Boundary, Phase, Score
from wattmark_runner.execution.progress import Progress
from wattmark_runner.records.database import Act, RunRow
from wattmark_runner.records.model import RunRecord, RunRequest, RunSource, RunState
from wattmark_runner.service.api import examples
from wattmark_runner.service.api.schemas.fields import Body, Gpu, Labels, Name, Owner, Seconds
from wattmark_runner.service.api.shown import ShownRun
from wattmark_scoring.score_words import ScoreTexts, score_texts


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
    labels: Labels = Field(default={})

    def request(self) -> RunRequest:
        """The run that it asks for, its parameters not yet checked."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return RunRequest(**fields)


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
    source: RunSource
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
    requested_by: str = Field(default="", description="name of the key; empty: not known")
    cancelled_by: str = Field(default="", description="the same of who cancelled it")

    @classmethod
    def of(
        cls, row: RunRow, position: int | None, progress: Progress | None,
        acts: Mapping[str, str],
    ) -> Self:  # fmt: skip
        """From the database's row, and who did what with it."""
        return cls(
            run_id=row.run_id, state=row.state, reason=row.reason, source=row.source,
            workload=row.workload, model=row.model, parameters=row.parameters, owner=row.owner,
            labels=row.labels, host=row.host, created_at=utc(row.created_ns),
            started_at=None if row.started_ns is None else utc(row.started_ns),
            ended_at=None if row.ended_ns is None else utc(row.ended_ns),
            queue_position=position,
            progress=None if progress is None else ProgressItem(
                stage=progress.stage, fraction=progress.fraction,
                seconds_left=progress.seconds_left),
            score=row.score,
            score_texts=None if row.score is None else score_texts(row.score),
            final=row.state.final,
            requested_by=acts.get(Act.REQUESTED, ""), cancelled_by=acts.get(Act.CANCELLED, ""),
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


class CurveItem(BaseModel):
    """Power over time of one counter; null: nothing is known there."""

    name: str
    label: str = Field(description="name for people")
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


def utc(time_ns: int) -> datetime:
    """Unix ns as a moment in UTC."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC)
