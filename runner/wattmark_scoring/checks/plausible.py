"""Can the device draw what its counter says?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.labels import counter as counter_name
from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LIMIT_RATIO: Final = 1.1
"""Of the device's own limit: boards overshoot it for a moment."""


def check(series: EnergySeries, joules: float | None, seconds: float) -> Check:
    """More than nothing and at most 1.1 × the device's limit, else it fails."""
    message = f"mean power of {counter_name(series.domain, series.device)}"
    if joules is None or joules <= 0.0:
        return Check("plausible", Verdict.INVALID, joules, 0.0, "W", f"{message}: no energy")
    watts = joules / seconds
    if series.limit_watts is None:
        return Check("plausible", Verdict.VALID, watts, None, "W", f"{message}; limit not known")
    limit = LIMIT_RATIO * series.limit_watts
    return against_limit("plausible", watts, limit, "W", message, fail=limit)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each counter."""
    for counter in measured.counters:
        yield check(counter.series, counter.energy.joules, measured.window.seconds)


CHECK: Final = CheckFamily(
    words={
        "plausible": Words(
            Question.SENSOR, "plausible power", "Mean power of {device} was {found}",
            "No energy of {device} was counted",
            "Look at the sensor: it reads nothing, or more than the device can draw",
            device=r"mean power of (.*?)(?:: no energy|; limit not known)?$",
        ),
    },
    limits=(Limit("plausible", "mean power above 0 and ≤ 1.1 × the device's limit", "beyond"),),
    of_window=of_window,
)  # fmt: skip
