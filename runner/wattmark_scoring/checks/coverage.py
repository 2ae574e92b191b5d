"""Does a sensor that sees a part of the time only see enough? See ``sampling.py`` for the source.

In step with the load, such a sensor sees the same part of each iteration again and again: then, and
where there are too few readings, the interval is the worst case and not made of the readings.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.iterations import LEAST_BEATS, beats
from wattmark_scoring.looks import Looks
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.sampling import NO_SPREAD, Basis, Spread

LEAST_SECONDS: Final = 5.0
LEAST_ITERATIONS: Final = 32.0


def check(
    series: EnergySeries, seconds: float, iterations: int | None, spread: Spread = NO_SPREAD
) -> list[Check]:
    """Part-time sensors: ≥ 32 iterations, ≥ 5 s, and not in step with the sensor's period: in the
    window their looks beat with the iterations ≥ 2 times, as ``beats`` counts. ``spread``: of the
    window's energy, which says what its interval rests on.
    """
    text = f"{series.device} sees {series.coverage_ratio:.0%} of the time"
    checks = _of_part_time(series, seconds, iterations, text) if series.coverage_ratio < 1.0 else []
    if spread.basis is Basis.READINGS:
        checks.append(Check("coverage interval", Verdict.VALID, None, None, "", text))
    if spread.basis is Basis.WORST_CASE:
        message = f"{text}: {spread.reason}"
        checks.append(Check("coverage interval", Verdict.WARNED, None, None, "", message))
    return checks


def _of_part_time(
    series: EnergySeries, seconds: float, iterations: int | None, text: str
) -> list[Check]:
    count = None if iterations is None else float(iterations)
    checks = [
        against_limit("coverage length", seconds, LEAST_SECONDS, "s", text, at_least=True),
        against_limit("coverage iterations", count, LEAST_ITERATIONS, "", text, at_least=True),
    ]
    if iterations:
        period = series.update_period_seconds
        seen = Looks(np.zeros(round(seconds / period)), period, series.coverage_ratio)
        message = f"{text}: its looks beat with the batches so many times in a window"
        value = round(beats(seen, seconds / iterations), 3)
        checks.append(
            against_limit("coverage step", value, LEAST_BEATS, "", message, at_least=True)
        )
    return checks


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each counter."""
    for counter in measured.counters:
        yield from check(
            counter.series, measured.window.seconds, measured.iterations, counter.energy.spread
        )


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
            "not in step", "The looks of {device}, which sees a part of the time only, beat with"
            " the batches {found} times in a window", "", "Change the batch size",
        ),
        "coverage interval": Words(
            Question.SENSOR, "what the interval of a part-time sensor rests on",
            remedy="Change the batch size, or measure longer windows",
            states={
                Verdict.VALID: ("readings", "The interval is made of the readings of {device}"),
                Verdict.WARNED: ("WORST CASE", "The interval is the worst case: {message}"),
            },
            device=r"^(.*) sees",
        ),
    },
    limits=(
        Limit("coverage length, iterations, step", "part-time sensors: ≥ 5 s, ≥ 32 iterations,"
              " whose beat with T comes ≥ 2 times in a window (of waves 4 to 10 once)"),
        Limit("coverage interval", "made of the readings", "never: the worst case warns"),
    ),
    of_window=of_window,
)  # fmt: skip
