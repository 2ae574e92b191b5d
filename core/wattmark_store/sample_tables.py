"""Samples into the tables, and how their series are numbered and found."""

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wattmark_core.sample import Sample, Tags
from wattmark_core.units import NS_PER_S
from wattmark_store.schema import MINUTE_SUFFIX, TABLES, Column, Table, minute_columns, other_table

MINUTE_NS = 60 * NS_PER_S
SeriesKey = tuple[str, str, Tags]
"""Measurement, field (empty where a table has a column per field), tags."""
Row = tuple[int, Mapping[str, float | int]]


@dataclass(frozen=True, slots=True)
class Part:
    """One numbered series: its table and columns. A series of several fields that the catalogue
    does not know has one part for each. ``names``: the fields, as ``columns`` hold them."""

    series: int
    tags: Tags
    table: str
    columns: tuple[Column, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """Samples sorted by series, ready to be written."""

    count: int = 0
    rows: dict[SeriesKey, list[Row]] = field(default_factory=dict)


def sort_batch(samples: Iterable[Sample]) -> Batch:
    """Sort by series; values that are not finite are left out."""
    batch = Batch()
    for sample in samples:
        batch.count += 1
        table = TABLES.get(sample.measurement)
        known: dict[str, float | int] = {}
        for name, value in sample.fields.items():
            if not math.isfinite(value):
                continue
            if table is not None and name in table.position:
                known[name] = value
            else:
                _add(
                    batch, (sample.measurement, name, sample.tags), sample.time_ns, {"value": value}
                )
        if known:
            _add(batch, (sample.measurement, "", sample.tags), sample.time_ns, known)
    return batch


def _add(batch: Batch, key: SeriesKey, time_ns: int, values: Mapping[str, float | int]) -> None:
    batch.rows.setdefault(key, []).append((time_ns, values))


class SampleWriter:
    """Writes batches; remembers the numbers of series whose commit is known to have succeeded."""

    def __init__(self) -> None:
        self._numbers: dict[SeriesKey, int] = {}

    def write(self, connection: sqlite3.Connection, batch: Batch) -> dict[SeriesKey, int]:
        """Write the batch; gives the numbers that are new, for ``remember`` after the commit."""
        new: dict[SeriesKey, int] = {}
        touched: set[tuple[int, int]] = set()
        for key, rows in batch.rows.items():
            number = self._numbers.get(key)
            if number is None:
                number = new[key] = _number(connection, key)
            table = _table(key)
            names = [column.name for column in table.columns]
            connection.executemany(
                table.upsert,
                [(number, time_ns, *map(values.get, names)) for time_ns, values in rows],
            )
            touched.update((number, time_ns // MINUTE_NS) for time_ns, _ in rows)
        connection.executemany("INSERT OR IGNORE INTO touched VALUES(?,?)", sorted(touched))
        return new

    def remember(self, numbers: Mapping[SeriesKey, int]) -> None:
        """Numbers that have been committed."""
        self._numbers.update(numbers)


def _table(key: SeriesKey) -> Table:
    measurement, name, _ = key
    return other_table(measurement) if name else TABLES[measurement]


def _number(connection: sqlite3.Connection, key: SeriesKey) -> int:
    measurement, name, tags = key
    row = (measurement, name, json.dumps(dict(tags), sort_keys=True))
    connection.execute("INSERT OR IGNORE INTO series(measurement,field,tags) VALUES(?,?,?)", row)
    found = connection.execute(
        "SELECT id FROM series WHERE measurement=? AND field=? AND tags=?", row
    )
    return int(found.fetchone()[0])


def find_parts(
    connection: sqlite3.Connection, measurement: str, tags: Mapping[str, str]
) -> list[Part]:
    """The series whose tags include all of ``tags``, ordered by tags.

    ``NAME_1m`` finds the one-minute values of NAME, unless a measurement itself has that name.
    """
    parts = [
        raw_part(number, measurement, name, text)
        for number, name, text in _rows(connection, measurement)
    ]
    if not parts and measurement.endswith(MINUTE_SUFFIX):
        base = measurement.removesuffix(MINUTE_SUFFIX)
        parts = [
            _minute_part(number, base, name, text) for number, name, text in _rows(connection, base)
        ]
    wanted = set(tags.items())
    return sorted(
        (part for part in parts if wanted.issubset(part.tags)), key=lambda part: part.tags
    )


def _rows(connection: sqlite3.Connection, measurement: str) -> list[tuple[int, str, str]]:
    return connection.execute(
        "SELECT id, field, tags FROM series WHERE measurement=?", (measurement,)
    ).fetchall()


def raw_part(number: int, measurement: str, name: str, tags: str) -> Part:
    """A row of ``series`` as a part in its raw table."""
    table = other_table(measurement) if name else TABLES[measurement]
    names = (name,) if name else tuple(column.name for column in table.columns)
    return Part(number, _tags(tags), table.name, table.columns, names)


def _minute_part(number: int, measurement: str, name: str, tags: str) -> Part:
    table = other_table(measurement) if name else TABLES[measurement]
    columns = minute_columns(table)
    names = (name, f"{name}_max") if name else tuple(column.name for column in columns)
    return Part(number, _tags(tags), table.minute, columns, names)


def _tags(text: str) -> Tags:
    return tuple(sorted(json.loads(text).items()))
