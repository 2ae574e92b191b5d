"""InfluxQL for Grafana. Every name of a measurement or field is looked up where it is defined."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wattmark_core.catalogue import ENERGY_TAGS, MEASUREMENTS
from wattmark_core.results import Score, Window
from wattmark_store.influx_lines import (
    RESULT_EXTRAS,
    SCORE_EXTRA_TAGS,
    SCORE_TAGS,
    WINDOW_TAGS,
)
from wattmark_store.schema import result_columns

HOST: Final = '"host" =~ /^${host:regex}$/'
PLACE: Final = '"place" =~ /^${place:regex}$/'
TIME: Final = "$timeFilter"
RESULT_NAMES: Final = {
    "window": {name for name, _ in result_columns(Window)} | RESULT_EXTRAS["window"],
    "score": {name for name, _ in result_columns(Score)} | RESULT_EXTRAS["score"],
}
RESULT_TAGS: Final = {"window": WINDOW_TAGS, "score": SCORE_TAGS + SCORE_EXTRA_TAGS}


def field(measurement: str, name: str) -> str:
    """A field or tag of a measurement, quoted. Raises ``KeyError`` for one that does not exist."""
    known = RESULT_NAMES.get(measurement) or {
        *(metric.field for metric in MEASUREMENTS[measurement]),
        *(tag for metric in MEASUREMENTS[measurement] for tag in metric.tags), "host",
    }  # fmt: skip
    if name not in known:
        raise KeyError(f"{measurement} has no {name}")
    return f'"{name}"'


def _names(measurement: str, names: Sequence[str]) -> str:
    return ", ".join(field(measurement, name) for name in names)


def _per_interval(by: str) -> str:
    """Nulls where nothing was, so that a gap is drawn as one."""
    return f"GROUP BY time($interval){', ' if by else ''}{by} fill(null)"


def gauge(
    measurement: str, name: str, tags: Sequence[str], *, function: str = "mean", where: str = HOST
) -> str:
    """A gauge over time, per series."""
    return (
        f'SELECT {function}({field(measurement, name)}) FROM "{measurement}"'
        f" WHERE {TIME} AND {where} {_per_interval(_names(measurement, tags))}"
    )


def largest(measurement: str, name: str, tags: Sequence[str]) -> str:
    """The largest values of a gauge, per series, of the one-minute values, which keep them."""
    largest_field = field(measurement, name).removesuffix('"') + '_max"'
    return (
        f'SELECT max({largest_field}) FROM "{measurement}" WHERE {TIME} AND {HOST}'
        f" {_per_interval(_names(measurement, tags))}"
    )


def rate(measurement: str, name: str, tags: Sequence[str]) -> str:
    """Growth of a counter per second, from each sample to the next at their own times; where it
    fell, because it began again, there is none.

    The last value of each interval would be cheaper, and wrong in the interval that is not over.
    """
    growth = (
        f'SELECT non_negative_derivative({field(measurement, name)}, 1s) AS "value"'
        f' FROM "{measurement}" WHERE {TIME} AND {HOST}'
        f" GROUP BY {_names(measurement, ('host', *tags))}"
    )
    grouped = _per_interval(_names(measurement, tags))
    return f'SELECT mean("value") FROM ({growth}) WHERE {TIME} {grouped}'


def _growth(function: str, where: str) -> str:
    """What each energy counter did from a sample to the next, with the change of its epoch, which
    is 0 within one: between epochs no energy is known."""
    joules, epoch = field("energy", "joules"), field("energy", "epoch")
    by = _names("energy", ("host", *ENERGY_TAGS))
    return (
        f'SELECT {function.format(joules)} AS "value", difference({epoch}) AS "epochs"'
        f' FROM "energy" WHERE {TIME} AND {where} GROUP BY {by}'
    )


def power(where: str = HOST) -> str:
    """Power from the energy counters, W, per series."""
    by = _names("energy", ("host", *ENERGY_TAGS))
    growth = _growth("non_negative_derivative({}, 1s)", where)
    return (
        f'SELECT mean("value") AS "watts" FROM ({growth}) WHERE "epochs" = 0 AND {TIME}'
        f" {_per_interval(by)}"
    )


def host_power(where: str) -> str:
    """Power per host, domain and source: devices are added, sources never."""
    by = _names("energy", ("host", "domain", "source", "method"))
    return f'SELECT sum("watts") FROM ({power(where)}) WHERE {TIME} {_per_interval(by)}'


def energy(where: str = HOST) -> str:
    """Energy in the shown time, J, per series, within epochs."""
    by = _names("energy", ("host", *ENERGY_TAGS))
    growth = _growth("non_negative_difference({})", where)
    return f'SELECT sum("value") FROM ({growth}) WHERE "epochs" = 0 GROUP BY {by}'


def reads(share: str, tags: Sequence[str]) -> str:
    """What became of the reads that were due in each interval, per sensor: ``share`` of ``taken``
    and ``due``. What an exporter counted anew is not set off against what it counted before."""
    by = _names("sensor", tags)
    pair = [field("sensor", name) for name in ("taken", "due")]
    growth = ", ".join(f"non_negative_difference({name}) AS {name}" for name in pair)
    summed = ", ".join(f"sum({name}) AS {name}" for name in pair)
    counted = (
        f'SELECT {growth} FROM "sensor" WHERE {TIME} AND {HOST}'
        f" GROUP BY {_names('sensor', ('host', 'sensor'))}"
    )
    shown = f"SELECT {summed} FROM ({counted}) WHERE {TIME} GROUP BY time($interval), {by}"
    return f'SELECT {share} FROM ({shown} fill(none)) WHERE "due" > 0 GROUP BY {by}'


def results(measurement: str, names: Sequence[str], *conditions: str, timed: bool = True) -> str:
    """Rows of windows or scores."""
    where = " AND ".join([*([TIME] if timed else []), *conditions])
    return f'SELECT {_names(measurement, names)} FROM "{measurement}" WHERE {where}'


def last_scores(
    names: Sequence[str], *conditions: str, by: Sequence[str], of: str = "value",
    rename: str = "{}", computed: Mapping[str, str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """The newest score of each group that has the field ``of``, with fields and tags of the same
    row: a flat table.

    ``by`` become columns by an outer query: of groups themselves releases of Grafana make tables
    without columns (9.4), or with tags in each other's column (10.2 and later).
    ``rename``: what the columns ``score`` (or ``of``) and ``names`` are called, made from their
    own. ``computed``: further columns, each an expression of those.
    """
    first = "score" if of == "value" else of
    renamed = {name: rename.format(name) for name in (first, *names)}
    fields = "".join(f', {field("score", name)} AS "{renamed[name]}"' for name in names)
    newest = (
        f'SELECT last({field("score", of)}) AS "{renamed[first]}"{fields} FROM "score"'
        f" WHERE {' AND '.join([TIME, *conditions])} GROUP BY {_names('score', by)}"
    )
    more = (f'{expression} AS "{name}"' for name, expression in computed.items())
    columns = ", ".join([*(f'"{name}"' for name in renamed.values()), *more])
    return f"SELECT {_names('score', by)}, {columns} FROM ({newest})"


def runs(*conditions: str, timed: bool = True) -> str:
    """A row for each run, from its first window's start to its last one's end."""
    start, end = field("window", "start_ms"), field("window", "end_ms")
    by = _names("window", ("host", "run_id"))
    where = " AND ".join([*([TIME] if timed else []), *conditions])
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
