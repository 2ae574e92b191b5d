"""Is the window long enough?"""

from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.sampling import is_slow

LEAST_SECONDS: Final = 1.0
"""RAPL: with the energy filter (or SGX) on, differences below 1 s are noise (INTEL-SA-00389)."""
PERIODS: Final = 100.0
"""Bare reads of a counter err by T/(√6·W) of a window W: 0.4 %."""
FAIL_RATIO: Final = 0.2


def check(seconds: float, series: Sequence[EnergySeries]) -> Check:
    """Long enough for the slowest sensor: 100·T, fail below 20·T; at least 1 s.

    Counters that ``is_slow`` are judged otherwise, in ``slow.py``.
    """
    quick = [counter.update_period_seconds for counter in series if not is_slow(counter)]
    period = max(quick, default=0.0)
    limit = max(LEAST_SECONDS, PERIODS * period)
    fail = FAIL_RATIO * limit
    return against_limit(
        "duration", seconds, limit, "s", "length of the window", fail=fail, at_least=True
    )


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.window.seconds, [counter.series for counter in measured.counters])


CHECK: Final = CheckFamily(
    words={
        "duration": Words(
            Question.SENSOR, "length of the windows", "A window lasted {found}",
            remedy="Measure longer windows", at_least=True,
        ),
    },
    limits=(
        Limit("duration", "W ≥ 100·T and ≥ 1 s; of T above 1 s see updates and half-width",
              "below 20·T or 0.2 s"),
    ),
    of_window=of_window,
)  # fmt: skip
