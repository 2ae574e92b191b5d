"""How the series in the tables are numbered and found."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from wattmark_core.sample import Tags
from wattmark_core.units import NS_PER_S
from wattmark_store.schema import (
    MINUTE_SUFFIX,
    TABLES,
    Column,
    SampleTable,
    minute_columns,
    other_table,
)

MINUTE_NS = 60 * NS_PER_S
SeriesKey = tuple[str, str, Tags]
"""Measurement, field (empty where a table has a column per field), tags."""


@dataclass(frozen=True, slots=True)
class Part:
    """One numbered series: its table and columns. A series of several fields that the catalogue
    does not know has one part for each. ``names``: the fields, as ``columns`` hold them."""

    series: int
    tags: Tags
    table: str
    columns: tuple[Column, ...]
    names: tuple[str, ...]


def table_of_series(key: SeriesKey) -> SampleTable:
    """The table that holds its samples."""
    measurement, name, _ = key
    return other_table(measurement) if name else TABLES[measurement]


def number_of(connection: sqlite3.Connection, key: SeriesKey) -> int:
    """The number of a series, which it is given if it has none. Raises ``UnicodeEncodeError``
    for tags that are not Unicode, which JSON would keep."""
    measurement, name, tags = key
    "".join(text for pair in tags for text in pair).encode()
    row = (measurement, name, json.dumps(dict(tags), sort_keys=True))
    connection.execute("INSERT OR IGNORE INTO series(measurement,field,tags) VALUES(?,?,?)", row)
    rows = connection.execute(
        "SELECT id FROM series WHERE measurement=? AND field=? AND tags=?", row
    )
    return int(rows.fetchone()[0])


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
    required = set(tags.items())
    return sorted(
        (part for part in parts if required.issubset(part.tags)), key=lambda part: part.tags
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
