"""InfluxQL for Grafana. Every name of a measurement or field is looked up where it is defined."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from dashboards.spans import SAMPLES, Span
from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.results import Score, Window
from wattmark_store.influx_lines import (
    RESULT_EXTRAS,
    SCORE_EXTRA_TAGS,
    SCORE_TAGS,
    WINDOW_TAGS,
)
from wattmark_store.influx_views import RESULT_VIEWS
from wattmark_store.schema import result_columns

HOST: Final = '"host" =~ /^${host:regex}$/'
PLACE: Final = '"place" =~ /^${place:regex}$/'
TIME: Final = "$timeFilter"
RAW: Final = SAMPLES[0]
TOTAL: Final = "\"domain\" = 'total'"
"""Of the power that is stored ready: a host's package, dram and GPUs, of one source each."""
NOT_PARTS: Final = "\"domain\" <> 'core' AND \"domain\" <> 'uncore'"
COUNTED: Final = "(\"source\" = '' OR \"domain\" = 'psys')"
"""Of power that is stored ready: what the total counts, of one source each, and what stands around
it; not each source's own."""
POWER_NAMES: Final = frozenset(
    {"host", "domain", "source", "method", "watts", "seconds", "joules", "parts"}
)
RESULT_NAMES: Final = {
    "window": {name for name, _ in result_columns(Window)} | RESULT_EXTRAS["window"],
    "score": {name for name, _ in result_columns(Score)} | RESULT_EXTRAS["score"],
    **{name: {*view.tags, *view.fields} for name, view in RESULT_VIEWS.items()},
}
RESULT_TAGS: Final = {
    "window": WINDOW_TAGS, "score": SCORE_TAGS + SCORE_EXTRA_TAGS,
    **{name: view.tags for name, view in RESULT_VIEWS.items()},
}  # fmt: skip


def field(measurement: str, name: str) -> str:
    """A field or tag of a measurement, quoted. Raises ``KeyError`` for one that does not exist."""
    known = RESULT_NAMES.get(measurement) or {
        *(metric.field for metric in MEASUREMENTS[measurement]),
        *(tag for metric in MEASUREMENTS[measurement] for tag in metric.tags), "host",
    }  # fmt: skip
    if name not in known:
        raise KeyError(f"{measurement} has no {name}")
    return f'"{name}"'


def names_of(measurement: str, names: Sequence[str]) -> str:
    """The names of several tags, quoted."""
    return ", ".join(field(measurement, name) for name in names)


def _power(name: str) -> str:
    if name not in POWER_NAMES:
        raise KeyError(f"power has no {name}")
    return f'"{name}"'


def _of(measurement: str, span: Span) -> str:
    return f'"{span.database}".."{measurement}"'


def _and(*conditions: str) -> str:
    return " AND ".join(condition for condition in conditions if condition)


def _per(group: str, by: str) -> str:
    """Nulls where nothing was, so that a gap is drawn as one."""
    return f"GROUP BY time({group}){', ' if by else ''}{by} fill(null)"


# -- power that is stored ready --------------------------------------------------------------------


def power(span: Span, tags: Sequence[str], *conditions: str) -> str:
    """Mean power over time, W, per series of ``tags``."""
    by = ", ".join(map(_power, tags))
    return (
        f'SELECT sum({_power("joules")}) / sum({_power("seconds")}) AS "watts"'
        f" FROM {_of('power', span)}"
        f" WHERE {_and(TIME, span.condition, *conditions)} {_per(span.group, by)}"
    )


def energy(span: Span, *conditions: str, by: Sequence[str] = ()) -> str:
    """One row, or one for each ``by``: mean power ``watts``, energy ``joules`` and ``watt_hours``,
    the share ``known`` of the time shown."""
    shown = ('"watts"', '"joules"', '"joules" / 3600 AS "watt_hours"', '"known"')
    columns = ", ".join([*map(_power, by), *shown])
    joules, seconds = _power("joules"), _power("seconds")
    grouped = f" GROUP BY {', '.join(map(_power, by))}" if by else ""
    summed = (
        f'SELECT sum({joules}) / sum({seconds}) AS "watts", sum({joules}) AS "joules",'
        f' sum({seconds}) * 1000 / (${{__to}} - ${{__from}}) AS "known"'
        f" FROM {_of('power', span)} WHERE {_and(TIME, span.condition, *conditions)}{grouped}"
    )
    return f"SELECT {columns} FROM ({summed})"


