"""What stands beside a score for Grafana alone: its texts, the run's own time, and whether it is
the one that the run is about."""

from collections.abc import Sequence
from typing import Final

from wattmark_core.results import Score
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.power import own_windows
from wattmark_runner.views.texts import score_texts

MARGIN: Final = 0.05
"""Of the run's length, that a link shows before it and after it."""


def score_extras(record: RunRecord, score: Score, known: Sequence[Score]) -> dict[str, str | int]:
    """Under the names of ``influx_lines.RESULT_EXTRAS``; ``known``: the workload's energy scores.

    ``from_ms`` and ``to_ms`` are Unix ms; a run without windows has neither.
    """
    main = score.boundary is record.request.main_boundary
    return {**score_texts(score, known), **_shown_time(record), "main": int(main)}


def _shown_time(record: RunRecord) -> dict[str, int]:
    windows = own_windows(record)
    if not windows:
        return {}
    start_ns = min(window.start_ns for window in windows)
    end_ns = max(window.end_ns for window in windows)
    margin_ns = round(MARGIN * (end_ns - start_ns))
    return {
        "from_ms": (start_ns - margin_ns) // 1_000_000, "to_ms": (end_ns + margin_ns) // 1_000_000
    }  # fmt: skip
