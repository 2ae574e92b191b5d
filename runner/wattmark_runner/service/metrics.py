"""The service's own metrics, for Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from wattmark_core.tls import ServedCertificate
from wattmark_runner.service.services import Services

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class _Runs(Collector):
    """Counted at each scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        runs = GaugeMetricFamily("wattmark_runs", "Runs in each state.", labels=["state"])
        for state, count in self._services.context.database.counts().items():
            runs.add_metric([str(state)], count)
        yield runs
        yield GaugeMetricFamily(
            "wattmark_windows_open", "Windows of code elsewhere that have not closed.",
            value=len(self._services.open_windows.windows()),
        )  # fmt: skip


class _Certificate(Collector):
    def __init__(self, certificate: ServedCertificate) -> None:
        self._certificate = certificate

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        yield GaugeMetricFamily(
            "wattmark_runner_tls_certificate_expiry_seconds",
            "End of the certificate that the service shows, Unix time.",
            value=self._certificate.expires,
        )


def render(services: Services, certificate: ServedCertificate | None = None) -> bytes:
    """All of them, as text."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Runs(services))
    if certificate is not None:
        registry.register(_Certificate(certificate))
    return generate_latest(registry)
