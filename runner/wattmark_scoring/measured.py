"""A window and a run within one boundary: what checks and scores are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Phase, Window
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.boundary import BoundaryEnergy, boundary_energy, of_boundary
from wattmark_scoring.energy import SeriesEnergy, window_energy
from wattmark_scoring.sampling import reads_inside
from wattmark_scoring.still import without_still
from wattmark_scoring.window_data import CounterSamples, WindowData

IDLE_SECONDS: Final = 30.0
"""Long enough for a baseline."""


@dataclass(frozen=True, slots=True)
class MeasuredCounter:
    """A counter's samples, and the energy of the window that they give."""

    samples: CounterSamples
    energy: SeriesEnergy

    @property
    def series(self) -> EnergySeries:
        """The counter that was read."""
        return self.samples.series


@dataclass(frozen=True, slots=True)
class HeldBack:
    """By a CPU quota: ``seconds`` of CPU time in the window, over all CPUs; None: not known."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class MeasuredWindow:
    """A window with its energy within one boundary, of whose counters it is the sum.

    ``gpus``: UUIDs of the GPUs in use; ``iterations``: batches done, None if not known.
    ``held_back`` None: the work had no CPU quota.
    """

    window: Window
    energy: BoundaryEnergy
    counters: tuple[MeasuredCounter, ...]
    data: WindowData
    gpus: tuple[str, ...] = ()
    iterations: int | None = None
    held_back: HeldBack | None = None

    @property
    def watts(self) -> float | None:
        """Mean power; None if the energy is not whole or its time is shared with work."""
        if self.energy.joules is None or not self.energy.complete or self.window.overlapping:
            return None
        return self.energy.joules / self.window.seconds


def energies(data: WindowData, iterations: int | None = None) -> tuple[MeasuredCounter, ...]:
    """The energy that each counter counted in the window: the same in every boundary. One that
    stood still in it says nothing: no device that is on draws nothing.

    ``iterations``: how often the work repeated itself in it; None if that is not known.
    """
    start_ns, end_ns = data.window.start_ns, data.window.end_ns
    each = data.window.seconds / iterations if iterations else None
    return tuple(
        MeasuredCounter(
            samples,
            without_still(
                window_energy(samples.series, _needed(samples, data.window, each), start_ns, end_ns,
                              samples.power, each),
                samples.counter, start_ns, end_ns,
            ),
        )
        for samples in data.counters
    )  # fmt: skip


def _needed(
    samples: CounterSamples, window: Window, iteration_seconds: float | None
) -> CounterData:
    """All of a window where its readings say how sure its energy is; else what lies around its
    edges: a counter that sees all of the time loses nothing in between."""
    if reads_inside(samples.series, iteration_seconds):
        return samples.counter
    return samples.edges(window)


def measure(
    data: WindowData,
    counters: Sequence[MeasuredCounter],
    boundary: Boundary,
    *,
    gpus: Sequence[str] = (),
    iterations: int | None = None,
    held_back: HeldBack | None = None,
) -> MeasuredWindow:
    """The window within a boundary; ``counters`` are the ``energies`` of ``data``."""
    inside = of_boundary([counter.series for counter in counters], boundary, gpus)
    parts = tuple(counter for counter in counters if counter.series in inside)
    energy = boundary_energy(boundary, [part.energy for part in parts])
    window = replace(
        data.window,
        joules=energy.joules,
        joules_low=energy.low,
        joules_high=energy.high,
        boundary=boundary,
        method=energy.method,
        complete=energy.complete,
    )
    return MeasuredWindow(window, energy, parts, data, tuple(gpus), iterations, held_back)


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """The windows of a run within one boundary."""

    windows: tuple[MeasuredWindow, ...]

    def of_phase(self, phase: Phase) -> list[MeasuredWindow]:
        """The windows of one phase, in order."""
        return [measured for measured in self.windows if measured.window.phase is phase]

    @property
    def repeats(self) -> list[MeasuredWindow]:
        """The measured windows, which are scored."""
        return self.of_phase(Phase.INFERENCE)

    @property
    def joules_per_inference(self) -> list[float]:
        """Of the repeats that are whole and have inferences."""
        return [
            repeat.energy.joules / repeat.window.inferences
            for repeat in self.repeats
            if repeat.energy.joules and repeat.energy.complete and repeat.window.inferences
        ]

    @property
    def baselines(self) -> tuple[MeasuredWindow | None, MeasuredWindow | None]:
        """The idle windows before the first and after the last repeat.

        The nearest that are long enough for a baseline, else the nearest.
        """
        repeats = self.repeats
        if not repeats:
            return None, None
        first = min(repeat.window.start_ns for repeat in repeats)
        last = max(repeat.window.end_ns for repeat in repeats)
        idle = sorted(self.of_phase(Phase.IDLE), key=lambda measured: measured.window.start_ns)
        before = [measured for measured in idle if measured.window.end_ns <= first]
        after = [measured for measured in idle if measured.window.start_ns >= last]
        return _baseline(before[::-1]), _baseline(after)


def _baseline(nearest_first: Sequence[MeasuredWindow]) -> MeasuredWindow | None:
    long = (m for m in nearest_first if m.window.seconds >= IDLE_SECONDS)
    return next(long, next(iter(nearest_first), None))
