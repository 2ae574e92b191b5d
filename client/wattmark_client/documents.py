"""Answers that are kept as they came: dictionaries, with the keys of today's runner."""

from typing import Any, NotRequired, TypedDict


class Parameter(TypedDict):
    """A parameter that a workload declares; ``type`` integer, number, string or boolean."""

    name: str
    type: str
    default: Any
    minimum: float | None
    maximum: float | None
    choices: list[Any]
    meaning: str


class Workload(TypedDict):
    """Something that may be run."""

    name: str
    meaning: str
    models: list[str]
    parameters: list[Parameter]


class Workloads(TypedDict):
    """What may be run, and the texts of the scores beside the built-in ones, by name."""

    workloads: list[Workload]
    formulas: dict[str, str]


class Sensor(TypedDict):
    """A sensor of the runner's host; ``remedy``: what makes it work."""

    name: str
    state: str
    found: bool
    reason: str
    remedy: str


class EnergyCounter(TypedDict):
    """An energy counter of the runner's host; ``chosen``: it counts."""

    domain: str
    device: str
    source: str
    method: str
    chosen: bool


class Sensors(TypedDict):
    """What the runner's host can measure, and why not more."""

    host: str
    exporter: str
    sensors: list[Sensor]
    energy: list[EnergyCounter]
    advice: list[str]


class Column(TypedDict):
    """A column of a table: its name for programs, its heading for people, its unit."""

    name: str
    heading: str
    unit: str


class Table(TypedDict):
    """One of the paper's tables over one's own runs; a cell is None where nothing is known."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[float | int | str | None]]
    notes: list[str]


class Curve(TypedDict):
    """Power over time of one counter: [Unix ms, W], or None where nothing is known."""

    name: str
    domain: str
    device: str
    source: str
    method: str
    points: list[list[float] | None]
    label: NotRequired[str]
    """Name for people; older runners send none."""


class PhaseSpan(TypedDict):
    """When something happened in a run, Unix ms."""

    phase: str
    repeat: int
    start_ms: float
    end_ms: float


class Power(TypedDict):
    """Power over a run, with its windows."""

    curves: list[Curve]
    windows: list[PhaseSpan]
    picture: NotRequired[str]
    """HTML with an inline SVG; older runners send none."""
