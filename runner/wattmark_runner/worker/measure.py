"""Measured windows: whole passes over the test set, on a load that stays steady at their edges.

Knows no framework: a ``Network`` is handed in, so that tests can run it in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from wattmark_core.clock import Clock
from wattmark_core.units import ns_to_seconds, seconds_to_ns

from wattmark_runner.protocol import Edge, Event, Measure, PhaseEnd, Step

WARMUP_BATCHES: Final = 10
GUARD_BATCHES: Final = 10
"""Batches between two synchronisations in a guard: a GPU's queue must neither run dry nor grow."""
PROGRESS_NS: Final = 1_000_000_000


class Network(Protocol):
    """A network over a test set of ``images`` in ``batches``."""

    images: int

    @property
    def batches(self) -> int:
        """Batches in one pass."""
        ...

    def infer(self, batch: int) -> Any:
        """Start one batch."""
        ...

    def finish(self, results: list[Any]) -> bytes:
        """Wait for the results: one byte per image, its class."""
        ...


@dataclass(slots=True)
class Measurement:
    """Runs the windows that ``wanted`` asks for and keeps every prediction made in them.

    ``cpu_ns`` gives the CPU time of this process, all threads. An event is sent either at a
    window's edge or while a guard runs, never inside a window except for the progress once a
    second.
    """

    network: Network
    wanted: Measure
    clock: Clock
    cpu_ns: Callable[[], int]
    emit: Callable[[Event], None]
    predictions: list[list[bytes]] = field(default_factory=list)
    _progress_ns: int = 0

    def run(self) -> None:
        """Warm up, then guard, window, guard, … , guard."""
        ended = self._warm_up()
        for repeat in range(self.wanted.repeats):
            self._guard(ended)
            ended = self._window(repeat)
        self._guard(ended)

    def _warm_up(self) -> PhaseEnd:
        least = -(-WARMUP_BATCHES // self.network.batches)
        ended, _ = self._passes("warmup", 0, self.wanted.warmup_seconds, least)
        return ended

    def _window(self, repeat: int) -> PhaseEnd:
        ended, classes = self._passes("inference", repeat, self.wanted.seconds, 1)
        self.predictions.append(classes)
        return ended

    def _passes(
        self, phase: str, repeat: int, seconds: float, least: int
    ) -> tuple[PhaseEnd, list[bytes]]:
        """Whole passes, at least ``least``, until ``seconds`` are over. The device is idle at both
        edges but for the work that begins at once."""
        classes: list[bytes] = []
        cpu_start = self.cpu_ns()
        start = self.clock.boottime_ns()
        self.emit(Edge(phase, repeat, opening=True, time_ns=start))
        end = start
        while len(classes) < least or end < start + seconds_to_ns(seconds):
            classes.append(self._one_pass())
            end = self.clock.boottime_ns()
            self._tell(phase, repeat, start, end, seconds)
        cpu_seconds = ns_to_seconds(self.cpu_ns() - cpu_start)
        self.emit(Edge(phase, repeat, opening=False, time_ns=end))
        inferences = len(classes) * self.network.images
        return PhaseEnd(phase, repeat, start, end, inferences, cpu_seconds), classes

    def _one_pass(self) -> bytes:
        results = [self.network.infer(batch) for batch in range(self.network.batches)]
        return self.network.finish(results)

    def _guard(self, ended: PhaseEnd) -> None:
        """Go on inferring, uncounted; what the window before left to tell is told meanwhile."""
        until = self.clock.boottime_ns() + seconds_to_ns(self.wanted.guard_seconds)
        batch = 0
        told = False
        while not told or self.clock.boottime_ns() < until:
            some = range(batch, batch + GUARD_BATCHES)
            self.network.finish([self.network.infer(b % self.network.batches) for b in some])
            batch += GUARD_BATCHES
            if not told:
                self.emit(ended)
                told = True

    def _tell(self, phase: str, repeat: int, start: int, now: int, seconds: float) -> None:
        if now - self._progress_ns < PROGRESS_NS:
            return
        self._progress_ns = now
        share = min(1.0, ns_to_seconds(now - start) / seconds) if seconds > 0 else 1.0
        if phase == "warmup":
            self.emit(Step("warmup", share))
        else:
            self.emit(Step("measure", (repeat + share) / self.wanted.repeats))


def count_correct(passes: list[bytes], labels: bytes) -> int:
    """How many of the predictions of all ``passes`` are right; one byte per image.

    Raises ``ValueError`` if a pass has not one prediction per label.
    """
    if any(len(classes) != len(labels) for classes in passes):
        raise ValueError("predictions without labels: a pass has not one prediction per label")
    seen: dict[bytes, int] = {}  # a deterministic network gives the same answer in every pass
    for classes in passes:
        if classes not in seen:
            seen[classes] = sum(map(int.__eq__, classes, labels))
    return sum(seen[classes] for classes in passes)
