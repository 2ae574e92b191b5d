"""The samples of a plain Prometheus target: what is known in base units, the rest as it is."""

import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from wattmark_collector.dcgm import Dcgm
from wattmark_collector.page import OWNED, MetricValue, as_they_are, parse, passes
from wattmark_collector.rapl import NodeRapl
from wattmark_core.sample import Sample

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Normaliser:
    """One target's pages, one after the other. ``dropped`` counts the samples left out."""

    url: str
    host: str
    keep: re.Pattern[str] | None = None
    dropped: int = 0
    _dcgm: Dcgm = field(default_factory=Dcgm)
    _rapl: NodeRapl = field(default_factory=NodeRapl)
    _refused: set[str] = field(default_factory=set)

    def take(self, text: str, time_ns: int) -> list[Sample]:
        """Samples of the page that was scraped at ``time_ns``. Raises ``ExporterError``."""
        metrics = list(self._finite(parse(text, self.url)))
        return [
            *self._dcgm.take(metrics, self.host, time_ns),
            *self._rapl.take(metrics, self.host, time_ns),
            *as_they_are(self._allowed(metrics), self.host, time_ns),
        ]

    def _finite(self, metrics: list[MetricValue]) -> Iterator[MetricValue]:
        for metric in metrics:
            if math.isfinite(metric.value):
                yield metric
            else:
                self.dropped += 1

    def _allowed(self, metrics: list[MetricValue]) -> Iterator[MetricValue]:
        for metric in metrics:
            if not passes(metric.name, self.keep):
                continue
            if metric.name not in OWNED:
                yield metric
                continue
            self.dropped += 1
            if metric.name not in self._refused:
                self._refused.add(metric.name)
                log.warning(
                    "target %s: metric %s is refused, the catalogue owns that name; rename it",
                    self.url, metric.name,
                )  # fmt: skip
