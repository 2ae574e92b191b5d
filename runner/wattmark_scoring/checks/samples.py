"""Are there enough power samples where power is integrated?"""

from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check, Verdict
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words, of_powers
from wattmark_scoring.checks.verdicts import against_limit

LIMIT: Final = 100.0
FAIL: Final = 30.0


def check(series: EnergySeries, power: GaugeData | None, start_ns: int, end_ns: int) -> Check:
    """Integrated power needs ≥ 100 samples, fail below 30; counters need their edges only."""
    if series.method is not Method.INTEGRATED:
        return Check("samples", Verdict.VALID, None, None, "", "a counter needs its edges only")
    count = None if power is None else float(len(power.inside(start_ns, end_ns).values))
    message = f"power samples of {series.device}"
    return against_limit("samples", count, LIMIT, "", message, fail=FAIL, at_least=True)


CHECK: Final = CheckFamily(
    words={
        "samples": Words(
            Question.SENSOR, "power samples", "Power samples of {device} in a window: {found}",
            "How many power samples of {device} there are is not known",
            "Measure longer windows, or let the exporter read more often",
            at_least=True, device=r"power samples of (.*?)(?:: not measurable here)?$",
        ),
    },
    limits=(Limit("samples", "≥ 100 where power is integrated", "below 30"),),
    of_window=of_powers(check),
)  # fmt: skip