def parts_missing(span: Span, *conditions: str) -> str:
    """A row for each host: how many counters fewer than at its best its total was once made of. A
    device that is not heard of is missing in the total, and would look like less power."""
    parts, host = _power("parts"), _power("host")
    spread = (
        f'SELECT max({parts}) - min({parts}) AS "missing" FROM {_of("power", span)}'
        f" WHERE {_and(TIME, span.condition, *conditions)} GROUP BY {host}"
    )
    return f'SELECT {host}, "missing" FROM ({spread})'


def energy_of_domains(span: Span, *conditions: str) -> str:
    """Energy in the shown time, J, a series for each domain, source and method."""
    by = ", ".join(map(_power, ("domain", "source", "method")))
    return (
        f"SELECT sum({_power('joules')}) FROM {_of('power', span)}"
        f" WHERE {_and(TIME, span.condition, *conditions)} GROUP BY {by}"
    )


def power_now(*conditions: str, by: Sequence[str] = ("host",)) -> str:
    """The newest ten seconds of each host's total that are stored, with their method; none of a
    host that has been silent for five minutes."""
    tags = ", ".join(map(_power, by))
    newest = (
        f'SELECT last({_power("watts")}) AS "now", {_power("method")} FROM "power_10s".."power"'
        f" WHERE {_and('time > now() - 150s', TOTAL, *conditions)} GROUP BY {tags}"
    )
    return f'SELECT {tags}, "now", "method" FROM ({newest})'


# -- samples ---------------------------------------------------------------------------------------


def gauge(
    measurement: str, name: str, tags: Sequence[str], span: Span = RAW, *conditions: str,
    function: str = "mean",
) -> str:  # fmt: skip
    """A gauge over time, per series of the chosen hosts."""
    return (
        f"SELECT {function}({field(measurement, name)}) FROM {_of(measurement, span)}"
        f" WHERE {_and(TIME, span.condition, HOST, *conditions)}"
        f" {_per(span.group, names_of(measurement, tags))}"
    )


def largest(measurement: str, name: str, tags: Sequence[str]) -> str:
    """The largest values of a gauge, per series, of the one-minute values, which keep them."""
    largest_field = field(measurement, name).removesuffix('"') + '_max"'
    return (
        f'SELECT max({largest_field}) FROM "telemetry_1m".."{measurement}" WHERE {TIME} AND {HOST}'
        f" {_per('$__interval', names_of(measurement, tags))}"
    )


def rates(
    measurement: str, columns: Mapping[str, str], tags: Sequence[str], span: Span = RAW,
    *conditions: str,
) -> str:  # fmt: skip
    """Growth of counters per second, from each sample to the next at their own times; where one
    fell, because it began again, there is none. ``columns``: what each is called → its field.

    The last value of each interval would be cheaper, and wrong in the interval that is not over.
    """
    where = _and(TIME, span.condition, HOST, *conditions)
    growth = ", ".join(
        f'non_negative_derivative({field(measurement, name)}, 1s) AS "{column}"'
        for column, name in columns.items()
    )
    means = ", ".join(f'mean("{column}") AS "{column}"' for column in columns)
    return (
        f"SELECT {means} FROM (SELECT {growth} FROM {_of(measurement, span)} WHERE {where}"
        f" GROUP BY {names_of(measurement, ('host', *tags))})"
        f" WHERE {TIME} {_per(span.group, names_of(measurement, tags))}"
    )


