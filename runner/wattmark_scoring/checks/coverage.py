"""Does a sensor that sees a part of the time only see enough? See ``sampling.py`` for the source.

In step with the load, such a sensor sees the same part of each iteration again and again.
"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LEAST_SECONDS: Final = 5.0
LEAST_ITERATIONS: Final = 32.0
LEAST_DISTANCE: Final = 0.05
MOST_MULTIPLE: Final = 10.5
"""A multiple or a fraction up to 10 is looked at."""


def check(series: EnergySeries, seconds: float, iterations: int | None) -> list[Check]:
    """Part-time sensors: ≥ 32 iterations, ≥ 5 s, and not in step with the sensor's period.

    In step: the iteration's period lies within 5 % of a multiple or a fraction (up to 10) of T.
    """
    if series.coverage_ratio >= 1.0:
        return []
    text = f"{series.device} sees {series.coverage_ratio:.0%} of the time"
    count = None if iterations is None else float(iterations)
    checks = [
        against_limit("coverage length", seconds, LEAST_SECONDS, "s", text, at_least=True),
        against_limit("coverage iterations", count, LEAST_ITERATIONS, "", text, at_least=True),
    ]
    if iterations:
        message = "distance of the iteration's period from a multiple or fraction of T"
        distance = _distance(seconds / iterations / series.update_period_seconds)
        checks.append(
            against_limit("coverage step", distance, LEAST_DISTANCE, "ratio", message,
                          at_least=True)
        )  # fmt: skip
    return checks


def _distance(ratio: float) -> float:
    ratio = max(ratio, 1.0 / ratio)
    return abs(ratio - round(ratio)) / round(ratio) if ratio <= MOST_MULTIPLE else 1.0


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each counter."""
    for counter in measured.counters:
        yield from check(counter.series, measured.window.seconds, measured.iterations)


def _words(what: str, sentence: str, unknown: str, remedy: str) -> Words:
    return Words(
        Question.SENSOR, f"{what}, for a part-time sensor", sentence, unknown, remedy,
        at_least=True, device=r"^(.*) sees",
    )  # fmt: skip


CHECK: Final = CheckFamily(
    words={
        "coverage length": _words(
            "length", "A window lasted {found}, and {device} sees a part of the time only", "",
            "Measure longer windows",
        ),
        "coverage iterations": _words(
            "batches", "A window held {found} batches, and {device} sees a part of the time only",
            "How many batches a window held is not known, and {device} sees a part of the time"
            " only", "Measure longer windows",
        ),
        "coverage step": _words(
            "not in step", "The batches' period lies {found} from the beat of a sensor that sees a"
            " part of the time only", "", "Change the batch size",
        ),
    },
    limits=(
        Limit("coverage length, iterations, step", "part-time sensors: ≥ 5 s, ≥ 32 iterations, the"
              " iteration's period not within 5 % of a multiple or fraction of T"),
    ),
    of_window=of_window,
)  # fmt: skip
