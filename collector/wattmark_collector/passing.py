"""Metrics that are not normalised, passed on as they are."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wattmark_collector.page_line import MetricValue
from wattmark_core.catalogue import BY_NAME, MEASUREMENTS
from wattmark_core.sample import Sample, make_tags

KNOWN_PREFIXES: Final = ("node_", "DCGM_", "go_", "process_", "promhttp_", "python_")
"""Metrics of known exporters, of which nothing is kept unless the target asks."""
OWNED: Final = frozenset({*BY_NAME, *MEASUREMENTS, "window", "score"})
RESERVED_LABELS: Final = frozenset({"host", "time", "value"})


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
