"""PromQL for Grafana and for recording rules. Names of metrics are looked up in the catalogue."""

from collections.abc import Callable
from typing import Final

from dashboards.panels import Json
from wattmark_core.catalogue import MEASUREMENTS, SOURCE_ORDER, Kind, Method, Metric
from wattmark_core.results import BOUNDARY_DOMAINS, Boundary

INSTANCE: Final = 'instance="$instance"'
"""The exporter that is chosen at the top."""
STEP: Final = "$__rate_interval"
"""Grafana's own: at least four scrapes, and no less than the time between two points."""
SHOWN: Final = "$__range"
COUNTED: Final = sorted(BOUNDARY_DOMAINS[Boundary.HOST])
"""What a host's total adds up: core and uncore lie inside package, psys contains it."""
POWER: Final = "wattmark:power_watts"
COUNTED_POWER: Final = "wattmark:counted_power_watts"
PART_POWER: Final = "wattmark:part_power_watts"
HOST_POWER: Final = "wattmark:host_power_watts"
ESTIMATED: Final = f'method="{Method.ESTIMATED}"'
MEASURED: Final = f'method!="{Method.ESTIMATED}"'
GPU_IDENTITY: Final = ("utilization_ratio", "memory_total_bytes", "temperature_celsius")
"""Each of them names a board by number and model; not every board has all."""


def query(expression: str, legend: str, *, now: bool = False) -> Json:
    """One query of a panel. ``legend``: the series' name, ``{{label}}`` of its labels; ``now``:
    at the end of the shown time alone."""
    return {
        "expr": expression, "legendFormat": legend, "editorMode": "code", "format": "time_series",
        "instant": now, "range": not now,
    }  # fmt: skip


def rows(expression: str) -> Json:
    """One query of a table: a row for each series at the end of the shown time, labels as
    columns."""
    return {**query(expression, "", now=True), "format": "table"}


def find(measurement: str, field: str) -> Metric:
    """The metric of a field. Raises ``KeyError`` for one that the catalogue does not have."""
    for metric in MEASUREMENTS[measurement]:
        if metric.field == field:
            return metric
    raise KeyError(f"{measurement} has no {field}")


def name(measurement: str, field: str) -> str:
    """What a field is called on ``/metrics``. Raises ``KeyError``."""
    return find(measurement, field).name


def select(metric: str, *matchers: str, over: str = "") -> str:
    """A metric or recorded series of the chosen exporter; ``over``: its values in that time."""
    return f"{metric}{{{', '.join([INSTANCE, *matchers])}}}{f'[{over}]' if over else ''}"


def gauge(measurement: str, field: str, *, function: str = "avg") -> str:
    """A gauge over time: its mean (or ``max``, ``min``) between two points."""
    return f"{function}_over_time({select(name(measurement, field), over=STEP)})"


def rate(measurement: str, field: str, *matchers: str) -> str:
    """Growth of a counter per second. Raises ``ValueError`` for a gauge, ``KeyError``."""
    metric = find(measurement, field)
    if metric.kind is not Kind.COUNTER:
        raise ValueError(f"{metric.name} is no counter: it has no rate")
    return f"rate({select(metric.name, *matchers, over=STEP)})"


def domains() -> str:
    """A matcher of the domains that are added up."""
    return f'domain=~"{"|".join(COUNTED)}"'


def one_source(series: Callable[[str], str], join: str = " or ") -> str:
    """Of each domain and device one source, in the catalogue's order; an estimate only where
    nothing of its domain is measured, whatever its device is called: as runs pin theirs.

    ``series``: makes the series of a matcher.
    """
    known = [source for source in SOURCE_ORDER if source != "estimate"]
    measured = [series(f'{domains()}, {MEASURED}, source="{source}"') for source in known]
    other = series(f'{domains()}, {MEASURED}, source!~"{"|".join(known)}"')
    chosen = f"{join}ignoring (source, method) ".join(
        [*measured, f"topk without (source, method) (1, {other})"]
    )
    estimate = series(f"{domains()}, {ESTIMATED}")
    return f"({chosen}){join}ignoring (device, source, method) {estimate}"


def energy() -> str:
    """Energy in the shown time, J, of each counter that the host's power was added up from.

    ``increase`` takes a fall for a beginning at 0, which it is: each epoch begins there, so what
    an epoch counted before it was first seen is in it, and what nobody counted is not.
    """
    growth = f"increase({select(name('energy', 'joules'), over=SHOWN)})"
    counted = f"last_over_time({select(COUNTED_POWER, over=SHOWN)})"
    # Of a device that had two sources in turn the larger one: together they might count twice.
    return f"topk without (source, method) (1, {growth} and {counted})"


def named(parts: str) -> str:
    """With the label ``part``, a name for people, that they had last in the shown time."""
    names = f"topk without (part) (1, last_over_time({select(PART_POWER, over=SHOWN)}))"
    return f"{parts} * ignoring (part) group_left (part) ({names} ^ 0)"


def in_all(parts: str) -> str:
    """The sum of a host's parts."""
    return f"sum without (domain, device, source, method) ({parts})"
