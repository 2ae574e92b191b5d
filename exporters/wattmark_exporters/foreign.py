"""What a user's sensor says, checked before anything is made of it.

Whatever is in its process may be wrong; here it becomes an error with the part's name. All raise
``SensorFailed``.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from wattmark_core.errors import SensorFailed
from wattmark_core.printable import printable, quoted
from wattmark_exporters.readings import Traits

MOST_NAME_CHARACTERS: Final = 200
"""Of what tells devices and series apart: two must not become one by being cut."""
MOST_TEXT_CHARACTERS: Final = 1000
"""Of a note or a reason; what is longer is cut."""
MOST_CONSTANTS: Final = 100
SHORTEST_INTERVAL_SECONDS: Final = 0.001
LONGEST_INTERVAL_SECONDS: Final = 86_400.0
_ELLIPSIS: Final = "…"


def text(given: object) -> str:
    """Printable text for people."""
    shown = printable(" ".join(str(given)[: MOST_TEXT_CHARACTERS + 1].split()))
    cut = len(shown) > MOST_TEXT_CHARACTERS
    return shown[: MOST_TEXT_CHARACTERS - 1] + _ELLIPSIS if cut else shown


def name(given: object, what: str) -> str:
    """A printable name; ``what``: of what."""
    if not isinstance(given, str) or not given:
        raise SensorFailed(f"{what} is {_shown(given)}, not a name")
    shown = printable(given[: MOST_NAME_CHARACTERS + 1])
    if len(shown) > MOST_NAME_CHARACTERS:
        raise SensorFailed(
            f"{what} has over {MOST_NAME_CHARACTERS} characters: {quoted(given, 40)}"
        )
    return shown


def number(given: object, what: str, least: float = -math.inf) -> float:
    """A finite number."""
    if not isinstance(given, int | float) or not math.isfinite(given) or given < least:
        bound = "" if least == -math.inf else f" from {least:g} up"
        raise SensorFailed(f"{what} is {_shown(given)}, not a number{bound}")
    return float(given)


def value(given: object, what: str) -> float:
    """A reading: a number, which need not be finite, as no reading is NaN."""
    if not isinstance(given, int | float):
        raise SensorFailed(f"{what} is {_shown(given)}, not a number")
    return given


def interval(given: object) -> float:
    """Between two reads, s."""
    seconds = number(given, "interval_seconds")
    if not SHORTEST_INTERVAL_SECONDS <= seconds <= LONGEST_INTERVAL_SECONDS:
        raise SensorFailed(
            f"interval_seconds is {seconds:g}, not from {SHORTEST_INTERVAL_SECONDS:g} s to a day"
        )
    return seconds


def constants(given: object) -> dict[str, float]:
    """Those of a sensor."""
    if not isinstance(given, Mapping) or len(given) > MOST_CONSTANTS:
        raise SensorFailed(f"constants() gives no mapping of at most {MOST_CONSTANTS} numbers")
    return {name(key, "a constant"): number(one, f"constant {key}") for key, one in given.items()}


def tags(given: object) -> dict[str, str]:
    """Of a series; an empty one is none."""
    kept = [(key, one) for key, one in _mapping(given, "tags") if one != ""]
    return {name(key, "a tag"): name(one, f"tag {key}") for key, one in kept}


def fields(given: object) -> dict[str, float]:
    """Of a sample."""
    return {
        name(key, "a field"): value(one, f"field {key}") for key, one in _mapping(given, "fields")
    }


def traits(given: Any) -> Traits:
    """Of a device, in the order of its fields."""
    period, ticking, averaging, coverage, wrap, limit, label, note = given
    return Traits(
        number(period, "update_period_seconds", 0), bool(ticking),
        number(averaging, "averaging_seconds", 0), number(coverage, "coverage_ratio", 0),
        None if wrap is None else number(wrap, "wrap_joules", 0),
        None if limit is None else number(limit, "limit_watts", 0),
        text(label), text(note),
    )  # fmt: skip


def _mapping(given: object, what: str) -> list[tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        raise SensorFailed(f"the {what} of Values are {_shown(given)}, not a mapping")
    return list(given.items())


def _shown(given: object) -> str:
    return quoted(given, 40) if isinstance(given, str) else quoted(repr(given)[:41], 40)
