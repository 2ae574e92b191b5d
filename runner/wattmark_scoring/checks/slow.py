"""Did a counter that ticks more seldom than once a second show enough of the window?

A Prometheus target is scraped every 15 s, a power meter at the wall may answer once a minute. Such
a counter is judged by how sure the window's energy is, whatever its length in periods.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from wattmark_core.labels import counter as counter_name
from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredCounter, MeasuredWindow
from wattmark_scoring.sampling import is_slow

LEAST_UPDATES: Final = 5.0
"""Fewer show neither whether the load was steady nor how power moves between two of them."""
HALF_WIDTH_RATIO: Final = 0.02
HALF_WIDTH_FAIL: Final = 0.10


def updates(counter: MeasuredCounter, start_ns: int, end_ns: int) -> Check:
    """Distinct values inside the window: at least 5, else it fails."""
    inside = counter.samples.counter.inside(start_ns, end_ns)
    count = float(len(np.unique(inside.joules)))
    text = f"ticks of {_name(counter)} inside the window"
    return against_limit("updates", count, LEAST_UPDATES, "", text, fail=LEAST_UPDATES,
                         at_least=True)  # fmt: skip


def half_width(counter: MeasuredCounter) -> Check:
    """Half-width of the window's 95 % interval over its energy: 2 %, fail above 10 %."""
    energy = counter.energy
    known = energy.complete and energy.joules is not None and energy.joules > 0.0
    ratio = energy.half_width_joules / energy.joules if known and energy.joules else None
    text = f"half-width of the energy of {_name(counter)}"
    return against_limit("half-width", ratio, HALF_WIDTH_RATIO, "ratio", text,
                         fail=HALF_WIDTH_FAIL)  # fmt: skip


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Of each slow counter."""
    for counter in measured.counters:
        if is_slow(counter.series):
            yield updates(counter, measured.window.start_ns, measured.window.end_ns)
            yield half_width(counter)


def _name(counter: MeasuredCounter) -> str:
    return counter_name(counter.series.domain, counter.series.device)


CHECK: Final = CheckFamily(
    words={
        "updates": Words(
            Question.SENSOR, "updates of a slow counter",
            "Ticks of {device} in a window: {found}",
            remedy="Measure longer windows, or scrape the target more often", at_least=True,
            device=r"^ticks of (.*) inside",
        ),
        "half-width": Words(
            Question.SENSOR, "sureness of a slow counter",
            "The energy that {device} counted in a window is sure to ± {found}",
            "How sure the energy of {device} is is not known",
            "Measure longer windows, or scrape the target more often",
            device=r"^half-width of the energy of (.*?)(?:: not measurable here)?$",
        ),
    },
    limits=(
        Limit("updates", "counters with T above 1 s: ≥ 5 ticks inside", "fewer"),
        Limit("half-width", "counters with T above 1 s: the window's energy is sure to ± 2 %",
              "beyond 10 %"),
    ),
    of_window=of_window,
)  # fmt: skip
