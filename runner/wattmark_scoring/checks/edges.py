"""Is there a sample close to each edge of the window?"""

from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.labels import counter as counter_name
from wattmark_core.results import Check
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words, of_counters
from wattmark_scoring.checks.verdicts import against_limit

READS: Final = 2.0


def check(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> Check:
    """A sample within two reads outside each edge."""
    before = counter.times_ns[counter.times_ns <= start_ns]
    after = counter.times_ns[counter.times_ns >= end_ns]
    value = None
    if len(before) and len(after):
        value = float(max(start_ns - before[-1], after[0] - end_ns)) / 1e9
    limit = READS * max(series.interval_seconds, series.update_period_seconds)
    message = f"nearest sample outside the edges, {counter_name(series.domain, series.device)}"
    return against_limit("edges", value, limit, "s", message)


CHECK: Final = CheckFamily(
    words={
        "edges": Words(
            Question.SENSOR, "samples at the edges",
            "The nearest sample of {device} outside a window's edges was {found} away",
            "No sample of {device} lies outside a window's edges",
            "See in the exporter's log why reads were left out, then measure again",
            device=r"edges, (.*?)(?:: not measurable here)?$",
        ),
    },
    limits=(Limit("edges", "a sample within 2 reads¹ outside each edge"),),
    of_window=of_counters(check),
)  # fmt: skip
