"""``/metrics``: the latest values as Prometheus text, named by the catalogue."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wattmark_core.catalogue import MEASUREMENTS, Kind, Metric
from wattmark_exporters.series import Latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Family = CounterMetricFamily | GaugeMetricFamily
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_:]")


class LatestCollector(Collector):
    """Makes metric families of what ``latest`` gives at the time of the scrape."""

    def __init__(self, latest: Callable[[], Iterable[Latest]]) -> None:
        self._latest = latest

    def collect(self) -> Iterator[Family]:
        families: dict[str, Family] = {}
        for series in self._latest():
            known = {metric.field: metric for metric in MEASUREMENTS.get(series.measurement, ())}
            for field, value in series.fields.items():
                metric = known.get(field) or _unknown(series, field)
                family = families.setdefault(metric.name, _family(metric))
                labels = [series.tags.get(tag, "") for tag in metric.tags]
                family.add_metric(labels, value)
        yield from families.values()


def render(latest: Callable[[], Iterable[Latest]]) -> bytes:
    """The text of ``/metrics``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LatestCollector(latest))
    return generate_latest(registry)


def _unknown(series: Latest, field: str) -> Metric:
    """A metric of a sensor of the user's own: named after measurement and field."""
    name = series.measurement if field == "value" else f"{series.measurement}_{field}"
    return Metric(
        _NOT_IN_NAMES.sub("_", name), series.measurement, field, "", Kind.GAUGE,
        "Not in the catalogue.", tuple(sorted(series.tags)),
    )  # fmt: skip


def _family(metric: Metric) -> Family:
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    return make(metric.name.removesuffix("_total"), metric.meaning, labels=metric.tags)
