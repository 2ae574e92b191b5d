"""RAPL energy of node_exporter's collector ``rapl``, which reads the counters when scraped."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_collector.foreign import ForeignCounter, energy_fields
from wattmark_collector.page import MetricValue
from wattmark_core.catalogue import Domain, Method
from wattmark_core.sample import Sample, make_tags

_NAME: Final = re.compile(r"node_rapl_(package|dram|core|uncore|psys)_joules_total")
_ZONE: Final = re.compile(r"/intel-rapl:(\d+)(?::\d+)?$")


class NodeRapl:
    """The counters of one node_exporter. They wrap, which is a fall and opens an epoch."""

    def __init__(self) -> None:
        self._counters: dict[tuple[Domain, str], ForeignCounter] = {}

    def take(self, metrics: Iterable[MetricValue], host: str, time_ns: int) -> Iterator[Sample]:
        """A sample of each counter that has moved."""
        named = [
            (metric, match[1]) for metric in metrics if (match := _NAME.fullmatch(metric.name))
        ]
        packages = {_zone(metric): metric.labels.get("index", "")
                    for metric, domain in named if domain == Domain.PACKAGE}  # fmt: skip
        keyed = [
            ((Domain(domain), _device(metric, domain, packages)), metric.value)
            for metric, domain in named
            if "mmio" not in metric.labels.get("path", "")
        ]
        times = Counter(key for key, _ in keyed)
        for key, value in keyed:
            if times[key] == 1:  # two counters of one name (a core each) are neither's whole
                yield from self._sample(key, value, host, time_ns)

    def _sample(
        self, key: tuple[Domain, str], value: float, host: str, time_ns: int
    ) -> Iterator[Sample]:
        counter = self._counters.setdefault(key, ForeignCounter(cached=False))
        tick = counter.read(value, time_ns)
        if tick is not None:
            domain, device = key
            tags = {"host": host, "domain": domain, "device": device, "source": "node_exporter",
                    "method": Method.COUNTER}  # fmt: skip
            yield Sample("energy", make_tags(tags), energy_fields(tick), tick.time_ns)


def _zone(metric: MetricValue) -> str:
    match = _ZONE.search(metric.labels.get("path", ""))
    return match[1] if match else ""


def _device(metric: MetricValue, domain: str, packages: dict[str, str]) -> str:
    """``socketN``. node_exporter's index counts ``dram`` and the like; the package is the zone
    above, and its index the socket."""
    index = metric.labels.get("index", "")
    if domain == Domain.PSYS:
        return "platform" + (index if index != "0" else "")
    zone = _zone(metric)
    return f"socket{packages.get(zone, zone) if zone else index}"
