"""InfluxQL for samples, and what its answers mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from wattmark_core.line_protocol import is_integer
from wattmark_core.sample import Tags, make_tags
from wattmark_core.units import NS_PER_S
from wattmark_store.influx_lines import decode, from_measurement, identifier, literal
from wattmark_store.protocol import Aggregate, SeriesData
from wattmark_store.schema import OTHER, table_of
from wattmark_store.selection import Selection

OUTSIDE_NS: Final = 30 * NS_PER_S
"""How far outside a window its edges' neighbours are looked for."""
Values = dict[str, float | int]
Times = dict[int, Values]


@dataclass(frozen=True, slots=True)
class Row:
    """One series of an answer: its tags, the names of its columns, its rows."""

    measurement: str
    tags: Tags
    columns: tuple[str, ...]
    values: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, series: Mapping[str, Any]) -> Self:
        """From JSON. A tag that the series has not comes as empty text."""
        tags = {decode(name): decode(value) for name, value in series.get("tags", {}).items()}
        columns = tuple(decode(name) for name in series["columns"])
        return cls(decode(series["name"]), make_tags(tags), columns, series.get("values", ()))

    def records(self) -> Iterator[dict[str, Any]]:
        """Each row by column, those without a value left out."""
        for row in self.values:
            yield {n: v for n, v in zip(self.columns, row, strict=True) if v is not None}


Rows = list[Row]


@dataclass(frozen=True, slots=True)
class Span:
    """A measurement between two instants, both included, of the series that have some tags."""

    measurement: str
    start_ns: int
    end_ns: int
    tags: Mapping[str, str]

    def __str__(self) -> str:
        conditions = [f"time >= {self.start_ns}", f"time <= {self.end_ns}", *chosen(self.tags)]
        return f"{from_measurement(self.measurement)} WHERE {' AND '.join(conditions)}"

    def stretches(self, points: int) -> list["Span"]:
        """The time in equal stretches."""
        width = (self.end_ns - self.start_ns) // points + 1
        bounds = range(self.start_ns, self.end_ns + 1, width)
        return [
            Span(self.measurement, start, min(start + width - 1, self.end_ns), self.tags)
            for start in bounds
        ]


def span_of(selection: Selection) -> Span:
    """The selection as a part of statements."""
    return Span(selection.measurement, selection.start_ns, selection.end_ns, selection.tags)


def chosen(tags: Mapping[str, str]) -> Iterator[str]:
    """The conditions that pick series."""
    return (f"{identifier(name)} = {literal(value)}" for name, value in tags.items())


def exactly(tags: Tags, names: Iterable[str]) -> Iterator[str]:
    """The conditions that pick the one series that has these tags and, of ``names``, no others."""
    yield from chosen(dict(tags))
    for name in sorted(set(names) - {name for name, _ in tags}):
        yield f"{identifier(name)} = ''"


def every(span: Span) -> str:
    """The statement that reads all samples of a span."""
    return f"SELECT * {span} GROUP BY *"


def count(span: Span) -> str:
    """How many samples each series has."""
    return f"SELECT count(*) {span} GROUP BY *"


def most(answers: Sequence[Rows]) -> int:
    """The largest count among the answers."""
    counts = [v for rows in answers for row in rows for v in row.values[0][1:] if v is not None]
    return max(counts, default=0)


def latest(span: Span) -> str:
    """The last sample of each series."""
    return f"SELECT * {span} GROUP BY * ORDER BY time DESC LIMIT 1"


def edges(
    measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str], neighbours: int
) -> list[str]:
    """The samples next to both instants: four reads that end after a few samples each."""
    low, high = start_ns - OUTSIDE_NS, end_ns + OUTSIDE_NS
    statements = []
    for instant in dict.fromkeys((start_ns, end_ns)):
        before = Span(measurement, low, instant, tags)
        after = Span(measurement, instant + 1, high, tags)
        for span, order in ((before, "DESC"), (after, "ASC")):
            limit = f"ORDER BY time {order} LIMIT {neighbours}"
            statements.append(f"SELECT * {span} GROUP BY * {limit}")
    return statements


def nearest(
    measurement: str, answers: Sequence[Rows], start_ns: int, end_ns: int, neighbours: int
) -> list[SeriesData]:
    """The answers to ``edges`` as series."""
    series = []
    for tags, times in _merged(measurement, answers).items():
        chosen: set[int] = set()
        for instant in (start_ns, end_ns):
            before = sorted(time_ns for time_ns in times if time_ns <= instant)
            after = sorted(time_ns for time_ns in times if time_ns > instant)
            chosen.update(before[max(0, len(before) - neighbours) :], after[:neighbours])
        series.append(_data(measurement, tags, {t: times[t] for t in sorted(chosen)}))
    return series


