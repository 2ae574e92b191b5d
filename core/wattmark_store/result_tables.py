"""Windows and scores into their tables and back: a column per field, checks as JSON."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any, Final, TypeVar

from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_store.schema import quote, result_columns

Result = TypeVar("Result", Window, Score)
BOOLEANS: Final = frozenset({"complete", "overlapping"})
ENUMS: Final = {"phase": Phase, "boundary": Boundary, "method": Method, "verdict": Verdict}
_TO_SQL: Final = {"INTEGER": int, "REAL": float, "TEXT": str}


def put(connection: sqlite3.Connection, table: str, result: Window | Score) -> None:
    """Write a row; one with the same key is replaced."""
    columns = result_columns(type(result))
    names = ",".join(quote(name) for name, _ in columns)
    marks = ",".join("?" * len(columns))
    connection.execute(
        f"INSERT OR REPLACE INTO {quote(table)}({names}) VALUES({marks})",
        [_to_sql(name, kind, getattr(result, name)) for name, kind in columns],
    )


def windows(
    connection: sqlite3.Connection, start_ns: int | None, end_ns: int | None,
    wanted: Mapping[str, str],
) -> list[Window]:  # fmt: skip
    """Windows that touch [start, end], by start time."""
    conditions: dict[str, str | int] = {f"{quote(name)}=?": v for name, v in wanted.items()}
    if start_ns is not None:
        conditions["end_ns>=?"] = start_ns
    if end_ns is not None:
        conditions["start_ns<=?"] = end_ns
    return _select(connection, "window", Window, conditions, "start_ns, end_ns, window_id")


def scores(connection: sqlite3.Connection, wanted: Mapping[str, str]) -> list[Score]:
    """Scores, newest run first."""
    conditions: dict[str, str | int] = {f"{quote(name)}=?": v for name, v in wanted.items()}
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
    return [kind(**_arguments(kind, names, row)) for row in rows]


def _arguments(kind: type[Any], names: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    """A column that an older version did not fill takes the field's default."""
    defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    return {
        name: defaults.get(name) if value is None else _from_sql(name, value)
        for name, value in zip(names, row, strict=True)
    }


def _to_sql(name: str, kind: str, value: Any) -> int | float | str | None:
    if name == "checks":
        return json.dumps([asdict(check) for check in value])
    # Numbers may be numpy's, which sqlite3 would keep as bytes.
    return None if value is None else _TO_SQL[kind](value)


def _from_sql(name: str, value: Any) -> Any:
    if name == "checks":
        return tuple(
            Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in json.loads(value)
        )
    if name in ENUMS:
        return ENUMS[name](value)
    return bool(value) if name in BOOLEANS else value
