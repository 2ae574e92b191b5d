"""Was power even within a window?"""

from collections.abc import Iterator
from typing import Final

from wattmark_core.catalogue import Method
from wattmark_core.results import Check
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.checks.verdicts import against_limit
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.unsteadiness import halves

LIMIT_RATIO: Final = 0.02
FAIL_RATIO: Final = 0.10
"""The window's mean then lies 5 % from that of either half, as far as a counter may lie from the
integral of its own power: what the energy per inference is depends on where the window was cut."""


def check(
    first_watts: float | None, second_watts: float | None, *, fail: float | None = None
) -> Check:
    """Mean power of the window's halves differs by ≤ 2 %; beyond ``fail`` it fails."""
    value = None
    if first_watts is not None and second_watts is not None and first_watts + second_watts > 0:
        value = 2.0 * abs(first_watts - second_watts) / (first_watts + second_watts)
    message = "mean power of the halves, difference"
    return against_limit("steady", value, LIMIT_RATIO, "ratio", message, fail=fail)


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """Each counter warns; what fails is the power of all that the boundary counts: a small part may
    differ by more. An estimate, good within a factor of two, warns only: what makes it uneven is
    CPU time, which is judged as such."""
    for counter in measured.counters:
        yield check(*halves([counter], measured.window))
    fail = None if measured.energy.method is Method.ESTIMATED else FAIL_RATIO
    if measured.counters:
        yield check(*halves(measured.counters, measured.window), fail=fail)


CHECK: Final = CheckFamily(
    words={
        "steady": Words(
            Question.REPEATS, "even power", "Mean power of a window's halves differed by {found}",
            "Whether power was even in the windows is not known",
            "Warm up for longer, and see what else runs",
        ),
    },
    limits=(
        Limit("steady", "the window's halves differ by ≤ 2 % in mean power",
              "by more than 10 % in all that is counted; an estimate warns"),
    ),
    of_window=of_window,
)  # fmt: skip
