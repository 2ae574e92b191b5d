"""One-minute values, and forgetting what is old."""

import sqlite3
from typing import Final

from wattmark_core.units import NS_PER_S
from wattmark_store.sample_tables import MINUTE_NS, raw_part
from wattmark_store.schema import OTHER_TABLE, TABLES, Column, quote
from wattmark_store.storable import LEAST, MOST

DAY_NS: Final = 86_400 * NS_PER_S
RAW_NS: Final = 14 * DAY_NS
ONE_MINUTE_NS: Final = 730 * DAY_NS
MINUTES_AT_ONCE: Final = 1000
"""Few enough that another process waits well under a second for its turn to write."""
PRUNED_AT_ONCE_NS: Final = 3600 * NS_PER_S


def roll_up(connection: sqlite3.Connection, now_ns: int) -> int:
    """Make the one-minute rows of minutes that are over and were written since they were made.

    A row is stamped with the last sample of its minute. It holds the last value of counters (with
    the epoch), mean and largest of gauges. At most ``MINUTES_AT_ONCE``; returns how many.
    """
    due = connection.execute(
        "SELECT t.series, t.minute, s.measurement, s.field FROM touched t"
        " JOIN series s ON s.id = t.series WHERE t.minute < ? LIMIT ?",
        (now_ns // MINUTE_NS, MINUTES_AT_ONCE),
    ).fetchall()
    for series, minute, measurement, field in due:
        _roll_up_minute(connection, series, minute * MINUTE_NS, measurement, field)
    connection.executemany(
        "DELETE FROM touched WHERE series=? AND minute=?", [row[:2] for row in due]
    )
    return len(due)


def _roll_up_minute(
    connection: sqlite3.Connection, series: int, start_ns: int, measurement: str, field: str
) -> None:
    part = raw_part(series, measurement, field, "{}")
    here = "series=:series AND time_ns BETWEEN :start AND :last"
    bounds = {
        "series": series, "start": max(LEAST, start_ns), "last": min(MOST, start_ns + MINUTE_NS - 1)
    }  # fmt: skip
    table, names, values = quote(part.table), ["series", "time_ns"], ["series", "max(time_ns)"]
    for column in part.columns:
        for name, value in _values(column, table, here):
            names.append(quote(name))
            values.append(value)
    twin = quote(f"{part.table}_1m")
    connection.execute(f"DELETE FROM {twin} WHERE {here}", bounds)  # noqa: S608 - names of the catalogue
    connection.execute(
        f"INSERT INTO {twin}({','.join(names)}) SELECT {','.join(values)}"  # noqa: S608 - as above
        f" FROM {table} WHERE {here} GROUP BY series",
        bounds,
    )


def _values(column: Column, table: str, here: str) -> list[tuple[str, str]]:
    name = quote(column.name)
    if not column.last:
        return [(column.name, f"avg({name})"), (f"{column.name}_max", f"max({name})")]
    last = (
        f"(SELECT {name} FROM {table} WHERE {here} AND {name} IS NOT NULL"  # noqa: S608 - as above
        " ORDER BY time_ns DESC LIMIT 1)"
    )
    return [(column.name, last)]


def raw_limit_ns(now_ns: int) -> int:
    """Samples before this instant are forgotten; whole minutes, so that none is cut."""
    return (now_ns - RAW_NS) // MINUTE_NS * MINUTE_NS


def prune(connection: sqlite3.Connection, now_ns: int) -> int:
    """Forget old rows, an hour of each series at once; returns how many. Call it until 0.

    Minutes that were not rolled up are lost with their samples: roll up first.
    """
    forgotten, raw_ns = 0, raw_limit_ns(now_ns)
    connection.execute("DELETE FROM touched WHERE minute < ?", (raw_ns // MINUTE_NS,))
    limits = [(raw_ns, False), (now_ns - ONE_MINUTE_NS, True)]
    for limit_ns, minute in limits:
        for table in (*TABLES.values(), OTHER_TABLE):
            name = table.minute if minute else table.name
            forgotten += _prune_table(connection, name, limit_ns)
    return forgotten


def _prune_table(connection: sqlite3.Connection, name: str, limit_ns: int) -> int:
    table, forgotten = quote(name), 0
    oldest = connection.execute(
        f"SELECT s.id, (SELECT min(time_ns) FROM {table} WHERE series = s.id) AS oldest"  # noqa: S608 - as above
        " FROM series s WHERE oldest < ?",
        (limit_ns,),
    ).fetchall()
    for series, oldest_ns in oldest:
        end_ns = min(limit_ns, oldest_ns + PRUNED_AT_ONCE_NS)
        done = connection.execute(
            f"DELETE FROM {table} WHERE series=? AND time_ns<?",  # noqa: S608 - as above
            (series, end_ns),
        )
        forgotten += done.rowcount
    return forgotten
