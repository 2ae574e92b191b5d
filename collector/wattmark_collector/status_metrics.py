"""The collector's own health: as Prometheus text and as JSON, named by the catalogue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wattmark_collector.health import Health, target_fields
from wattmark_collector.self_metrics import self_cpu
from wattmark_core.catalogue import MEASUREMENTS, Kind, Metric
from wattmark_core.clock import Clock
from wattmark_core.sample import Sample

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OVERDUE_SECONDS: Final = 120.0
"""A single target that hangs is not the collector's ill health, nor would a restart help it."""
FULL_RATIO: Final = 0.9
Family = CounterMetricFamily | GaugeMetricFamily


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """What ``/healthz`` answers: 503 for ``failures``, otherwise 200."""

    failures: list[str] = field(default_factory=list)
    degradations: list[str] = field(default_factory=list)

    @property
    def body(self) -> dict[str, object]:
        """As JSON."""
        reasons = [*self.failures, *self.degradations]
        if not reasons:
            return {"status": "ok"}
        return {"status": "failed" if self.failures else "degraded", "reasons": reasons}


@dataclass(frozen=True, slots=True)
class CollectorState:
    """What the pages are made of. ``fields``: of the measurement ``collector``; ``make``: a sample
    of fields. ``away``: why the store takes nothing, or makes no power. ``is_sending``: false if
    what sends has died."""

    health: Health
    clock: Clock
    fields: Callable[[], Mapping[str, float | int]]
    make: Callable[[Mapping[str, float | int]], Sample]
    away: Callable[[], str | None] = lambda: None
    is_sending: Callable[[], bool] = lambda: True

    def sample(self, whole: bool) -> Sample:
        """For the store: all fields, or the CPU time alone."""
        return self.make(self.fields() if whole else self_cpu())

    def status(self) -> HealthStatus:
        """What is wrong, if anything is."""
        status, fields = HealthStatus(), self.fields()
        if self.health.overdue_seconds > OVERDUE_SECONDS:
            status.failures.append(f"every poll is overdue by {self.health.overdue_seconds:.0f} s")
        if not self.is_sending():
            status.failures.append("the sender has ended; restart the collector")
        limit = fields.get("spool_limit_bytes")
        if limit is not None and fields["spool_bytes"] > FULL_RATIO * limit:
            status.failures.append(f"the spool is over {FULL_RATIO:.0%} full")
        away = self.away()
        if away is not None:
            status.degradations.append(away)
        return status

    def metrics(self) -> bytes:
        """The text of ``/metrics``."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Pages(self))
        return generate_latest(registry)


class _Pages(Collector):
    def __init__(self, state: CollectorState) -> None:
        self._state = state

    def collect(self) -> Iterator[Family]:
        state, families = self._state, dict[str, Family]()
        now_ns = state.clock.realtime_ns()
        for url, target in state.health.targets().items():
            fields = target_fields(target, state.health.lag_seconds(url, now_ns))
            tags = {"target": url, "host": target.host}
            _add(families, "target", fields, tags)
        _add(families, "collector", state.fields(), {})
        yield from families.values()


def _add(
    families: dict[str, Family], measurement: str, fields: Mapping[str, float | int],
    tags: Mapping[str, str],
) -> None:  # fmt: skip
    for metric in MEASUREMENTS[measurement]:
        if metric.field in fields:
            family = families.setdefault(metric.name, _family(metric, list(tags)))
            family.add_metric(list(tags.values()), fields[metric.field])


def _family(metric: Metric, labels: list[str]) -> Family:
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    return make(metric.name.removesuffix("_total"), metric.meaning, labels=labels)
