"""The measured windows of a run: what each cost per inference, and which stands out."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.figures import JOULES, PERCENT, figure
from wattmark_core.results import Boundary, Phase, Score, Window
from wattmark_core.sample import make_tags
from wattmark_runner.records.model import RunRecord
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.boundary import boundary_energy, of_boundary
from wattmark_scoring.energy import window_energy
from wattmark_store import ViewPoint

MEASURED: Final = frozenset({Phase.INFERENCE, Phase.TRAINING})
OUTLIER_RATIO: Final = 0.05
"""Deviation from the median, beyond which a repeat is called an outlier."""
LEAST_REPEATS: Final = 3
"""Of two repeats none is the one that stands out."""


@dataclass(frozen=True, slots=True)
class _Energy:
    """Of a whole window: joules with their interval, None where that is not known."""

    joules: float
    low: float | None
    high: float | None


def repeats(record: RunRecord, score: Score) -> Iterator[ViewPoint]:
    """A point for each measured window within the score's boundary.

    Energy of a window that is not whole is left out. ``repeat`` counts from 1, as checks do.
    """
    for phase in MEASURED:
        windows = [window for window in record.windows if window.phase is phase]
        energies = {w.window_id: _energy(record, w, score.boundary) for w in windows}
        costs = {
            window.window_id: energy.joules / window.inferences
            for window in windows
            if (energy := energies[window.window_id]) and window.inferences
        }
        middle = median(costs.values()) if costs else 0.0
        for window in windows:
            fields = _fields(window, energies[window.window_id], score.method is Method.ESTIMATED)
            if middle > 0.0 and window.window_id in costs and len(costs) > 1:
                deviation = costs[window.window_id] / middle - 1.0
                fields["deviation_ratio"] = deviation
                if abs(deviation) > OUTLIER_RATIO and len(costs) >= LEAST_REPEATS:
                    fields["outlier"] = _outlier(deviation)
            yield ViewPoint("repeat", make_tags(_tags(window, score)), fields, window.start_ns)


def _outlier(deviation: float) -> str:
    side = "above" if deviation > 0.0 else "below"
    return f"outlier: {figure(100.0 * abs(deviation), unit=PERCENT)} {side} the median"


def _tags(window: Window, score: Score) -> dict[str, str]:
    return {
        "run_id": score.run_id, "host": score.host, "model": score.model,
        "workload": score.workload, "variant": score.variant, "place": score.place,
        "boundary": str(score.boundary), "phase": str(window.phase),
    }  # fmt: skip


def _fields(
    window: Window, energy: _Energy | None, estimated: bool
) -> dict[str, float | int | str]:
    fields: dict[str, float | int | str] = {
        "repeat": window.repeat + 1, "seconds": window.seconds,
        "start_ms": window.start_ns // 1_000_000, "end_ms": window.end_ns // 1_000_000,
    }  # fmt: skip
    if window.inferences is not None:
        fields["inferences"] = window.inferences
    if energy is None:
        return fields
    fields["watts"] = energy.joules / window.seconds
    if not window.inferences:
        return fields
    per_inference = [
        None if joules is None else joules / window.inferences
        for joules in (energy.joules, energy.low, energy.high)
    ]
    names = ("", "_low", "_high")
    fields |= {
        f"joules_per_inference{name}": value
        for name, value in zip(names, per_inference, strict=True)
        if value is not None
    }
    value, low, high = per_inference
    fields["energy_text"] = figure(value, low, high, JOULES, estimated=estimated)
    return fields


def _energy(record: RunRecord, window: Window, boundary: Boundary) -> _Energy | None:
    """Within a boundary; None unless the window is whole.

    The record holds its windows' energy within one boundary, and of the others the counters'
    samples at the edges. Those of a sensor that looks only now and then say how much energy it
    was, not how sure that is: then the interval is not known.
    """
    if window.boundary is boundary:
        if window.joules is None or not window.complete:
            return None
        return _Energy(window.joules, window.joules_low, window.joules_high)
    parts = of_boundary(record.series, boundary, record.request.gpus)
    edges = record.edges.get(window.window_id, [])
    energy = boundary_energy(
        boundary,
        [
            window_energy(part, _counter(edges, part), window.start_ns, window.end_ns)
            for part in parts
        ],
    )
    if energy.joules is None or not energy.complete or not window.complete:
        return None
    if any(part.method is Method.INTEGRATED or part.coverage_ratio < 1.0 for part in parts):
        return _Energy(energy.joules, None, None)
    return _Energy(energy.joules, energy.low, energy.high)


def _counter(edges: list[dict[str, Any]], series: EnergySeries) -> CounterData:
    for counter in edges:
        if counter["tags"].items() >= series.tags.items():
            return CounterData.of_fields(counter["times_ns"], counter["fields"])
    return CounterData.of([], [], [], [])
