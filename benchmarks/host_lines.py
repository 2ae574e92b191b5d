"""What a host's exporter and collector say, metric by metric of the catalogue, made up."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wattmark_core.catalogue import MEASUREMENTS, Kind, Metric
from wattmark_core.sample import Sample, Tags, make_tags
from wattmark_store.influx_lines import encode_prefix

DEVICES: Final = {
    "energy": tuple(
        {"domain": domain, "device": device, "source": source, "method": "counter"}
        for domain, device, source in (
            ("package", "socket0", "rapl"), ("dram", "socket0", "rapl"),
            ("core", "socket0", "rapl"), ("gpu", "GPU-0b6c2f5e", "nvml"),
        )
    ),
    "gpu": ({"device": "GPU-0b6c2f5e", "gpu": "0", "model": "NVIDIA A100-SXM4-80GB"},),
    "disk": ({"device": "nvme0n1"},),
    "network": ({"interface": "eth0"},),
    "sensor": tuple({"sensor": name} for name in ("rapl", "nvml", "cpu", "memory")),
    "target": ({"target": "http://exporter:9109/samples"},),
}  # fmt: skip
TEN_HERTZ: Final = ("energy", "power")
NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * NS
LINES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a host: a measurement's metrics with some tags."""

    measurement: str
    tags: Tags
    metrics: Sequence[Metric]

    def sample(self, time_ns: int, seconds: float) -> Sample:
        """At an instant, ``seconds`` after its counters were 0."""
        fields = {metric.field: _value(metric, seconds) for metric in self.metrics}
        return Sample(self.measurement, self.tags, fields, time_ns)

    def minute(self, prefix: str, time_ns: int, seconds: float) -> str:
        """The one-minute value as a line: last of counters, mean and largest of gauges."""
        held = []
        for metric in self.metrics:
            value = _value(metric, seconds)
            if metric.kind is Kind.COUNTER or metric.field == "epoch":
                held.append(f"{metric.field}={value}{'i' if metric.integer else ''}")
            else:
                held += [f"{metric.field}={float(value)!r}", f"{metric.field}_max={float(value)!r}"]
        return f"{prefix} {','.join(held)} {time_ns}"


def _value(metric: Metric, seconds: float) -> float | int:
    if metric.field == "epoch":
        return 1_700_000_000_000
    value = random.uniform(0.0, 1.0)  # noqa: S311 - a load, not a secret
    if metric.kind is Kind.COUNTER:
        value = 50.0 * (seconds + 0.09 * value)  # grows whenever it is looked at
    return int(value) if metric.integer else value


def _jitter_ns() -> int:
    """No two readings are a whole period apart, which their store has to keep."""
    return int(random.uniform(0.0, 2_000_000.0))  # noqa: S311 - as above


def series(host: str, measurements: Sequence[str] = tuple(MEASUREMENTS)) -> list[Series]:
    """All series of a host."""
    return [
        Series(name, make_tags({"host": host, **tags}), MEASUREMENTS[name])
        for name in measurements
        for tags in DEVICES.get("energy" if name == "power" else name, ({},))
    ]  # fmt: skip


def minutes(held: Sequence[Series], start_ns: int, end_ns: int) -> Iterator[str]:
    """One-minute values as lines."""
    prefixes = [encode_prefix(series.measurement, series.tags) for series in held]
    for time_ns in range(start_ns, end_ns, 60 * NS):
        seconds = (time_ns - start_ns) / NS
        for series, prefix in zip(held, prefixes, strict=True):
            yield series.minute(prefix, time_ns + 59_900_000_000 + _jitter_ns(), seconds)


def samples(held: Sequence[Series], start_ns: int, end_ns: int) -> Iterator[Sample]:
    """Energy and power at 10 Hz, the rest at 1 Hz."""
    for time_ns in range(start_ns, end_ns, NS // 10):
        seconds = (time_ns - start_ns) / NS
        for series in held:
            if series.measurement in TEN_HERTZ or time_ns % NS == 0:
                yield series.sample(time_ns + _jitter_ns(), seconds)


def send(store: Any, database: str, lines: Iterable[str]) -> None:
    """Lines straight into a database, in batches."""
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == LINES:
            store._send(database, batch)
            batch = []
    store._send(database, batch)
