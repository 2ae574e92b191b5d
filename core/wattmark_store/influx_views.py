"""What Grafana shows of runs beside windows and scores: names, tags and types of its points.

They repeat what a run's record holds in a form that InfluxQL and Grafana can show as it is, and
nobody reads them back: ``Score`` and ``Window`` are the results.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class View(NamedTuple):
    """One measurement of ``results``: its tags, and its fields with their types."""

    tags: tuple[str, ...]
    fields: Mapping[str, type[float] | type[int] | type[str]]


RESULT_VIEWS: Final[Mapping[str, View]] = {
    "phase": View(("run_id", "host"), {"phase": str}),
    "check": View(
        ("run_id", "host", "boundary", "check"),
        {"verdict": str, "rank": int, "found": str, "allowed": str, "meaning": str},
    ),
    "repeat": View(
        ("run_id", "host", "model", "workload", "variant", "place", "boundary", "phase"),
        {
            "repeat": int,
            "joules_per_inference": float,
            "joules_per_inference_low": float,
            "joules_per_inference_high": float,
            "energy_text": str,
            "deviation_ratio": float,
            "outlier": str,
            "watts": float,
            "seconds": float,
            "inferences": int,
            "start_ms": int,
            "end_ms": int,
        },
    ),
    "window_power": View(
        ("run_id", "host", "window_id", "phase", "domain", "device", "method"),
        {"watts": float, "seconds": float},
    ),
    "isoline": View(
        ("workload", "boundary", "line"),
        {"joules_per_inference": float, "accuracy": float},
    ),
}
"""``phase`` where one begins, and ``none`` where one ends; ``check`` at the run's start, ``repeat`` at its window's, ``window_power`` at each point's own
time, ``isoline`` at 0, 1, 2 … ns."""
