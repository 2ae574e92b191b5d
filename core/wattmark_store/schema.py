"""Tables of the SQLite store, made from the catalogue and from the result types.

``series`` numbers each measurement and its tags. A measurement of the catalogue has a table of its
name with a column per field; any other lands in ``other``, where each field is a series of its
own. Each such table has a twin ``…_1m`` at one minute. All have the key (series, time_ns).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Final, get_args, get_type_hints

from wattmark_core.catalogue import MEASUREMENTS, Kind, Metric
from wattmark_core.errors import StoreError
from wattmark_core.results import Score, Window
from wattmark_store.copies import copied_before_migration

APPLICATION_ID: Final = 0x5761746D
"""``Watm``: marks an SQLite file as a Wattmark store (SQLite file format, offset 68)."""
VERSION: Final = 1
SIZES: Final = 1.1
"""Room for the copy, in sizes of the file: a new column changes no row."""
OTHER: Final = "other"
MINUTE_SUFFIX: Final = "_1m"
COUNTER_SUFFIXES: Final = ("_total", "_count", "_sum", "_bucket")
"""How Prometheus names counters (prometheus.io/docs/practices/naming)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field as it is kept. ``last``: thinned to its last value, otherwise to its mean."""

    name: str
    type: str
    last: bool


@dataclass(frozen=True)
class SampleTable:
    """A table of samples. ``integers``: its columns that hold integers."""

    name: str
    columns: tuple[Column, ...]

    @property
    def minute(self) -> str:
        """Name of its twin at one minute."""
        return self.name + MINUTE_SUFFIX

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each column stands among the fields."""
        return {column.name: index for index, column in enumerate(self.columns)}

    @cached_property
    def upsert(self) -> str:
        """Insert a sample; one that is there keeps the fields that the new one lacks."""
        names = [quote(column.name) for column in self.columns]
        merged = ",".join(f"{name}=coalesce(excluded.{name},{name})" for name in names)
        return (
            f"INSERT INTO {quote(self.name)}(series,time_ns,{','.join(names)})"
            f" VALUES(?,?{',?' * len(names)}) ON CONFLICT(series,time_ns) DO UPDATE SET {merged}"
        )


def _column(metric: Metric) -> Column:
    # A mean of epochs would name an epoch that never was.
    last = metric.kind is Kind.COUNTER or metric.field == "epoch"
    return Column(metric.field, "INTEGER" if metric.integer else "REAL", last)


TABLES: Final = {
    measurement: SampleTable(measurement, tuple(_column(metric) for metric in metrics))
    for measurement, metrics in MEASUREMENTS.items()
}
OTHER_TABLE: Final = SampleTable(OTHER, (Column("value", "", False),))
OTHER_COUNTERS: Final = SampleTable(OTHER, (Column("value", "", True),))
"""The same table, for measurements whose name says that they count."""


def table_of(measurement: str) -> SampleTable:
    """The table that holds the measurement."""
    if measurement in TABLES:
        return TABLES[measurement]
    return other_table(measurement)


def other_table(measurement: str) -> SampleTable:
    """The table of fields that the catalogue does not know."""
    return OTHER_COUNTERS if measurement.endswith(COUNTER_SUFFIXES) else OTHER_TABLE


def minute_columns(table: SampleTable) -> tuple[Column, ...]:
    """Columns of the twin at one minute: last value, or mean and largest."""
    columns: list[Column] = []
    for column in table.columns:
        columns.append(Column(column.name, column.type, True))
        if not column.last or table.name == OTHER:
            columns.append(Column(f"{column.name}_max", column.type, True))
    return tuple(columns)


def quote(name: str) -> str:
    """A name as an SQL identifier, in double quotes."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def result_columns(kind: type[Window] | type[Score]) -> list[tuple[str, str]]:
    """Column and SQL type for each field of a result type."""
    hints = get_type_hints(kind)
    return [(field.name, _sql_type(hints[field.name])) for field in fields(kind)]


def _sql_type(hint: object) -> str:
    kinds = set(get_args(hint) or (hint,))
    if kinds & {int, bool}:
        return "INTEGER"
    return "REAL" if float in kinds else "TEXT"


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``StoreError`` if the file holds something else, or a later version's store."""
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application_id == APPLICATION_ID and version > VERSION:
        raise StoreError(
            f"store {path} is a store of version {version}, this Wattmark knows up to {VERSION};"
            " update it"
        )
    if application_id != APPLICATION_ID and (application_id or version or _is_used(connection)):
        raise StoreError(
            f"store {path} is another program's SQLite database; name a new file for the store"
        )


def create(connection: sqlite3.Connection, path: Path) -> None:
    """Create what is missing in the file ``path``, in one transaction; several processes may do so
    at once.

    The file of an older version is copied to ``PATH.before-VERSION`` first. Raises ``StoreError``.
    """
    connection.execute("BEGIN IMMEDIATE")
    check_version(connection, path)
    older = any(_changes(connection)) and _is_used(connection)
    with copied_before_migration(path, SIZES) if older else nullcontext():
        fill(connection)
        connection.execute("COMMIT")


def fill(connection: sqlite3.Connection) -> None:
    """Make the tables and columns that are missing, within a transaction."""
    changes = list(_changes(connection))
    for name, value in (("application_id", APPLICATION_ID), ("user_version", VERSION)):
        if connection.execute(f"PRAGMA {name}").fetchone() != (value,):  # else it would be written
            connection.execute(f"PRAGMA {name}={value}")
    for statement in (*_FIXED, *changes):
        connection.execute(statement)
    connection.execute('CREATE INDEX IF NOT EXISTS window_start ON "window"(start_ns)')


_FIXED: Final = (
    "CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, measurement TEXT NOT NULL,"
    " field TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE(measurement, field, tags))",
    "CREATE TABLE IF NOT EXISTS cursor(target TEXT PRIMARY KEY, cursor TEXT NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS touched(series INTEGER NOT NULL, minute INTEGER NOT NULL,"
    " PRIMARY KEY(series, minute)) WITHOUT ROWID",
)


_SAMPLE_KEY: Final = (("series", "INTEGER"), ("time_ns", "INTEGER"))


def _changes(connection: sqlite3.Connection) -> Iterator[str]:
    """What makes the tables that are there those of this version."""
    for table in (*TABLES.values(), OTHER_TABLE):
        for name, columns in ((table.name, table.columns), (table.minute, minute_columns(table))):
            typed = [(column.name, column.type) for column in columns]
            yield from _extend(connection, name, [*_SAMPLE_KEY, *typed], "series, time_ns")
    yield from _extend(connection, "window", result_columns(Window), "window_id")
    yield from _extend(
        connection, "score", result_columns(Score), "run_id, model, boundary, formula"
    )


def _extend(
    connection: sqlite3.Connection, table: str, columns: Iterable[tuple[str, str]], key: str
) -> Iterator[str]:
    """Creates the table, or adds the columns that an older version did not have."""
    definitions = {name: f"{quote(name)} {kind}".rstrip() for name, kind in columns}
    present = {row[1] for row in connection.execute(f"PRAGMA table_info({quote(table)})")}
    if not present:
        yield (
            f"CREATE TABLE {quote(table)}"
            f"({', '.join(definitions.values())}, PRIMARY KEY({key})) WITHOUT ROWID"
        )
        return
    for name, column in definitions.items():
        if name not in present:
            yield f"ALTER TABLE {quote(table)} ADD COLUMN {column}"


def _is_used(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
