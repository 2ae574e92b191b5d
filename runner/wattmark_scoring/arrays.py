"""Samples as arrays, the only input of this room besides plain numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CounterData:
    """An energy counter's samples in time order, n of each.

    ``times_ns`` Unix ns, strictly ascending; ``joules`` since the start of the epoch; ``epochs``;
    ``uncertainty_seconds`` half-width of the time stamp, uniform.
    """

    times_ns: Ints
    joules: Floats
    epochs: Ints
    uncertainty_seconds: Floats

    @classmethod
    def of(
        cls,
        times_ns: Sequence[int],
        joules: Sequence[float | None],
        epochs: Sequence[int | None],
        uncertainty_seconds: Sequence[float | None],
    ) -> Self:
        """From lists; samples that lack joules, epoch or uncertainty are left out."""
        rows = [
            row
            for row in zip(times_ns, joules, epochs, uncertainty_seconds, strict=True)
            if None not in row
        ]
        columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
        return cls(
            np.array(columns[0], dtype=np.int64),
            np.array(columns[1], dtype=np.float64),
            np.array(columns[2], dtype=np.int64),
            np.array(columns[3], dtype=np.float64),
        )

    @classmethod
    def of_fields(
        cls, times_ns: Sequence[int], fields: Mapping[str, Sequence[float | None]]
    ) -> Self:
        """From the fields of samples of ``energy``, as a store and a run's record hold them."""
        missing = [None] * len(times_ns)
        joules, epochs, uncertain = (
            fields.get(name, missing) for name in ("joules", "epoch", "uncertainty_seconds")
        )
        whole = [None if epoch is None else int(epoch) for epoch in epochs]
        return cls.of(times_ns, joules, whole, uncertain)

    def inside(self, start_ns: int, end_ns: int) -> "CounterData":
        """The samples with start ≤ time ≤ end."""
        return self._only((self.times_ns >= start_ns) & (self.times_ns <= end_ns))

    def near(self, instants_ns: Iterable[int], count: int) -> "CounterData":
        """The last ``count`` samples up to each instant and the first ``count`` after it."""
        keep = np.zeros(len(self.times_ns), dtype=np.bool_)
        for instant_ns in instants_ns:
            after = int(np.searchsorted(self.times_ns, instant_ns, side="right"))
            keep[max(0, after - count) : after + count] = True
        return self._only(keep)

    def until(self, end_ns: int) -> "CounterData":
        """The samples up to an instant."""
        return self._only(self.times_ns <= end_ns)

    def _only(self, keep: NDArray[np.bool_]) -> "CounterData":
        return CounterData(
            self.times_ns[keep],
            self.joules[keep],
            self.epochs[keep],
            self.uncertainty_seconds[keep],
        )


@dataclass(frozen=True, slots=True)
class GaugeData:
    """Samples of a gauge, or of a counter without epochs: ``times_ns`` and ``values``, n each."""

    times_ns: Ints
    values: Floats

    @classmethod
    def of(cls, times_ns: Sequence[int], values: Sequence[float | None]) -> Self:
        """From lists; samples without a value are left out."""
        rows = [(t, v) for t, v in zip(times_ns, values, strict=True) if v is not None]
        return cls(
            np.array([t for t, _ in rows], dtype=np.int64),
            np.array([v for _, v in rows], dtype=np.float64),
        )

    def inside(self, start_ns: int, end_ns: int) -> "GaugeData":
        """The samples with start ≤ time ≤ end."""
        keep = (self.times_ns >= start_ns) & (self.times_ns <= end_ns)
        return GaugeData(self.times_ns[keep], self.values[keep])

    def at(self, instant_ns: int) -> float | None:
        """Interpolated at an instant; None outside the samples."""
        if len(self.times_ns) == 0 or not self.times_ns[0] <= instant_ns <= self.times_ns[-1]:
            return None
        seconds = (self.times_ns - instant_ns) / 1e9
        return float(np.interp(0.0, seconds, self.values))

    def growth(self, start_ns: int, end_ns: int) -> float | None:
        """How much a counter grew in the window; None if it does not cover it, or fell on the way
        from the last sample before it to the first after it: then it was restarted."""
        first, last = self.at(start_ns), self.at(end_ns)
        if first is None or last is None:
            return None
        before = int(np.searchsorted(self.times_ns, start_ns, side="right")) - 1
        after = int(np.searchsorted(self.times_ns, end_ns, side="left"))
        if (np.diff(self.values[before : after + 1]) < 0).any():
            return None
        return last - first
