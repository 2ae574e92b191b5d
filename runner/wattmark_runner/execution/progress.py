"""How far a run is and how long it will still take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wattmark_runner.records.model import RunRecord

LOAD_SECONDS: Final = 6.0
TRAIN_SECONDS: Final = 15.0
SCORE_SECONDS: Final = 3.0
"""Expected lengths, for the time left alone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """``stage``: what happens, for people. ``fraction`` of the whole, 0 to 1. ``seconds_left``: an
    estimate."""

    stage: str
    fraction: float
    seconds_left: float


@dataclass(slots=True)
class Plan:
    """The stages of a run with the seconds that each is expected to take, in order."""

    stages: dict[str, float]
    report: Callable[[Progress], None]
    _latest: float = 0.0
    _share: float = 0.0

    def at(self, name: str, fraction: float, text: str) -> None:
        """Report that stage ``name`` is done by ``fraction``. The reported share never falls."""
        names = list(self.stages)
        before = sum(self.stages[stage] for stage in names[: names.index(name)])
        total = sum(self.stages.values())
        done = before + min(1.0, max(0.0, fraction)) * self.stages[name]
        self._latest = max(self._latest, done)
        # A stage may turn out longer than was planned: then the time left grows, nothing else.
        self._share = max(self._share, self._latest / total if total > 0 else 1.0)
        self.report(Progress(text, self._share, total - self._latest))


def expected_stages(record: RunRecord, pause_seconds: float) -> dict[str, float]:
    """The stages of a run and their lengths, s. ``pause_seconds``: of rest between repeats."""
    request, guard = record.request, record.constants["guard_seconds"]
    windows = request.repeats * (record.constants["window_seconds"] + guard) + guard
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
