"""Windows of code that runs elsewhere over the wire."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Phase
from wattmark_runner.records.database import Act, WindowRow
from wattmark_runner.records.window_request import WindowRequest, WindowResults
from wattmark_runner.service.api import examples
from wattmark_runner.service.api.schemas.fields import (
    COUNT,
    Body,
    Count,
    Gpu,
    Labels,
    NameOrNone,
    Nanoseconds,
    Owner,
    Text,
)
from wattmark_runner.views.window_fields import row_fields


class WindowCreate(Body):
    """A window to open; or with ``start_ns`` and ``end_ns`` one that is over."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"workload": "my-test-set", "model": "my-network", "label": "batch 64"}]
        }
    )

    workload: NameOrNone = ""
    model: NameOrNone = ""
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
    labels: Labels = Field(default={})
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

    def request(self) -> WindowRequest:
        """The window without its times and results."""
        return WindowRequest(
            workload=self.workload, model=self.model, phase=Phase(self.phase), label=self.label,
            run_id=self.run_id, max_seconds=self.max_seconds, gpu=self.gpu,
            boundary=self.boundary, owner=self.owner, labels=dict(self.labels),
            test_images=self.test_images,
        )  # fmt: skip

    def results(self) -> WindowResults:
        """What was done in a window that is over."""
        return WindowResults(self.inferences, self.correct, self.cpu_seconds)


class WindowClose(Body):
    """What is known when a window ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"inferences": 10000, "correct": 8712}]}
    )

    inferences: Count | None = None
    correct: Count | None = None
    cpu_seconds: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    label: Text | None = None

    def results(self) -> WindowResults:
        """The same, for the job that closes it."""
        return WindowResults(self.inferences, self.correct, self.cpu_seconds, self.label)


class WindowItem(BaseModel):
    """A window. ``joules`` come once its run is scored."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.WINDOW))

    window_id: str
    run_id: str
    state: Literal["open", "closed", "abandoned", "withdrawn"]
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
    requested_by: str = Field(default="", description="name of the key; empty: not known")
    closed_by: str = Field(default="", description="the same of who closed it")

    @classmethod
    def of(cls, row: WindowRow, acts: Mapping[str, str]) -> Self:
        """From the database's row, and who did what with it."""
        return cls(
            **row_fields(row), requested_by=acts.get(Act.REQUESTED, ""),
            closed_by=acts.get(Act.CLOSED, ""),
        )  # fmt: skip


class WindowsPage(BaseModel):
    """Windows, newest first."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(windows=[examples.WINDOW], next=None)
    )

    windows: list[WindowItem]
    next: str | None
