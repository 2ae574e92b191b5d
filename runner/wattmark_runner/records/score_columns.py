"""A column for each field of a score but its checks, so that tables need not decode JSON.

They follow from ``Score``: one more field there is one more column here, of which a file that is
older gets an empty one.
"""

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from wattmark_core.catalogue import Method
from wattmark_core.results import Score, Verdict


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``scores``. ``enum``: what its text names, if anything."""

    name: str
    sql_type: str
    default: Any
    enum: type[Enum] | None

    @property
    def declaration(self) -> str:
        """As in ``CREATE TABLE``; names and defaults are those of the dataclass."""
        default = f" DEFAULT '{self.default}'" if isinstance(self.default, str) else ""
        return f"{self.name} {self.sql_type}{default}"


def _columns() -> tuple[Column, ...]:
    hints = get_type_hints(Score)
    columns = []
    for field in fields(Score):
        hint = hints[field.name]
        kind = next((kind for kind in get_args(hint) if kind is not NoneType), hint)
        if field.name != "checks":
            default = None if field.default is MISSING else field.default
            enum = kind if issubclass(kind, Enum) else None
            sql = {int: "INTEGER", float: "REAL"}.get(kind, "TEXT")
            columns.append(Column(field.name, sql, default, enum))
    return tuple(columns)


COLUMNS: Final = _columns()
NAMES: Final = ", ".join(column.name for column in COLUMNS)
_ENUMS: Final = tuple((column.name, column.enum) for column in COLUMNS if column.enum)
_FIELDS: Final = tuple(column.name for column in COLUMNS)
_INSERT: Final = (
    f"INSERT INTO scores (id, seq, estimated, rankable, {NAMES})"  # noqa: S608 - fields of a dataclass
    f" VALUES (?,?,?,?{',?' * len(COLUMNS)})"
)


def put_columns(
    connection: sqlite3.Connection,
    place: tuple[int | None, int],
    body: Mapping[str, Any],
    known: Mapping[str, Any],
) -> None:
    """Write the columns of a score, which comes as JSON. ``place``: its id, and its run's ``seq``;
    ``known``: what its run knows where the score lacks it."""
    values = [*place, _is_estimated(body), _is_rankable(body), *_values(body, known)]
    connection.execute(_INSERT, values)


def _values(body: Mapping[str, Any], known: Mapping[str, Any]) -> list[Any]:
    return [
        known.get(column.name, column.default)
        if (value := body.get(column.name)) is None
        else value
        for column in COLUMNS
    ]


def _is_estimated(body: Mapping[str, Any]) -> bool:
    return bool(body["method"] == Method.ESTIMATED.value)


def _is_rankable(body: Mapping[str, Any]) -> bool:
    value = body["value"]
    return body["verdict"] != Verdict.INVALID.value and value is not None and not math.isnan(value)


def score_from(row: tuple[Any, ...]) -> Score | None:
    """The score in a row of ``NAMES``, without its checks; None if it cannot be read: one of its
    words is of an enumeration that does not know it."""
    values = dict(zip(_FIELDS, row, strict=True))
    try:
        for name, enum in _ENUMS:
            if values[name] is not None:
                values[name] = enum(values[name])
    except ValueError:
        return None
    return Score(**values)
