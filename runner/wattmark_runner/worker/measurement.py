"""Measured windows: whole passes over the test set, on a load that stays steady at their edges.

Knows no framework: a ``Network`` is handed in, so that tests can run it in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Protocol

from wattmark_core.clock import Clock
from wattmark_core.units import ns_to_seconds, seconds_to_ns
from wattmark_runner.worker.protocol import EdgeReached, Measure, PhaseEnd, Step, WorkerMessage

WARMUP_BATCHES: Final = 10
CALL_SECONDS: Final = 0.05
"""About how long one call of the network takes: long beside the cost of a call, short beside a
guard and a window. A window is made of whole passes, so a call in one is at least a pass."""
LEAST_CALLS: Final = 3
"""To know what is usual."""
PROGRESS_NS: Final = 2_000_000_000


class Network(Protocol):
    """A network over a test set of ``images``, in ``batches`` batches."""

    images: int
    batches: int

    def infer(self, first: int, last: int) -> bytes:
        """The classes of the images of batches ``first`` to ``last - 1``, one byte each, when
        they are there. The batches go round: number ``batches`` is the first again."""
        ...

    def keep_busy(self, batches: int, over: Callable[[], bool]) -> None:
        """Infer as in a window, and about ``batches`` at a time ask whether it is ``over``.

        Nothing is under way on return.
        """
        first = 0
        while True:
            self.infer(first, first + batches)
            if over():
                return
            first = (first + batches) % self.batches


@dataclass(slots=True)
class Measurement:
    """Runs the windows that ``command`` asks for and keeps every prediction made in them.

    ``cpu_ns`` gives the CPU time of this process, all threads. A message is sent either at a
    window's edge or while a guard runs, never inside a window except for the progress once a
    second. ``pause_seconds``: of rest between the guards of two repeats. ``image_bytes``: how many
    bytes of ``infer``'s answer an image has; then the warm-up need not be whole passes, which may
    take hours.
    """

    network: Network
    command: Measure
    clock: Clock
    cpu_ns: Callable[[], int]
    emit: Callable[[WorkerMessage], None]
    pause_seconds: float = 0.0
    image_bytes: int | None = None
    predictions: list[list[bytes]] = field(default_factory=list)
    _batches_a_call: int = 0
    _progress_ns: int = 0

    def run(self) -> None:
        """Warm up, then guard, window, guard, … , guard."""
        ended = self._warm_up()
        for repeat in range(self.command.repeats):
            self._guard(ended)
            if repeat and self.pause_seconds:
                self.clock.sleep(self.pause_seconds)
                self._guard(None)
            ended = self._window(repeat)
        self._guard(ended)

    def _warm_up(self) -> PhaseEnd:
        if self.image_bytes and self.network.batches > WARMUP_BATCHES:
            return self._warm_up_by_batches(self.image_bytes)
        least = -(-WARMUP_BATCHES // self.network.batches)
        ended, _ = self._passes("warmup", 0, self.command.warmup_seconds, least)
        return ended

    def _warm_up_by_batches(self, image_bytes: int) -> PhaseEnd:
        """At least ``WARMUP_BATCHES``, wherever in a pass they end."""
        cpu_start = self.cpu_ns()
        start = end = self.clock.boottime_ns()
        self.emit(EdgeReached("warmup", 0, opening=True, time_ns=start))
        first = inferences = 0
        while first < WARMUP_BATCHES or end < start + seconds_to_ns(self.command.warmup_seconds):
            count = max(1, self._batches_a_call)
            inferences += len(self.network.infer(first, first + count)) // image_bytes
            first += count
            end, before = self.clock.boottime_ns(), end
            self._calibrate(count, end - before)
            self._report("warmup", 0, start, end, self.command.warmup_seconds)
        cpu_seconds = ns_to_seconds(self.cpu_ns() - cpu_start)
        self.emit(EdgeReached("warmup", 0, opening=False, time_ns=end))
        return PhaseEnd("warmup", 0, start, end, inferences, cpu_seconds)

    def _window(self, repeat: int) -> PhaseEnd:
        ended, classes = self._passes("inference", repeat, self.command.seconds, 1)
        self.predictions.append(classes)
        return ended

    def _passes(
        self, phase: str, repeat: int, seconds: float, least: int
    ) -> tuple[PhaseEnd, list[bytes]]:
        """Whole passes, at least ``least``, until ``seconds`` are over. Nothing is under way on
        the device at either edge."""
        classes: list[bytes] = []
        took_ns: list[int] = []
        done = 0
        cpu_start = self.cpu_ns()
        start = end = self.clock.boottime_ns()
        self.emit(EdgeReached(phase, repeat, opening=True, time_ns=start))
        while done < least or end < start + seconds_to_ns(seconds):
            passes = max(1, self._batches_a_call // self.network.batches)
            classes.append(self.network.infer(0, passes * self.network.batches))
            done += passes
            end, before = self.clock.boottime_ns(), end
            took_ns.append(end - before)
            if phase == "warmup":  # the last call of the warm-up is the one to go by
                self._calibrate(passes * self.network.batches, end - before)
            self._report(phase, repeat, start, end, seconds)
        cpu_seconds = ns_to_seconds(self.cpu_ns() - cpu_start)
        self.emit(EdgeReached(phase, repeat, opening=False, time_ns=end))
        inferences = done * self.network.images
        pause = _pause_seconds(took_ns)
        return PhaseEnd(phase, repeat, start, end, inferences, cpu_seconds, pause), classes

    def _calibrate(self, batches: int, took_ns: int) -> None:
        """How many batches fit into ``CALL_SECONDS``."""
        fitting = batches * seconds_to_ns(CALL_SECONDS) // max(1, took_ns)
        self._batches_a_call = max(1, min(fitting, 2 * batches))

    def _guard(self, ended: PhaseEnd | None) -> None:
        """Go on inferring, uncounted; the report of the window before is sent meanwhile."""
        until = self.clock.boottime_ns() + seconds_to_ns(self.command.guard_seconds)
        unsent = [] if ended is None else [ended]

        def over() -> bool:
            while unsent:
                self.emit(unsent.pop())
            return self.clock.boottime_ns() >= until

        self.network.keep_busy(self._batches_a_call, over)

    def _report(self, phase: str, repeat: int, start: int, now: int, seconds: float) -> None:
        if now - self._progress_ns < PROGRESS_NS:
            return
        self._progress_ns = now
        share = min(1.0, ns_to_seconds(now - start) / seconds) if seconds > 0 else 1.0
        if phase == "warmup":
            self.emit(Step("warmup", share))
        else:
            self.emit(Step("measure", (repeat + share) / self.command.repeats))


def _pause_seconds(took_ns: list[int]) -> float | None:
    """By how much the longest call was longer than the usual one, s; None: there are too few."""
    if len(took_ns) < LEAST_CALLS:
        return None
    return ns_to_seconds(max(took_ns) - round(median(took_ns)))


def count_correct(predictions: list[bytes], labels: bytes) -> int:
    """How many of the predictions, whole passes joined at will, are right; one byte per image.

    Raises ``ValueError`` if predictions and labels do not go together.
    """
    if not labels or any(len(classes) % len(labels) for classes in predictions):
        raise ValueError("predictions without labels: a pass has not one prediction per label")
    seen: dict[bytes, int] = {}  # a deterministic network gives the same answer in every pass
    correct = 0
    for classes in predictions:
        for first in range(0, len(classes), len(labels)):
            one_pass = classes[first : first + len(labels)]
            if one_pass not in seen:
                seen[one_pass] = sum(map(int.__eq__, one_pass, labels))
            correct += seen[one_pass]
    return correct
