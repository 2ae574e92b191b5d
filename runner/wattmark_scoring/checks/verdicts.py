"""From a value to a verdict, and from many checks to the worst of each."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.results import Check, Verdict


def against_limit(
    name: str,
    value: float | None,
    limit: float,
    unit: str,
    message: str,
    *,
    fail: float | None = None,
    at_least: bool = False,
) -> Check:
    """A check that warns beyond ``limit`` and fails beyond ``fail``; without a value it warns.

    ``at_least``: the value must reach them.
    """
    if value is None:
        return Check(name, Verdict.WARNED, None, limit, unit, f"{message}: not measurable here")
    sign = -1.0 if at_least else 1.0
    verdict = Verdict.VALID
    if sign * value > sign * limit:
        verdict = Verdict.WARNED
    if fail is not None and sign * value > sign * fail:
        verdict = Verdict.INVALID
    return Check(name, verdict, float(value), limit, unit, message)


def worst(per_window: Iterable[Sequence[Check]]) -> tuple[Check, ...]:
    """One check per name: the worst over all windows, its message naming the window (from 1)."""
    worst_of: dict[str, Check] = {}
    for number, checks in enumerate(per_window, start=1):
        for check in checks:
            before = worst_of.get(check.name)
            if before is not None and _badness(check) <= _badness(before):
                continue
            if check.verdict is not Verdict.VALID:
                check = replace(check, message=f"{check.message} (window {number})")
            worst_of[check.name] = check
    return tuple(worst_of.values())


def verdict(checks: Iterable[Check]) -> Verdict:
    """The worst verdict of all checks."""
    return max((check.verdict for check in checks), key=_ORDER.index, default=Verdict.VALID)


_ORDER: Final = (Verdict.VALID, Verdict.WARNED, Verdict.INVALID)


def _badness(check: Check) -> tuple[int, float]:
    """Verdict first, then how far the value stands from its limit."""
    if check.value is None or not check.limit:
        return _ORDER.index(check.verdict), check.value or 0.0
    ratio = check.value / check.limit
    return _ORDER.index(check.verdict), max(ratio, 1.0 / ratio if ratio > 0 else 0.0)
