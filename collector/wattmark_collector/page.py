"""A page of Prometheus text as values, and the samples of metrics that are not normalised."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from wattmark_core.catalogue import BY_NAME, MEASUREMENTS
from wattmark_core.errors import ExporterError
from wattmark_core.sample import Sample, make_tags

KNOWN_PREFIXES: Final = ("node_", "DCGM_", "go_", "process_", "promhttp_", "python_")
"""Metrics of known exporters, of which nothing is kept unless the target asks."""
_COUNTER_TYPE: Final = re.compile(r"^# TYPE (\S+) counter\s*$", re.MULTILINE)
OWNED: Final = frozenset({*BY_NAME, *MEASUREMENTS, "window", "score"})
RESERVED_LABELS: Final = frozenset({"host", "time", "value"})


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One line of the page. ``time_ns``: the time that the page gives it, if any."""

    name: str
    labels: Mapping[str, str]
    value: float
    time_ns: int | None


def parse(text: str, url: str) -> list[MetricValue]:
    """The metrics of a page. Raises ``ExporterError`` when it is not Prometheus text."""
    counters = frozenset(_COUNTER_TYPE.findall(text))
    try:
        return [
            MetricValue(
                _own_name(sample.name, family, counters), sample.labels, float(sample.value),
                _time_ns(sample.timestamp),
            )
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]  # fmt: skip
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise ExporterError(
            f"{url} does not answer in Prometheus's text format ({error}); check metrics_path"
        ) from error


def _own_name(name: str, family: Metric, counters: frozenset[str]) -> str:
    """The name that stands on the page: to counters without it the parser adds ``_total``."""
    if family.type == "counter" and family.name in counters:
        return name.removesuffix("_total")
    return name


def _time_ns(timestamp: object) -> int | None:
    """The parser divides the page's milliseconds by 1000."""
    return None if timestamp is None else round(float(str(timestamp)) * 1000) * 1_000_000


def passes(name: str, keep: re.Pattern[str] | None) -> bool:
    """Whether the metric is passed on as it is."""
    if keep is not None:
        return keep.fullmatch(name) is not None
    return not name.startswith(KNOWN_PREFIXES)


def as_they_are(metrics: Iterable[MetricValue], host: str, time_ns: int) -> Iterator[Sample]:
    """Measurement = metric name, its labels and the host as tags, field ``value``."""
    for metric in metrics:
        tags = make_tags({**dict(_renamed(metric.labels)), "host": host})
        stamp_ns = time_ns if metric.time_ns is None else metric.time_ns
        yield Sample(metric.name, tags, {"value": metric.value}, stamp_ns)


def _renamed(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in labels.items():
        renamed = f"exported_{name}" if name in RESERVED_LABELS else name
        while renamed != name and renamed in labels:
            renamed = f"exported_{renamed}"
        yield renamed, value
