"""InfluxQL for windows and scores, and how they are read back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from wattmark_core.results import Score, Window
from wattmark_core.sample import Tags
from wattmark_store.influx_lines import RESULT_EXTRAS, InfluxPoint, decode, from_measurement
from wattmark_store.influx_queries import Row, Rows, chosen, exactly
from wattmark_store.result_tables import Result, result
from wattmark_store.schema import result_columns

SCORE_KEY: Final = frozenset({"run_id", "model", "boundary", "formula"})
FIELDS: Final = {
    measurement: frozenset(name for name, _ in result_columns(kind)) | RESULT_EXTRAS[measurement]
    for measurement, kind in (("window", Window), ("score", Score))
}
"""What a window, and a score, may hold."""
_NO_TAGS: Final = {"model": "", "workload": ""}
"""A tag without text is none."""


def windows(start_ns: int | None, end_ns: int | None, filters: Mapping[str, str]) -> str:
    """Windows that touch [start, end]."""
    conditions = list(chosen({name: value for name, value in filters.items() if value}))
    if start_ns is not None:
        conditions.append(f'"end_ns" >= {start_ns}')
    if end_ns is not None:
        conditions.append(f"time <= {end_ns}")
    return _select("window", conditions)


def scores(filters: Mapping[str, str]) -> str:
    """The statement that reads scores; ``filters``: values of tags, empty ones left out."""
    return _select("score", list(chosen({n: value for n, value in filters.items() if value})))


def at_its_time(point: InfluxPoint) -> str:
    """All windows, or scores, that began when the point did."""
    return f"SELECT * {from_measurement(point.measurement)} WHERE time = {point.time_ns} GROUP BY *"


def of_run(run_id: str) -> str:
    """All scores of a run, of each its verdict."""
    return f'SELECT "verdict" FROM "score" WHERE {next(chosen({"run_id": run_id}))} GROUP BY *'


def others(held: Rows, points: Sequence[InfluxPoint]) -> Iterator[str]:
    """Statements that delete the scores among those held that are none of the points."""
    remaining = {(point.tags, point.time_ns) for point in points}
    for row in held:
        for record in row.records():
            if (row.tags, record["time"]) not in remaining:
                yield _deletion("score", record["time"], row, held)


def merging(held: Rows, point: InfluxPoint) -> Iterator[str]:
    """Statements that delete what would be left of an earlier point in the point's own series.

    Fields that nobody knows stay: they are another version's.
    """
    known = FIELDS[point.measurement]
    for row, records in _earlier(held, point):
        left = {name for record in records for name in record} & known - set(point.fields)
        if row.tags == point.tags and left:
            yield _deletion(point.measurement, point.time_ns, row, held, point.tags)


def renamed(held: Rows, point: InfluxPoint) -> Iterator[str]:
    """Statements that delete earlier points of the same name under other tags."""
    for row, _ in _earlier(held, point):
        if row.tags != point.tags:
            yield _deletion(point.measurement, point.time_ns, row, held, point.tags)


def _earlier(held: Rows, point: InfluxPoint) -> Iterator[tuple[Row, list[dict[str, Any]]]]:
    """The series among them that hold what the point replaces."""
    own = _key(point.measurement, point.tags, point.fields)
    for row in held:
        records = list(row.records())
        if own in [_key(point.measurement, row.tags, record) for record in records]:
            yield row, records


def _deletion(measurement: str, time_ns: int, row: Row, held: Rows, new: Tags = ()) -> str:
    """Deletes a series' point, and no other series' that has more tags than it: those held, and
    the ``new`` one."""
    names = {name for tags in (new, *(row.tags for row in held)) for name, _ in tags}
    conditions = [f"time = {time_ns}", *exactly(row.tags, names)]
    return f"DELETE {from_measurement(measurement)} WHERE {' AND '.join(conditions)}"


def _key(measurement: str, tags: Tags, held: Mapping[str, Any]) -> object:
    """What no two windows, or scores, have in common."""
    if measurement == "window":
        return held.get("window_id")
    return {name: value for name, value in tags if name in SCORE_KEY}


def read_windows(answers: Sequence[Rows]) -> list[Window]:
    """Windows from their rows, by start time."""
    windows = _read(Window, "start_ns", answers)
    return sorted(windows, key=lambda window: (window.start_ns, window.end_ns, window.window_id))


def read_scores(answers: Sequence[Rows]) -> list[Score]:
    """Scores from their rows, newest run first."""
    scores = _read(Score, "time_ns", answers)
    return sorted(scores, key=lambda s: (-s.time_ns, s.run_id, s.model, str(s.boundary), s.formula))


def _select(measurement: str, conditions: list[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * {from_measurement(measurement)}{where} GROUP BY *"


def _read(kind: type[Result], time_name: str, answers: Sequence[Rows]) -> list[Result]:
    """All but those that cannot be read."""
    decoded = []
    for rows in answers:
        for row in rows:
            for record in row.records():
                held = {n: decode(v) if isinstance(v, str) else v for n, v in record.items()}
                time = {time_name: record["time"]}
                decoded.append(result(kind, {**_NO_TAGS, **held, **dict(row.tags), **time}))
    return [result for result in decoded if result is not None]
