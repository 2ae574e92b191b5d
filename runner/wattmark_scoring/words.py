"""Checks in words: which question each answers, what was found, what was allowed, what to do.

One home for every surface, over the words of ``checks``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import shorten
from typing import Final

from wattmark_core.figures import JOULES, MISSING, PERCENT, WATTS, Unit, count, figure
from wattmark_core.results import Check, Score, Verdict
from wattmark_scoring.checks import WORDS, Question, Words

PASSED: Final = "every check passed"
UNSCORED: Final = "no energy was measured"
MOST_SHOWN: Final = 3
MOST_LETTERS: Final = 220
RANKS: Final = {Verdict.INVALID: 0, Verdict.WARNED: 1, Verdict.VALID: 2}
"""For sorting: what did not pass comes first."""
_IN_WINDOW: Final = re.compile(r" \(window (\d+)\)$")
_UNITS: Final[Mapping[str, tuple[float, Unit]]] = {
    "ratio": (100.0, PERCENT),
    "s": (1.0, Unit("s", smallest=-6)),
    "cores": (1.0, Unit("cores", prefixed=False)),
    "J": (1.0, JOULES),
    "W": (1.0, WATTS),
}
"""Unit of a check → what its value is multiplied with, and the unit that is shown."""


def words_of(check: Check) -> Words:
    """Of a check that an older version made, and that has no words any more: its own name."""
    return WORDS.get(check.name) or Words(
        Question.SENSOR, check.name, f"{check.name}: {{found}}", check.message
    )


def found(check: Check) -> str:
    """The value that was found, with its unit."""
    state = words_of(check).states.get(check.verdict)
    if state is not None:
        return state[0].format(device=_device(check))
    return _shown(check, check.value)


def allowed(check: Check) -> str:
    """The limit: ``at most 2 %``."""
    words = words_of(check)
    if check.limit is None or words.states:
        return MISSING
    if not check.limit and not words.at_least:
        return "none"
    return f"{'at least' if words.at_least else 'at most'} {_limit(check)}"


def meaning(check: Check) -> str:
    """One or two sentences: what was found beside the limit, and what to do if it did not pass."""
    words = words_of(check)
    sentence = f"{finding(check)}."
    if check.verdict is Verdict.VALID or not words.remedy:
        return sentence
    return f"{sentence} {words.remedy}."


def finding(check: Check) -> str:
    """What was found beside the limit, without a full stop."""
    words = words_of(check)
    where = _IN_WINDOW.search(check.message)
    message = _IN_WINDOW.sub("", check.message)
    repeat = f", in repeat {where[1]}" if where and words.of_a_window else ""
    state = words.states.get(check.verdict)
    if state is not None:
        sentence = state[1]
    elif check.value is not None and words.sentence:
        sentence, repeat = words.sentence, repeat + _beside(check, words)
    else:
        sentence = words.unknown if check.verdict is not Verdict.VALID else ""
    if not sentence or sentence.startswith("{message}"):
        message = message[:1].upper() + message[1:]
    sentence = sentence or "{message}"
    return sentence.format(message=message, device=_device(check), found=found(check)) + repeat


def findings(score: Score) -> str:
    """One line: the worst three that did not pass, as sentences, and how many more there are; else
    that every check passed. Three that are too long together are two or one."""
    failed = [check for check in worst_first(score.checks) if check.verdict is not Verdict.VALID]
    if not failed:
        return PASSED if score.verdict is Verdict.VALID else UNSCORED
    texts = [_first(failed, number) for number in range(1, min(MOST_SHOWN, len(failed)) + 1)]
    short = [text for text in texts if len(text) <= MOST_LETTERS]
    return short[-1] if short else shorten(texts[0], MOST_LETTERS, placeholder=" …")


def _first(failed: Sequence[Check], number: int) -> str:
    left = len(failed) - number
    return ". ".join([*map(finding, failed[:number]), *([f"And {left} more"] if left else [])])


def worst_first(checks: Iterable[Check]) -> list[Check]:
    """By verdict, then causes before what they cause."""
    order = {name: number for number, name in enumerate(WORDS)}
    return sorted(
        checks, key=lambda check: (RANKS[check.verdict], order.get(check.name, len(order)))
    )


def _beside(check: Check, words: Words) -> str:
    if check.limit is None:
        return ""
    if not check.limit and not words.at_least:
        return "; allowed none" if check.verdict is not Verdict.VALID else ""
    return f"; {'needed' if words.at_least else 'allowed'} {_limit(check)}"


def _shown(check: Check, value: float | None) -> str:
    if value is None:
        return MISSING
    if check.unit not in _UNITS:
        return count(int(value)) if float(value).is_integer() else f"{value:.3g}"
    factor, unit = _UNITS[check.unit]
    return figure(factor * value, unit=unit)


def _limit(check: Check) -> str:
    """A limit is exact: no digit more than it has."""
    factor, unit = _UNITS.get(check.unit, (1.0, Unit("")))
    return f"{factor * (check.limit or 0.0):.4g} {unit.symbol}".rstrip()


def _device(check: Check) -> str:
    pattern = words_of(check).device
    place = re.search(pattern, _IN_WINDOW.sub("", check.message)) if pattern else None
    return place[1] if place else "a sensor"
