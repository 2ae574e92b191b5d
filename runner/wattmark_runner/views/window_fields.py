"""A window as those who follow a run read it: over REST and in the run's events."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from wattmark_core.codec import from_json, to_json
from wattmark_core.results import Phase, Window
from wattmark_runner.records.database import WindowRow

SHOWN: Final = (
    "host", "phase", "model", "workload", "label", "start_ns", "end_ns", "max_seconds",
    "inferences", "correct", "cpu_seconds", "joules", "joules_low", "joules_high", "boundary",
    "method", "complete", "overlapping",
)  # fmt: skip


def row_fields(row: WindowRow) -> dict[str, Any]:
    """JSON values of a window of code elsewhere. ``end_ns`` is None until it is closed."""
    window = row.window
    values = {
        **{name: getattr(window, name) for name in SHOWN if hasattr(window, name)},
        "end_ns": window.end_ns if row.state == "closed" else None,
        "max_seconds": row.max_seconds,
    }
    fields: dict[str, Any] = to_json({
        "window_id": window.window_id, "run_id": window.run_id, "state": row.state,
        "clock": window.clock, **{name: values[name] for name in SHOWN},
        "warnings": row.warnings,
    })  # fmt: skip
    return fields


def window_fields(window: Window) -> dict[str, Any]:
    """The same of a closed window of a run of the runner's own."""
    return row_fields(WindowRow(window, "closed"))


def windows_from(bodies: Iterable[Mapping[str, Any]]) -> list[Window]:
    """All windows of a run of the runner's own, from their ``window_fields`` in order."""
    count: Counter[Phase] = Counter()
    windows = []
    for body in bodies:
        window = from_json(Window, body)
        windows.append(replace(window, repeat=count[window.phase]))
        count[window.phase] += window.phase is not Phase.IDLE  # both baselines are the first
    return windows
