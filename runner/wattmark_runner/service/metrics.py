"""The service's own metrics, for Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from wattmark_runner.service.services import Services

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class _Runs(Collector):
    """Read when asked for, so that nothing is counted twice."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        runs = GaugeMetricFamily("wattmark_runs", "Runs in each state.", labels=["state"])
        for state, count in self._parts.context.database.counts().items():
            runs.add_metric([str(state)], count)
        yield runs
        yield GaugeMetricFamily(
            "wattmark_windows_open", "Windows of code elsewhere that have not closed.",
            value=len(self._parts.annotations.open_windows()),
        )  # fmt: skip


def render(parts: Services) -> bytes:
    """The page."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Runs(parts))
    return generate_latest(registry)
