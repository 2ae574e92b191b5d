"""Reading samples: edges of a window, aggregates, series for plots."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from wattmark_core.sample import Tags
from wattmark_core.units import NS_PER_S
from wattmark_store.protocol import Aggregate, SeriesData
from wattmark_store.sample_tables import Part, find_parts
from wattmark_store.schema import quote

OUTSIDE_NS: Final = 30 * NS_PER_S
"""How far outside a window its edges' neighbours are looked for."""
Values = dict[str, float | int]
Times = dict[int, Values]


def edges(
    connection: sqlite3.Connection, measurement: str, start_ns: int, end_ns: int,
    tags: Mapping[str, str], neighbours: int,
) -> list[SeriesData]:  # fmt: skip
    """See ``protocol.Store.edges``: four index seeks per series, whatever the window's length."""

    def data_of(tags: Tags, parts: list[Part]) -> SeriesData | None:
        times: Times = {}
        for part in parts:
            for low, high, order in _sides(start_ns, end_ns):
                nearest = f"ORDER BY time_ns {order} LIMIT ?"
                _merge(times, part, _rows(connection, part, low, high, nearest, neighbours))
        chosen = _nearest(sorted(times), start_ns, end_ns, neighbours)
        return _data(measurement, tags, {time_ns: times[time_ns] for time_ns in chosen})

    return _collect(find_parts(connection, measurement, tags), data_of)


def _sides(start_ns: int, end_ns: int) -> Iterator[tuple[int, int, str]]:
    low, high = start_ns - OUTSIDE_NS, end_ns + OUTSIDE_NS
    for instant in dict.fromkeys((start_ns, end_ns)):
        yield low, instant, "DESC"
        yield instant + 1, high, "ASC"


def _nearest(times: list[int], start_ns: int, end_ns: int, neighbours: int) -> list[int]:
    """Of ascending times those that are nearest to the instants: parts may have brought more."""
    chosen: set[int] = set()
    for instant in (start_ns, end_ns):
        before = [time_ns for time_ns in times if time_ns <= instant]
        after = [time_ns for time_ns in times if time_ns > instant]
        chosen.update(before[max(0, len(before) - neighbours) :], after[:neighbours])
    return sorted(chosen)


def series(
    connection: sqlite3.Connection, measurement: str, start_ns: int, end_ns: int,
    tags: Mapping[str, str], points: int | None,
) -> list[SeriesData]:  # fmt: skip
    """See ``protocol.Store.series``. An epoch is kept like the counter that it belongs to."""

    def data_of(tags: Tags, parts: list[Part]) -> SeriesData | None:
        thin = [
            points is not None and _count(connection, part, start_ns, end_ns) > points
            for part in parts
        ]
        if len(parts) == 1 and not thin[0]:
            return _whole(connection, measurement, parts[0], start_ns, end_ns)
        times: Times = {}
        for part, thinned in zip(parts, thin, strict=True):
            if points is not None and thinned:
                _thinned(connection, part, start_ns, end_ns, points, times)
            else:
                _merge(times, part, _rows(connection, part, start_ns, end_ns, "ORDER BY time_ns"))
        return _data(measurement, tags, times)

    return _collect(find_parts(connection, measurement, tags), data_of)


def aggregate(
    connection: sqlite3.Connection, measurement: str, name: str, start_ns: int, end_ns: int,
    tags: Mapping[str, str],
) -> list[Aggregate]:  # fmt: skip
    """See ``protocol.Store.aggregate``. A series without a value in the window is left out."""
    aggregates = []
    for part in find_parts(connection, measurement, tags):
        if name not in part.names:
            continue
        column = quote(part.columns[part.names.index(name)].name)
        bounds = (part.series, start_ns, end_ns)
        inside = (
            f"FROM {quote(part.table)} WHERE series=? AND time_ns BETWEEN ? AND ?"
            f" AND {column} IS NOT NULL"
        )
        row = connection.execute(
            f"SELECT count(v), min(v), max(v), avg(v), max(gap) FROM (SELECT {column} AS v,"  # noqa: S608 - names of the catalogue
            f" time_ns - lag(time_ns) OVER (ORDER BY time_ns) AS gap {inside})",
            bounds,
        ).fetchone()
        if row[0] == 0:
            continue
        first, last = (
            connection.execute(
                f"SELECT {column} {inside} ORDER BY time_ns {order} LIMIT 1",
                bounds,
            ).fetchone()[0]
            for order in ("ASC", "DESC")
        )
        count, smallest, largest, mean, gap = row
        aggregates.append(Aggregate(part.tags, count, first, last, smallest, largest, mean, gap))
    return aggregates


