"""Samples into the tables: sorted by series, then written as rows."""

import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import call, itemgetter
from typing import Any

from wattmark_core.sample import AnySample, Tags
from wattmark_core.series_lines import MOST_PREFIXES, Form, PlainLine
from wattmark_store.sample_tables import MINUTE_NS, SeriesKey, number_of, table_of_series
from wattmark_store.schema import TABLES

Row = tuple[Any, ...]
"""The series' number, the time, then a value, or None, for each column of the table."""


@dataclass(slots=True)
class Batch:
    """Runs of samples of one form each, by measurement and tags; ``None``: samples not read from
    lines. In a series they stand in the order in which they came, for the later of two samples of
    one instant replaces fields of the earlier."""

    count: int = 0
    runs: dict[tuple[str, Tags], list[tuple[Form | None, list[AnySample]]]] = field(
        default_factory=dict
    )


def sort(samples: Iterable[AnySample]) -> Batch:
    """Bring the samples of each series together, in the order in which they came."""
    batch, count = Batch(), 0
    growing: dict[Form, Callable[[AnySample], None]] = {}
    for sample in samples:
        count += 1
        if isinstance(sample, PlainLine):
            append = growing.get(sample[0])
            if append is not None:
                append(sample)
                continue
        _begin(batch, growing, sample)
    batch.count = count
    return batch


def _begin(
    batch: Batch, growing: dict[Form, Callable[[AnySample], None]], sample: AnySample
) -> None:
    """A run, or go on with one of samples that were not read from lines."""
    runs = batch.runs.setdefault((sample.measurement, sample.tags), [])
    form = sample.form if isinstance(sample, PlainLine) else None
    if runs:
        last = runs[-1][0]
        if last is form:
            runs[-1][1].append(sample)
            return
        if last is not None:
            del growing[last]
    run = [sample]
    runs.append((form, run))
    if form is not None:
        growing[form] = run.append


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a form's lines become rows of one series: ``convert`` the numbers of its fields, and
    ``pick`` the columns' out of these and a None at the end; without it they are as they stand."""

    key: SeriesKey
    convert: Sequence[Callable[[str], float | int]]
    pick: Callable[[Sequence[Any]], Row] | None

    def rows(self, number: int, lines: Iterable[Any]) -> list[Row]:
        """The rows of plain lines."""
        convert, pick = self.convert, self.pick
        if pick is None:
            return [
                (number, time_ns, *map(call, convert, match.groups()))
                for _, match, time_ns in lines
            ]
        return [
            (number, time_ns, *pick((*map(call, convert, match.groups()), None)))
            for _, match, time_ns in lines
        ]


def _plans(form: Form) -> Iterator[_Plan]:
    convert = [int if integer else float for integer in form.integers]
    table = TABLES.get(form.measurement)
    columns = () if table is None else tuple(table.position)
    for place, name in enumerate(form.fields):
        if name not in columns:
            yield _Plan((form.measurement, name, form.tags), convert, _picking([place]))
    if form.fields == columns:
        yield _Plan((form.measurement, "", form.tags), convert, None)
    elif not set(columns).isdisjoint(form.fields):
        places = {name: place for place, name in enumerate(form.fields)}
        picked = [places.get(name, -1) for name in columns]
        yield _Plan((form.measurement, "", form.tags), convert, _picking(picked))


def _picking(places: Sequence[int]) -> Callable[[Sequence[Any]], Row]:
    if len(places) > 1:
        return itemgetter(*places)
    (place,) = places
    return itemgetter(slice(place, place + 1))


def _rows(samples: Iterable[AnySample]) -> dict[SeriesKey, list[Row]]:
    """Rows without the series' number; values that are not finite are left out."""
    rows: dict[SeriesKey, list[Row]] = {}
    for sample in samples:
        measurement, tags, time_ns = sample.measurement, sample.tags, sample.time_ns
        table = TABLES.get(measurement)
        known: dict[str, float | int] = {}
        for name, value in sample.fields.items():
            if not math.isfinite(value):
                continue
            if table is not None and name in table.position:
                known[name] = value
            else:
                rows.setdefault((measurement, name, tags), []).append((time_ns, value))
        if table is not None and known:
            row = (time_ns, *map(known.get, table.position))
            rows.setdefault((measurement, "", tags), []).append(row)
    return rows


class SampleWriter:
    """Writes batches; remembers the numbers of series whose commit is known to have succeeded."""

    def __init__(self) -> None:
        self._numbers: dict[SeriesKey, int] = {}
        self._plans: dict[Form, Sequence[_Plan]] = {}

    def write(self, connection: sqlite3.Connection, batch: Batch) -> dict[SeriesKey, int]:
        """Write the batch; gives the numbers that are new, for ``remember`` after the commit."""
        writing = _Writing(connection, self._numbers)
        for runs in batch.runs.values():
            for form, samples in runs:
                if form is None:
                    for key, rows in _rows(samples).items():
                        number = writing.number(key)
                        writing.write(key, number, [(number, *row) for row in rows])
                else:
                    for plan in self._plans_of(form):
                        number = writing.number(plan.key)
                        writing.write(plan.key, number, plan.rows(number, samples))
        writing.end()
        return writing.new

    def remember(self, numbers: Mapping[SeriesKey, int]) -> None:
        """Numbers that have been committed."""
        self._numbers.update(numbers)

    def _plans_of(self, form: Form) -> Sequence[_Plan]:
        plans = self._plans.get(form)
        if plans is None:
            if len(self._plans) >= MOST_PREFIXES:
                self._plans.clear()
            plans = self._plans[form] = tuple(_plans(form))
        return plans


class _Writing:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection, known: Mapping[SeriesKey, int]) -> None:
        self.new: dict[SeriesKey, int] = {}
        self._connection = connection
        self._known = known
        self._touched: set[tuple[int, int]] = set()

    def number(self, key: SeriesKey) -> int:
        """The number of a series in the file."""
        number = self._known.get(key) or self.new.get(key)
        if number is None:
            number = self.new[key] = number_of(self._connection, key)
        return number

    def write(self, key: SeriesKey, number: int, rows: Sequence[Row]) -> None:
        """Write the rows of one series."""
        self._connection.executemany(table_of_series(key).upsert, rows)
        minutes = {row[1] // MINUTE_NS for row in rows}
        self._touched.update((number, minute) for minute in minutes)

    def end(self) -> None:
        """Note which minutes are to be made."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO touched VALUES(?,?)", sorted(self._touched)
        )
