"""Reading a TOML table key by key: what nobody asked for is an error."""

import math
from collections.abc import Mapping
from typing import Any, Final

from wattmark_core.errors import ConfigurationError

LARGEST: Final = 2**63 - 1


class Table:
    """A table at ``place`` (file and keys). Every error is one line that names the key."""

    def __init__(self, place: str, values: Mapping[str, Any]) -> None:
        self._place = place
        self._values = dict(values)
        self._seen: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def wrong(self, key: str, message: str) -> ConfigurationError:
        """The error that says what is wrong with a key."""
        place = f"{self._place}.{key}" if key else self._place
        return ConfigurationError(f"{place}: {message}")

    def done(self) -> None:
        """Raise ``ConfigurationError`` for a key that was not asked for."""
        for key in self._values:
            if key not in self._seen:
                known = ", ".join(sorted(self._seen))
                raise self.wrong(key, f"unknown key; known are {known}")

    def value(self, key: str) -> Any:
        """Whatever stands there; None if nothing does."""
        self._seen.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str) -> str:
        """A string."""
        found = self.value(key)
        if found is None:
            return default
        if not isinstance(found, str):
            raise self.wrong(key, "must be a string")
        return found

    def names(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of strings; neither it nor they are empty."""
        found = self.several(key)
        if found is None:
            return default
        if not found or not all(isinstance(each, str) and each for each in found):
            raise self.wrong(key, "must be a list of strings that are not empty")
        return found

    def several(self, key: str) -> tuple[Any, ...] | None:
        """A list of whatever."""
        found = self.value(key)
        if found is None:
            return None
        if not isinstance(found, list):
            raise self.wrong(key, "must be a list")
        return tuple(found)

    def number(self, key: str) -> float | None:
        """A finite number."""
        found = self.value(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.wrong(key, "must be a number")
        if abs(found) > LARGEST or not math.isfinite(found):
            raise self.wrong(key, f"must be within ±{LARGEST}")
        return float(found)

    def above_zero(self, key: str) -> float | None:
        """A finite number above 0."""
        found = self.number(key)
        if found is not None and found <= 0:
            raise self.wrong(key, "must be above 0")
        return found

    def integer(self, key: str) -> int | None:
        """A whole number above 0."""
        found = self.value(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= LARGEST:
            raise self.wrong(key, f"must be a whole number from 1 to {LARGEST}")
        return found

    def table(self, key: str) -> "Table":
        """A table within; an empty one if there is none."""
        found = self.value(key)
        if found is not None and not isinstance(found, dict):
            raise self.wrong(key, "must be a table")
        return Table(f"{self._place}: {key}" if ":" not in self._place else f"{self._place}.{key}",
                     found or {})  # fmt: skip

    def tables(self, key: str) -> dict[str, "Table"]:
        """The tables within a table."""
        inner = self.table(key)
        return {name: inner.table(name) for name in inner._values}

    def texts(self) -> dict[str, str]:
        """All keys of the table, which hold strings."""
        return {key: self.text(key, "") for key in self._values}