def _count(connection: sqlite3.Connection, part: Part, start_ns: int, end_ns: int) -> int:
    row = connection.execute(
        f"SELECT count(*) FROM {quote(part.table)} WHERE series=? AND time_ns BETWEEN ? AND ?",  # noqa: S608 - names of the catalogue
        (part.series, start_ns, end_ns),
    ).fetchone()
    return int(row[0])


def _rows(
    connection: sqlite3.Connection, part: Part, low: int, high: int, rest: str, *more: int
) -> Iterable[tuple[Any, ...]]:
    columns = ",".join(quote(column.name) for column in part.columns)
    return connection.execute(
        f"SELECT time_ns,{columns} FROM {quote(part.table)}"  # noqa: S608 - names of the catalogue
        f" WHERE series=? AND time_ns BETWEEN ? AND ? {rest}",
        (part.series, low, high, *more),
    )


def _thinned(
    connection: sqlite3.Connection, part: Part, start_ns: int, end_ns: int, points: int,
    times: Times,
) -> None:  # fmt: skip
    """One row for each stretch: the last value of counters, the mean of gauges."""
    bounds = (start_ns, (end_ns - start_ns) // points + 1, part.series, start_ns, end_ns)
    last_times: dict[int, int] = {}
    means = [i for i, column in enumerate(part.columns) if not column.last]
    values = "".join(f", avg({quote(part.columns[i].name)})" for i in means)
    for stretch, time_ns, *row in connection.execute(
        f"SELECT (time_ns - ?) / ? AS stretch, max(time_ns){values} FROM {quote(part.table)}"  # noqa: S608 - names of the catalogue
        " WHERE series=? AND time_ns BETWEEN ? AND ? GROUP BY stretch",
        bounds,
    ):
        last_times[stretch] = time_ns
        known = {part.names[i]: v for i, v in zip(means, row, strict=True) if v is not None}
        times.setdefault(time_ns, {}).update(known)
    for i, column in enumerate(part.columns):
        if column.last:
            name = quote(column.name)
            # A bare column beside max() is that of the row which holds the maximum
            # (sqlite.org/lang_select.html, "Bare columns in an aggregate query").
            for stretch, _, value in connection.execute(
                f"SELECT (time_ns - ?) / ? AS stretch, max(time_ns), {name}"  # noqa: S608 - as above
                f" FROM {quote(part.table)} WHERE series=? AND time_ns BETWEEN ? AND ?"
                f" AND {name} IS NOT NULL GROUP BY stretch",
                bounds,
            ):
                times[last_times[stretch]][part.names[i]] = value


def _merge(times: Times, part: Part, rows: Iterable[tuple[Any, ...]]) -> None:
    for time_ns, *values in rows:
        known = {n: v for n, v in zip(part.names, values, strict=True) if v is not None}
        times.setdefault(time_ns, {}).update(known)


def _collect(
    parts: list[Part], data_of: Callable[[Tags, list[Part]], SeriesData | None]
) -> list[SeriesData]:
    """Series with at least one sample; parts of the same tags are one series."""
    collected = [data_of(tags, list(same)) for tags, same in groupby(parts, key=lambda p: p.tags)]
    return [data for data in collected if data is not None]


def _whole(
    connection: sqlite3.Connection, measurement: str, part: Part, start_ns: int, end_ns: int
) -> SeriesData | None:
    """All rows of one part: columns at once, as there may be a million."""
    rows = list(_rows(connection, part, start_ns, end_ns, "ORDER BY time_ns"))
    if not rows:
        return None
    times, *columns = zip(*rows, strict=True)
    fields = {
        name: column
        for name, column in zip(part.names, columns, strict=True)
        if any(value is not None for value in column)
    }
    return SeriesData(measurement, part.tags, times, fields)


def _data(measurement: str, tags: Tags, times: Times) -> SeriesData | None:
    if not times:
        return None
    order = tuple(sorted(times))
    names = dict.fromkeys(name for time_ns in order for name in times[time_ns])
    fields = {name: tuple(times[time_ns].get(name) for time_ns in order) for name in names}
    return SeriesData(measurement, tags, order, fields)
