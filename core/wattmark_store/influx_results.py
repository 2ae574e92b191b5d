"""InfluxQL for windows and scores, and how they are read back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, Final

from wattmark_core.results import Check, Score, Verdict, Window
from wattmark_core.sample import Tags
from wattmark_store.influx_lines import Point, decode, identifier
from wattmark_store.influx_queries import Rows, chosen
from wattmark_store.result_tables import BOOLEANS, ENUMS
from wattmark_store.schema import result_columns

SCORE_KEY: Final = frozenset({"run_id", "model", "boundary", "formula"})
_NUMBERS: Final = {"INTEGER": int, "REAL": float}


def windows(start_ns: int | None, end_ns: int | None, wanted: Mapping[str, str]) -> str:
    """Windows that touch [start, end]."""
    conditions = list(chosen({name: value for name, value in wanted.items() if value}))
    if start_ns is not None:
        conditions.append(f'"end_ns" >= {start_ns}')
    if end_ns is not None:
        conditions.append(f"time <= {end_ns}")
    return _select("window", conditions)


def scores(wanted: Mapping[str, str]) -> str:
    """Scores."""
    return _select("score", list(chosen({n: value for n, value in wanted.items() if value})))


def at_its_time(point: Point) -> str:
    """All windows, or scores, that began when the point did."""
    return f"SELECT * FROM {identifier(point.measurement)} WHERE time = {point.time_ns} GROUP BY *"


def outdated(held: Rows, point: Point) -> Iterator[str]:
    """Statements that delete what the point would not overwrite whole."""
    for row in held:
        for record in row.records():
            if _key(point.measurement, row.tags, record) != _key(
                point.measurement, point.tags, point.fields
            ):
                continue
            if row.tags != point.tags or set(record) - {"time", *point.fields}:
                conditions = [f"time = {point.time_ns}", *chosen(dict(row.tags))]
                where = " AND ".join(conditions)
                yield f"DELETE FROM {identifier(point.measurement)} WHERE {where}"


def _key(measurement: str, tags: Tags, held: Mapping[str, Any]) -> object:
    """What no two windows, or scores, have in common."""
    if measurement == "window":
        return held["window_id"]
    return {name: value for name, value in tags if name in SCORE_KEY}


def read_windows(answers: Sequence[Rows]) -> list[Window]:
    """By start time."""
    found: list[Window] = _read(Window, "start_ns", answers)
    return sorted(found, key=lambda each: (each.start_ns, each.end_ns, each.window_id))


def read_scores(answers: Sequence[Rows]) -> list[Score]:
    """Newest run first."""
    found: list[Score] = _read(Score, "time_ns", answers)
    return sorted(found, key=lambda s: (-s.time_ns, s.run_id, s.model, str(s.boundary), s.formula))


def _select(measurement: str, conditions: list[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {identifier(measurement)}{where} GROUP BY *"


def _read(kind: type[Any], time_name: str, answers: Sequence[Rows]) -> list[Any]:
    types = dict(result_columns(kind))
    defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    found = []
    for rows in answers:
        for row in rows:
            for record in row.records():
                held = {n: decode(v) if isinstance(v, str) else v for n, v in record.items()}
                given = {**held, **dict(row.tags), time_name: record["time"]}
                found.append(kind(**{
                    name: _value(name, types[name], given[name]) if name in given
                    else defaults.get(name, "" if name in {"model", "workload"} else None)
                    for name in types
                }))  # fmt: skip
    return found


def _value(name: str, kind: str, value: Any) -> Any:
    if name == "checks":
        return tuple(
            Check(**{**check, "verdict": Verdict(check["verdict"])}) for check in json.loads(value)
        )
    if name in ENUMS:
        return ENUMS[name](value)
    if name in BOOLEANS:
        return bool(value)
    return _NUMBERS[kind](value) if kind in _NUMBERS else str(value)
