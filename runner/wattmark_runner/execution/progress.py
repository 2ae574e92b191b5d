"""How far a run is and how long it will still take."""

from collections.abc import Callable
from dataclasses import dataclass


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
    tell: Callable[[Progress], None]
    _latest: float = 0.0
    _share: float = 0.0

    def at(self, name: str, fraction: float, text: str) -> None:
        """Say that stage ``name`` is done by ``fraction``. What was told never grows less."""
        names = list(self.stages)
        before = sum(self.stages[each] for each in names[: names.index(name)])
        total = sum(self.stages.values())
        done = before + min(1.0, max(0.0, fraction)) * self.stages[name]
        self._latest = max(self._latest, done)
        # A stage may turn out longer than was planned: then the time left grows, nothing else.
        self._share = max(self._share, self._latest / total if total > 0 else 1.0)
        self.tell(Progress(text, self._share, total - self._latest))
