"""Do a sensor's energy counter and its own power agree?"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow

LIMIT_RATIO: Final = 0.02
FAIL_RATIO: Final = 0.05
LEAST_SAMPLES: Final = 10
"""With fewer inside, the integral says nothing."""


def check(
    series: EnergySeries,
    joules: float | None,
    power: GaugeData | None,
    start_ns: int,
    end_ns: int,
) -> Check | None:
    """Counter against the integral of the sensor's own power: warn above 2 %, fail above 5 %.

    None where the sensor gives only one of the two.
    """
    if series.method is not Method.COUNTER or power is None or joules is None:
        return None
    inside = power.inside(start_ns, end_ns)
    first, last = power.at(start_ns), power.at(end_ns)
    if first is None or last is None or len(inside.values) < LEAST_SAMPLES:
        return None
    seconds = (np.concatenate(([start_ns], inside.times_ns, [end_ns])) - start_ns) / 1e9
    watts = np.concatenate(([first], inside.values, [last]))
    integral = float(np.trapezoid(watts, seconds))
    value = abs(joules / integral - 1.0) if integral > 0 else None
    message = f"counter against integrated power, {series.device}"
    return against_limit("agreement", value, LIMIT_RATIO, "ratio", message, fail=FAIL_RATIO)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each counter whose sensor gives power, too."""
    window = measured.window
    for counter in measured.counters:
        agreement = check(
            counter.series, counter.energy.joules, counter.samples.power,
            window.start_ns, window.end_ns,
        )  # fmt: skip
        if agreement is not None:
            yield agreement


CHECK: Final = CheckFamily(
    words={
        "agreement": Words(
            Question.SENSOR, "counter and power agree",
            "Energy counter and integrated power of {device} differ by {found}",
            "Whether energy counter and power of {device} agree is not known",
            "Do not trust this sensor: check it against a meter",
            device=r"power, (.*?)(?:: not measurable here)?$",
        ),
    },
    limits=(
        Limit("agreement", "counter against integral of the same sensor's power: 2 %",
              "beyond 5 %"),
    ),
    of_window=of_window,
)  # fmt: skip
