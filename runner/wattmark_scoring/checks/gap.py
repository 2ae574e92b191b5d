"""Was the sensor read throughout?"""

from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.labels import counter as counter_name
from wattmark_core.results import Check, Verdict
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words, of_counters
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.sampling import is_slow

READS: Final = 3.0
WINDOW_RATIO: Final = 0.02
"""Where power is integrated."""
LEAST_SECONDS: Final = 0.06
"""Three looks at 50 Hz: a limit for a short window of integrated power is not below it."""


def check(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> Check:
    """Largest gap between samples: 3 reads; for integrated power also 2 % of the window. Fails.

    A counter loses nothing between two reads, so the share of the window limits it not; nor is
    there a limit for one that ``is_slow``, see ``slow.py``.
    """
    if is_slow(series):
        return Check("gap", Verdict.VALID, None, None, "", "a slow counter is judged by its ticks")
    inside = counter.inside(start_ns, end_ns).times_ns
    times = np.concatenate(([start_ns], inside, [end_ns]))
    limit = READS * max(series.interval_seconds, series.update_period_seconds)
    if series.method is Method.INTEGRATED:
        limit = min(limit, max(LEAST_SECONDS, WINDOW_RATIO * (end_ns - start_ns) / 1e9))
    value = float(np.diff(times).max()) / 1e9
    message = f"largest gap between samples of {counter_name(series.domain, series.device)}"
    return against_limit("gap", value, limit, "s", message, fail=limit)


CHECK: Final = CheckFamily(
    words={
        "gap": Words(
            Question.SENSOR, "gaps between samples",
            "The largest gap between samples of {device} was {found}",
            remedy="See in the exporter's log why reads were left out, then measure again",
            device=r"samples of (.*)$",
        ),
    },
    limits=(
        Limit("gap", "3 reads¹, if T ≤ 1 s; where power is integrated also 2 % of W", "beyond"),
    ),
    of_window=of_counters(check),
)  # fmt: skip