def reads(share: str, tags: Sequence[str], span: Span = RAW) -> str:
    """What became of the reads that were due in each interval, per sensor: ``share`` of ``taken``
    and ``due``. What an exporter counts after a restart is not set off against what
    it counted before."""
    by = names_of("sensor", tags)
    pair = [field("sensor", name) for name in ("taken", "due")]
    growth = ", ".join(f"non_negative_difference({name}) AS {name}" for name in pair)
    summed = ", ".join(f"sum({name}) AS {name}" for name in pair)
    counted = (
        f"SELECT {growth} FROM {_of('sensor', span)} WHERE {_and(TIME, span.condition, HOST)}"
        f" GROUP BY {names_of('sensor', ('host', 'sensor'))}"
    )
    shown = f"SELECT {summed} FROM ({counted}) WHERE {TIME} GROUP BY time({span.group}), {by}"
    return f'SELECT {share} FROM ({shown} fill(none)) WHERE "due" > 0 GROUP BY {by}'


def latest(
    measurement: str, columns: Mapping[str, str], tags: Sequence[str], *conditions: str
) -> str:
    """A row for each series of the chosen hosts: its newest values of the last five minutes.
    ``columns``: what each is called → its field."""
    where = _and("time > now() - 5m", HOST, *conditions)
    newest = ", ".join(f'last({field(measurement, n)}) AS "{c}"' for c, n in columns.items())
    by = names_of(measurement, tags)
    rows = f'SELECT {newest} FROM "{measurement}" WHERE {where} GROUP BY {by}'
    shown = ", ".join(f'"{column}"' for column in columns)
    return f"SELECT {by}, {shown} FROM ({rows})"


def per_host(rows: str, columns: Mapping[str, str]) -> str:
    """A row for each host of the rows of ``latest``. ``columns``: name → expression of theirs."""
    made = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    shown = ", ".join(f'"{name}"' for name in columns)
    return f'SELECT "host", {shown} FROM (SELECT {made} FROM ({rows}) GROUP BY "host")'


# -- results ---------------------------------------------------------------------------------------


def results(
    measurement: str, names: Sequence[str], *conditions: str, timed: bool = True, newest: int = 0
) -> str:
    """Rows of windows, scores, or what else is stored of runs; the ``newest`` first, if given."""
    where = _and(*([TIME] if timed else []), *conditions)
    last = f" ORDER BY time DESC LIMIT {newest}" if newest else ""
    return f'SELECT {names_of(measurement, names)} FROM "{measurement}" WHERE {where}{last}'


def last_scores(
    names: Sequence[str], *conditions: str, by: Sequence[str], of: str = "value",
    rename: str = "{}", computed: Mapping[str, str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """The newest score of each group that has the field ``of``, with fields and tags of the same
    row: a flat table.

    ``by`` become columns by an outer query: of groups themselves releases of Grafana make tables
    with tags in each other's column (10.2 and later).
    ``rename``: what the columns ``score`` (or ``of``) and ``names`` are called, made from their
    own. ``computed``: further columns, each an expression of those.
    """
    first = "score" if of == "value" else of
    renamed = {name: rename.format(name) for name in (first, *names)}
    fields = "".join(f', {field("score", name)} AS "{renamed[name]}"' for name in names)
    newest = (
        f'SELECT last({field("score", of)}) AS "{renamed[first]}"{fields} FROM "score"'
        f" WHERE {_and(TIME, *conditions)} GROUP BY {names_of('score', by)}"
    )
    more = (f'{expression} AS "{name}"' for name, expression in computed.items())
    columns = ", ".join([*(f'"{name}"' for name in renamed.values()), *more])
    return f"SELECT {names_of('score', by)}, {columns} FROM ({newest})"


def runs(*conditions: str, timed: bool = True) -> str:
    """A row for each run, from its first window's start to its last one's end."""
    start, end = field("window", "start_ms"), field("window", "end_ms")
    by = names_of("window", ("host", "run_id"))
    where = _and(*([TIME] if timed else []), *conditions)
    spans = (
        f"SELECT min({start}) AS {start}, max({end}) AS {end}"
        f' FROM "window" WHERE {where} GROUP BY {by}'
    )
    return f"SELECT {by}, {start}, {end} FROM ({spans})"


def tag_values(measurement: str, tag: str, where: str = "") -> str:
    """The values of a variable."""
    known = RESULT_TAGS.get(measurement)
    if known is not None and tag not in known:
        raise KeyError(f"{measurement} has no tag {tag}")
    condition = f" WHERE {where}" if where else ""
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = {field(measurement, tag)}{condition}'
