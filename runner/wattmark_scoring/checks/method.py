"""Is the energy measured, or estimated?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.results import Check, Verdict
from wattmark_scoring.boundary import BoundaryEnergy
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(energy: BoundaryEnergy) -> Check:
    """Estimated energy is never better than warned."""
    estimated = energy.method is Method.ESTIMATED
    verdict = Verdict.WARNED if estimated else Verdict.VALID
    text = "energy is estimated: relative only" if estimated else f"method {energy.method}"
    return Check("method", verdict, None, None, "", text)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    yield check(measured.energy)


CHECK: Final = CheckFamily(
    words={
        "method": Words(
            Question.SENSOR, "measured or estimated",
            remedy="To publish it, measure on a machine with a counter of energy",
            states={
                Verdict.VALID: ("{device}", "Energy is measured ({device})"),
                Verdict.WARNED: ("ESTIMATED", "Energy is ESTIMATED from CPU time, within ×/÷ 2:"
                                 " compare on this host only"),
            },
            device=r"method (\w+)", of_a_window=False,
        ),
    },
    limits=(Limit("method", "measured", "never: an estimate warns"),),
    of_window=of_window,
)  # fmt: skip