def read(measurement: str, answers: Sequence[Rows], minute: bool = False) -> list[SeriesData]:
    """Answers of whole samples as series. ``minute``: they are one-minute values."""
    merged = _merged(measurement, answers, minute=minute)
    return [_data(measurement, tags, times) for tags, times in merged.items()]


def aggregates(
    measurement: str, field: str, start_ns: int, end_ns: int, tags: Mapping[str, str]
) -> list[str]:
    """Count, extremes, mean; and the largest time between neighbours."""
    span, name = Span(measurement, start_ns, end_ns, tags), identifier(field)
    values = ", ".join(f"{f}({name})" for f in ("count", "first", "last", "min", "max", "mean"))
    gaps = f"SELECT elapsed({name}, 1ns) AS gap {span} GROUP BY *"
    return [
        f"SELECT {values} {span} GROUP BY *",
        f"SELECT max(gap) AS gap FROM ({gaps}) GROUP BY *",
    ]


def read_aggregates(measurement: str, field: str, answers: Sequence[Rows]) -> list[Aggregate]:
    """The answers to ``aggregates``."""
    values, gaps = answers
    largest = {
        row.tags: record["gap"] for row in gaps for record in row.records() if "gap" in record
    }
    aggregates = []
    for row in sorted(values, key=lambda row: row.tags):
        for record in row.records():
            first, last, low, high = (
                _number(measurement, field, record[name])
                for name in ("first", "last", "min", "max")
            )
            mean, gap = float(record["mean"]), largest.get(row.tags)
            aggregates.append(
                Aggregate(row.tags, record["count"], first, last, low, high, mean, gap)
            )
    return aggregates


def thinned(span: Span, points: int) -> list[str]:
    """Per stretch the values, then the time of its last sample."""
    statements = []
    for stretch in span.stretches(points):
        statements += [f"SELECT last(*), mean(*) {stretch} GROUP BY *", latest(stretch)]
    return statements


def read_thinned(span: Span, answers: Sequence[Rows], *, minute: bool = False) -> list[SeriesData]:
    """The answers to ``thinned`` as series. ``minute``: they are one-minute values."""
    by_tags: dict[Tags, Times] = {}
    for values, lasts in zip(answers[::2], answers[1::2], strict=True):
        times = {row.tags: row.values[0][0] for row in lasts}
        for row in values:
            for record in row.records():
                stretch = condensed(span.measurement, record, largest=minute)
                by_tags.setdefault(row.tags, {})[times[row.tags]] = stretch
    return [_data(span.measurement, tags, by_tags[tags]) for tags in sorted(by_tags)]


def condensed(measurement: str, record: Mapping[str, Any], *, largest: bool = False) -> Values:
    """Of ``last(*), mean(*), max(*)`` the last value of counters, else the mean and, if
    ``largest``, the largest."""
    values: Values = {}
    for name, value in record.items():
        kind, _, field = name.partition("_")
        if kind == "last" and is_counter(measurement, field):
            values[field] = _number(measurement, field, value)
        elif kind == "mean" and not is_counter(measurement, field):
            values[field] = float(value)
        elif kind == "max" and largest and not is_counter(measurement, field):
            values[f"{field}_max"] = float(value)
    return values


def is_counter(measurement: str, field: str) -> bool:
    """Whether a stretch of time is thinned to its last value, not to its mean."""
    table = table_of(measurement)
    if table.name == OTHER:
        return table.columns[0].last
    return any(column.last for column in table.columns if column.name == field)


def is_minute_integer(measurement: str, field: str) -> bool:
    """Whether the field is of integers at one minute, where a mean stands for gauges."""
    return is_integer(measurement, field) and is_counter(measurement, field)


def _merged(
    measurement: str, answers: Sequence[Rows], *, minute: bool = False
) -> dict[Tags, Times]:
    """Samples of all answers by series, series in order of their tags."""
    by_tags: dict[Tags, Times] = {}
    for rows in answers:
        for row in rows:
            times = by_tags.setdefault(row.tags, {})
            for record in row.records():
                values = times.setdefault(record.pop("time"), {})
                for field, value in record.items():
                    integer = (is_minute_integer if minute else is_integer)(measurement, field)
                    values[field] = int(value) if integer else float(value)
    return {tags: by_tags[tags] for tags in sorted(by_tags)}


def _number(measurement: str, field: str, value: float | int) -> float | int:
    return int(value) if is_integer(measurement, field) else float(value)


def _data(measurement: str, tags: Tags, times: Times) -> SeriesData:
    order = tuple(sorted(times))
    names = dict.fromkeys(name for time_ns in order for name in times[time_ns])
    fields = {name: tuple(times[time_ns].get(name) for time_ns in order) for name in names}
    return SeriesData(measurement, tags, order, fields)
