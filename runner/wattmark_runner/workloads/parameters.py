"""Parameters that a workload declares, and their values."""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from wattmark_runner.errors import ParameterError

Value = str | int | float | bool
Kind = Literal["integer", "number", "string", "boolean"]
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
}
LONGEST: Final = 1000
LARGEST: Final = 2**63 - 1
"""What every language that a workload may be written in can hold."""


def shown_value(value: Value) -> str:
    """As it stands in an argument of a program, and in the settings of a score."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a request may set. ``choices`` empty: any within ``minimum`` and ``maximum``."""

    name: str
    type: str
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Value, ...] = ()
    meaning: str = ""

    def check(self, value: Any) -> Value:
        """``value`` if it may be set. Raises ``ParameterError``."""
        wrong = self._wrong(value)
        if wrong:
            raise ParameterError(f"parameters.{self.name}", f"{self.name} {wrong}")
        checked: Value = float(value) if self.type == "number" else value
        return checked

    def check_itself(self) -> None:
        """Raise ``ValueError`` if the declaration makes no sense."""
        if self.type not in get_args(Kind):
            raise ValueError(f"type is one of {', '.join(get_args(Kind))}")
        if self.default is None:
            raise ValueError("a default is needed")
        if (self.minimum, self.maximum) != (None, None) and self.type in {"string", "boolean"}:
            raise ValueError(f"a {self.type} has no minimum or maximum")
        for value in (*self.choices, self.default):
            wrong = self._wrong(value)
            if wrong:
                raise ValueError(f"{value!r} {wrong}")

    def _wrong(self, value: Any) -> str:  # anything that JSON or TOML can hold
        if not _is(value, self.type):
            return f"must be of type {self.type}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(map(str, self.choices))}"
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a finite number"
        if isinstance(value, str):
            return "" if self.choices else _wrong_text(value)
        return self._out_of_range(value)

    def _out_of_range(self, value: float) -> str:
        """Compared as it is: a whole number may be too large for a float."""
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {_shown(self.minimum)}"
        if self.maximum is not None and value > self.maximum:
            return f"must be at most {_shown(self.maximum)}"
        if isinstance(value, int) and abs(value) > LARGEST:
            return f"must be within ±{LARGEST}"
        return ""


def _is(value: Any, kind: str) -> bool:
    """True and False are numbers to Python, and to nobody else."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _shown(limit: float) -> str:
    """All its digits: 2147483647, not 2.14748e+09."""
    return str(int(limit)) if limit == math.trunc(limit) else str(limit)


def _wrong_text(value: str) -> str:
    """A text becomes an argument of a program, and must not be taken for an option of it."""
    if value.startswith("-"):
        return "must not begin with -"
    if len(value) > LONGEST or not value.isprintable():
        return f"must be at most {LONGEST} printable characters"
    return ""
