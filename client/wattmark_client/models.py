"""What the runner answers. Fields that a newer runner adds are left out here.

Values of enumerations (state, boundary, method, verdict) are text, so that a newer runner's are
read, too.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from wattmark_client.errors import ClientError

T = TypeVar("T")
FINAL: Final = frozenset({"done", "failed", "cancelled", "interrupted"})
"""The final states of runners that do not say themselves which are."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the value beside its limit; ``verdict`` is valid, warned or invalid."""

    name: str
    verdict: str
    value: float | None
    limit: float | None
    unit: str
    message: str


@dataclass(frozen=True, slots=True)
class Score:
    """A score, never without boundary, method, verdict and 95 % interval (``low`` to ``high``).

    ``population_low`` and ``population_high`` add the binomial error of the accuracy.
    ``settings``: the run's parameters that are not at their defaults; ``gpu``: UUID of the GPU in
    use, empty for none. The four of use are means over the measured windows.
    """

    run_id: str
    host: str
    model: str
    workload: str
    boundary: str
    formula: str
    time_ns: int
    method: str | None
    verdict: str
    value: float | None
    low: float | None
    high: float | None
    accuracy: float | None = None
    joules_per_inference: float | None = None
    joules_per_inference_low: float | None = None
    joules_per_inference_high: float | None = None
    watts: float | None = None
    inferences_per_second: float | None = None
    cpu_seconds_per_inference: float | None = None
    net_joules_per_inference: float | None = None
    parameters: int | None = None
    macs: int | None = None
    checks: tuple[Check, ...] = ()
    settings: str = ""
    gpu: str = ""
    test_images: int | None = None
    population_low: float | None = None
    population_high: float | None = None
    cpu_utilization_ratio: float | None = None
    memory_used_bytes: float | None = None
    gpu_utilization_ratio: float | None = None
    gpu_memory_used_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class RunScores:
    """The scores of one run, with the checks of the run's own boundary."""

    run_id: str
    scores: tuple[Score, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class ScoreTexts:
    """A score as people read it: digits by the interval, units, ≈ for estimates; – for a value that
    is missing."""

    formula: str = ""
    score: str = ""
    for_other_images: str = ""
    energy: str = ""
    energy_above_idle: str = ""
    accuracy: str = ""
    power: str = ""
    speed: str = ""
    cpu_time: str = ""
    network: str = ""
    place: str = ""
    counts: str = ""
    method: str = ""
    verdict: str = ""
    reasons: str = ""
    findings: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; ``fraction`` 0 to 1, ``seconds_left`` an estimate."""

    stage: str
    fraction: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run at a glance; ``score`` is accuracy² / energy in the run's own boundary."""

    run_id: str
    state: str
    reason: str
    source: str
    workload: str
    model: str
    host: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    owner: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str | int | float | bool] = field(default_factory=dict)
    queue_position: int | None = None
    progress: Progress | None = None
    score: Score | None = None
    record: dict[str, Any] | None = None
    """The whole record; only of a run that was asked for by name."""
    score_texts: ScoreTexts | None = None
    shown: dict[str, Any] | None = None
    """The record in words; only of a run that was asked for by name."""
    final: bool | None = None
    requested_by: str = ""
    """The name of the key, as the runner's key file has it; empty: not known."""
    cancelled_by: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more will happen in it."""
        return is_final(self.state, self.final)


@dataclass(frozen=True, slots=True)
class WindowItem:
    """A window; ``joules`` come once its run is scored. An open one has no ``end_ns``."""

    window_id: str
    run_id: str
    state: str
    clock: str
    host: str
    phase: str
    start_ns: int
    end_ns: int | None
    inferences: int | None = None
    correct: int | None = None
    joules: float | None = None
    joules_low: float | None = None
    joules_high: float | None = None
    boundary: str | None = None
    method: str | None = None
    complete: bool = True
    overlapping: bool = False
    warnings: tuple[str, ...] = ()
    model: str = ""
    workload: str = ""
    label: str = ""
    max_seconds: float | None = None
    cpu_seconds: float | None = None
    requested_by: str = ""
    closed_by: str = ""


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """Scores that may be compared, best first; ``unranked`` are invalid or without value.

    ``host``: whose estimates they are; empty for measured energy, of any hosts.
    """

    workload: str
    boundary: str
    formula: str
    estimated: bool
    ranked: tuple[Score, ...]
    unranked: tuple[Score, ...]
    host: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run: ``kind`` state, progress, window or notice."""

    id: int
    kind: str
    body: dict[str, Any]


def is_final(state: str, final: bool | None) -> bool:
    """The runner's word; runners of 0.1.0 before ``final`` leave it out."""
    return state in FINAL if final is None else final


def parse(kind: type[T], body: Mapping[str, Any]) -> T:
    """A dataclass of ``kind`` from JSON. Raises ``ClientError`` that names what is missing."""
    if not isinstance(body, Mapping):
        raise ClientError(f"the runner's answer holds no {kind.__name__} but {body!r:.60}")
    hints = typing.get_type_hints(kind)
    own = fields(kind)  # type: ignore[arg-type]  # a dataclass
    required = {f.name for f in own if f.default is MISSING and f.default_factory is MISSING}
    if missing := required - body.keys():
        raise ClientError(f"the runner's {kind.__name__} lacks {', '.join(sorted(missing))}")
    return kind(**{f.name: _value(hints[f.name], body[f.name]) for f in own if f.name in body})


def _value(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        kinds = [argument for argument in arguments if argument is not types.NoneType]
        return None if value is None else _value(kinds[0], value)
    if origin is tuple:
        return tuple(_value(arguments[0], entry) for entry in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if is_dataclass(hint) and isinstance(hint, type):
        return parse(hint, value)
    return value
