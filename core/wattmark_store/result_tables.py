"""Windows and scores into their tables and back: a column per field, checks as JSON.

What another version of Wattmark wrote and this one cannot read is left out, so that it stops
nobody who reads the others.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from wattmark_core.codec import from_json
from wattmark_core.results import Score, Window
from wattmark_store.schema import quote, result_columns

Result = TypeVar("Result", Window, Score)
_KINDS: Final = {
    name: kind
    for result in (Window, Score)
    for name, hint in get_type_hints(result).items()
    for kind in get_args(hint) or (hint,)
    if kind is not NoneType
}
"""The type of each field; a name means the same in both."""
BOOLEANS: Final = frozenset(name for name, kind in _KINDS.items() if kind is bool)
_TYPES: Final = {"INTEGER": int, "REAL": float, "TEXT": str}
_MAY_BE_NONE: Final[dict[type[Any], dict[str, None]]] = {
    kind: {
        field.name: None
        for field in fields(kind)
        if field.default is MISSING and NoneType in get_args(get_type_hints(kind)[field.name])
    }
    for kind in (Window, Score)
}
"""Fields without default that a row may lack: a value that is None is not written everywhere."""
_COLUMNS: Final = {kind: dict(result_columns(kind)) for kind in (Window, Score)}


def put(connection: sqlite3.Connection, table: str, result: Window | Score) -> None:
    """Write a row; one with the same key is replaced."""
    columns = result_columns(type(result))
    names = ",".join(quote(name) for name, _ in columns)
    marks = ",".join("?" * len(columns))
    connection.execute(
        f"INSERT OR REPLACE INTO {quote(table)}({names}) VALUES({marks})",
        [_to_sql(name, kind, getattr(result, name)) for name, kind in columns],
    )


def keep_scores(connection: sqlite3.Connection, run_id: str, remaining: Sequence[Score]) -> None:
    """Delete the rows of a run's other scores."""
    keys = {(score.model, str(score.boundary), score.formula) for score in remaining}
    held = connection.execute(
        'SELECT model, boundary, formula FROM "score" WHERE run_id=?', (run_id,)
    ).fetchall()
    connection.executemany(
        'DELETE FROM "score" WHERE run_id=? AND model=? AND boundary=? AND formula=?',
        [(run_id, *key) for key in held if key not in keys],
    )


def windows(
    connection: sqlite3.Connection, start_ns: int | None, end_ns: int | None,
    filters: Mapping[str, str],
) -> list[Window]:  # fmt: skip
    """Windows that touch [start, end], by start time."""
    conditions: dict[str, str | int] = {f"{quote(name)}=?": v for name, v in filters.items()}
    if start_ns is not None:
        conditions["end_ns>=?"] = start_ns
    if end_ns is not None:
        conditions["start_ns<=?"] = end_ns
    return _select(connection, "window", Window, conditions, "start_ns, end_ns, window_id")


def scores(connection: sqlite3.Connection, filters: Mapping[str, str]) -> list[Score]:
    """Scores, newest run first."""
    conditions: dict[str, str | int] = {f"{quote(name)}=?": v for name, v in filters.items()}
    order = "time_ns DESC, run_id, model, boundary, formula"
    return _select(connection, "score", Score, conditions, order)


def _select(
    connection: sqlite3.Connection, table: str, kind: type[Result],
    conditions: Mapping[str, str | int], order: str,
) -> list[Result]:  # fmt: skip
    names = [name for name, _ in result_columns(kind)]
    where = " AND ".join(conditions) or "1"
    rows = connection.execute(
        f"SELECT {','.join(map(quote, names))} FROM {quote(table)} WHERE {where}"  # noqa: S608 - fields of a dataclass
        f" ORDER BY {order}",
        list(conditions.values()),
    )
    results = (result(kind, dict(zip(names, row, strict=True))) for row in rows)
    return [result for result in results if result is not None]


def result(kind: type[Result], values: Mapping[str, Any]) -> Result | None:
    """A window or score of what is kept of it; what is missing or None takes the field's default.

    None if it cannot be read: a value that has no default is missing, or one is of an enumeration
    that does not know it.
    """
    columns = _COLUMNS[kind]
    held = {name: values[name] for name in columns if values.get(name) is not None}
    try:
        body = {name: _json_value(name, columns[name], value) for name, value in held.items()}
        return from_json(kind, {**_MAY_BE_NONE[kind], **body})
    except (ValueError, TypeError, OverflowError):
        return None


def _json_value(name: str, column: str, value: Any) -> Any:
    if name == "checks":
        return json.loads(value)
    return bool(value) if name in BOOLEANS else _TYPES[column](value)


def _to_sql(name: str, kind: str, value: Any) -> int | float | str | None:
    if name == "checks":
        return json.dumps([asdict(check) for check in value])
    # Numbers may be numpy's, which sqlite3 would keep as bytes.
    return None if value is None else _TYPES[kind](value)
