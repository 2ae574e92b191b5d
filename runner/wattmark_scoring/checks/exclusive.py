"""Did the window have its time for itself?"""

from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.results import Check, Verdict
from wattmark_scoring.checks.definition import CheckFamily, Limit, Question, Words
from wattmark_scoring.measured import MeasuredWindow


def check(overlapping: bool, holders: Sequence[str] = (), claims: Sequence[str] = ()) -> Check:
    """Another window of the host shares the time: measured, but not attributable.

    ``holders``: of other programs' leases at the same exporter, who measured meanwhile. ``claims``:
    windows that are said to share its time: one of the two has its client's own times, which nobody
    can check, so that both are warned and neither is invalid.
    """
    if overlapping or holders:
        named = [f"{name} measured at the same time" for name in holders]
        shared = ["another window of the host shared the time"] if overlapping else []
        return Check("exclusive", Verdict.INVALID, 1.0, 0.0, "", "; ".join([*shared, *named]))
    if claims:
        return Check("exclusive", Verdict.WARNED, 1.0, 0.0, "", "; ".join(claims))
    return Check("exclusive", Verdict.VALID, 0.0, 0.0, "", "no other window shares its time")


def of_window(measured: MeasuredWindow) -> Iterator[Check]:
    """See ``check``."""
    facts = measured.data.facts
    yield check(measured.window.overlapping, facts.others, list(facts.claims.values()))


CHECK: Final = CheckFamily(
    words={
        "exclusive": Words(
            Question.MACHINE, "no other window",
            remedy="Measure one thing at a time on a host",
            states={
                Verdict.VALID: ("alone", "No other window shared the time"),
                Verdict.WARNED: ("said to be shared", "Of two windows one has its client's own"
                                 " times, and they are said to share time: {message}"),
                Verdict.INVALID: ("shared", "{message}, so what it cost cannot be told apart"),
            },
        ),
    },
    limits=(
        Limit("exclusive", "no other window of the host shares the time, and nobody else measures"
              " at its exporter", "otherwise; where one of two windows has its client's own times"
              " both warn"),
    ),
    of_window=of_window,
)  # fmt: skip
