"""InfluxQL for Grafana. Every name of a measurement or field is looked up where it is defined."""

from collections.abc import Sequence
from typing import Final

from wattmark_core.catalogue import ENERGY_TAGS, MEASUREMENTS
from wattmark_core.results import Score, Window
from wattmark_store.influx_lines import RESULT_EXTRAS, SCORE_TAGS, WINDOW_TAGS
from wattmark_store.schema import result_columns

HOST: Final = '"host" =~ /^${host:regex}$/'
TIME: Final = "$timeFilter"
RESULT_NAMES: Final = {
    "window": {name for name, _ in result_columns(Window)} | RESULT_EXTRAS["window"],
    "score": {name for name, _ in result_columns(Score)} | RESULT_EXTRAS["score"],
}
RESULT_TAGS: Final = {"window": WINDOW_TAGS, "score": SCORE_TAGS}


def field(measurement: str, name: str) -> str:
    """A field or tag of a measurement, quoted. Raises ``KeyError`` for one that does not exist."""
    known = RESULT_NAMES.get(measurement) or {
        *(metric.field for metric in MEASUREMENTS[measurement]),
        *(tag for metric in MEASUREMENTS[measurement] for tag in metric.tags), "host",
    }  # fmt: skip
    if name not in known:
        raise KeyError(f"{measurement} has no {name}")
    return f'"{name}"'


def gauge(
    measurement: str, name: str, tags: Sequence[str], *, function: str = "mean", where: str = HOST
) -> str:
    """A gauge over time, per series."""
    by = ", ".join(field(measurement, tag) for tag in tags)
    group = f"time($interval), {by}" if by else "time($interval)"
    return (
        f'SELECT {function}({field(measurement, name)}) FROM "{measurement}"'
        f" WHERE {TIME} AND {where} GROUP BY {group} fill(none)"
    )


def rate(measurement: str, name: str, tags: Sequence[str]) -> str:
    """Growth of a counter per second; what a restart takes back is left out."""
    by = ", ".join(field(measurement, tag) for tag in tags)
    group = f"time($interval), {by}" if by else "time($interval)"
    return (
        f"SELECT non_negative_derivative(last({field(measurement, name)}), 1s)"
        f' FROM "{measurement}" WHERE {TIME} AND {HOST} GROUP BY {group} fill(none)'
    )


def _energy(value: str, where: str) -> str:
    """Per interval; one in which an epoch began is left out, for its joules began again at 0."""
    by = ", ".join(field("energy", tag) for tag in ("host", *ENERGY_TAGS))
    epoch = f"difference(last({field('energy', 'epoch')}))"
    return (
        f'SELECT {value} AS "value", {epoch} AS "epochs" FROM "energy" WHERE {TIME} AND {where}'
        f" GROUP BY time($interval), {by} fill(none)"
    )


def power(where: str = HOST) -> str:
    """Power from the energy counters, W, per series."""
    by = ", ".join(field("energy", tag) for tag in ("host", *ENERGY_TAGS))
    value = f"non_negative_derivative(last({field('energy', 'joules')}), 1s)"
    return f'SELECT "value" FROM ({_energy(value, where)}) WHERE "epochs" = 0 GROUP BY {by}'


def host_power(where: str) -> str:
    """Power per host, domain and source: devices are added, sources never."""
    by = ", ".join(field("energy", tag) for tag in ("host", "domain", "source", "method"))
    value = f"non_negative_derivative(last({field('energy', 'joules')}), 1s)"
    inner = f'SELECT "value" FROM ({_energy(value, where)}) WHERE "epochs" = 0'
    return (
        f'SELECT sum("value") FROM ({inner} GROUP BY *) WHERE {TIME}'
        f" GROUP BY time($interval), {by} fill(none)"
    )


def energy(where: str = HOST) -> str:
    """Energy in the shown time, J, per series, within epochs."""
    by = ", ".join(field("energy", tag) for tag in ("host", *ENERGY_TAGS))
    value = f"difference(last({field('energy', 'joules')}))"
    return f'SELECT sum("value") FROM ({_energy(value, where)}) WHERE "epochs" = 0 GROUP BY {by}'


def results(measurement: str, names: Sequence[str], *conditions: str, timed: bool = True) -> str:
    """Rows of windows or scores."""
    columns = ", ".join(field(measurement, name) for name in names)
    where = " AND ".join([*([TIME] if timed else []), *conditions])
    return f'SELECT {columns} FROM "{measurement}" WHERE {where}'


def last_scores(names: Sequence[str], *conditions: str, by: Sequence[str]) -> str:
    """The newest score of each group, with fields of the same row."""
    rest = "".join(f", {field('score', name)}" for name in names if name != "value")
    group = ", ".join(field("score", tag) for tag in by)
    where = " AND ".join([TIME, *conditions])
    return (
        f'SELECT last({field("score", "value")}) AS "score"{rest} FROM "score"'
        f" WHERE {where} GROUP BY {group}"
    )


def tag_values(measurement: str, tag: str, where: str = "") -> str:
    """The values of a variable."""
    known = RESULT_TAGS.get(measurement)
    if known is not None and tag not in known:
        raise KeyError(f"{measurement} has no tag {tag}")
    condition = f" WHERE {where}" if where else ""
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = {field(measurement, tag)}{condition}'
