"""GPU metrics of dcgm-exporter (github.com/NVIDIA/dcgm-exporter): its default counters, and the
profiling fields that it gives where it may (``collector/stack/dcgm-counters.csv``).

It serves cached values: a scrape may see the same reading again, or, after its host engine has
died, for ever. A device whose values are all those of the scrape before yields nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wattmark_collector.foreign import ForeignCounter, energy_fields
from wattmark_collector.page import MetricValue
from wattmark_core.catalogue import Domain, Method
from wattmark_core.sample import Sample, make_tags

POWER: Final = "DCGM_FI_DEV_POWER_USAGE"
ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
MILLIJOULES_PER_JOULE: Final = 1000.0
BYTES_PER_MIB: Final = 1024.0 * 1024.0
HERTZ_PER_MEGAHERTZ: Final = 1e6
GPU_FIELDS: Final = {
    "DCGM_FI_DEV_GPU_UTIL": ("utilization_ratio", 0.01),
    "DCGM_FI_PROF_SM_ACTIVE": ("sm_active_ratio", 1.0),
    "DCGM_FI_PROF_DRAM_ACTIVE": ("dram_active_ratio", 1.0),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("tensor_active_ratio", 1.0),
    "DCGM_FI_DEV_FB_USED": ("memory_used_bytes", BYTES_PER_MIB),
    "DCGM_FI_DEV_GPU_TEMP": ("temperature_celsius", 1.0),
    "DCGM_FI_DEV_SM_CLOCK": ("sm_clock_hertz", HERTZ_PER_MEGAHERTZ),
    "DCGM_FI_DEV_MEM_CLOCK": ("memory_clock_hertz", HERTZ_PER_MEGAHERTZ),
}
"""Of each metric its field of ``gpu``, and what brings it to the base unit."""
INT64_BLANK: Final = float(0x7FFFFFFFFFFFFFF0)
FP64_BLANKS: Final = frozenset(140737488355328.0 + n for n in range(4))
"""dcgm_structs.h: blank, not found, not supported, not permitted."""


@dataclass(slots=True)
class _Device:
    counter: ForeignCounter = field(default_factory=lambda: ForeignCounter(cached=True))
    values: dict[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    seen_ns: int | None = None
    before: dict[str, float] = field(default_factory=dict)


class Dcgm:
    """What one dcgm-exporter has shown. ``take`` is called once for each scrape."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def take(self, metrics: Iterable[MetricValue], host: str, time_ns: int) -> Iterator[Sample]:
        """Samples of the devices that have been read since the last scrape."""
        for device in self._devices.values():
            device.before, device.values = device.values, {}
        for metric in metrics:
            self._add(metric)
        for uuid, device in self._devices.items():
            if device.values:
                yield from _samples(uuid, device, host, time_ns)
                device.seen_ns = time_ns
            else:
                device.seen_ns = None

    def _add(self, metric: MetricValue) -> None:
        """By UUID; pods that share a GPU repeat it, and a MIG slice stands for its board, whose
        energy it repeats but whose memory and use it does not have."""
        uuid = metric.labels.get("UUID", "")
        if not metric.name.startswith("DCGM_FI_") or not uuid or _blank(metric.value):
            return
        if metric.labels.get("GPU_I_ID") and metric.name not in {POWER, ENERGY}:
            return
        device = self._devices.setdefault(uuid, _Device())
        device.labels = metric.labels
        device.values.setdefault(metric.name, metric.value)


def _blank(value: float) -> bool:
    return not 0 <= value < INT64_BLANK or value in FP64_BLANKS


def _samples(uuid: str, device: _Device, host: str, time_ns: int) -> Iterator[Sample]:
    values = device.values
    tags = make_tags({"host": host, "domain": Domain.GPU, "device": uuid, "source": "dcgm",
                      "method": Method.COUNTER})  # fmt: skip
    if ENERGY in values:
        tick = device.counter.read(values[ENERGY] / MILLIJOULES_PER_JOULE, time_ns)
        if tick is not None:
            yield Sample("energy", tags, energy_fields(tick), tick.time_ns)
    if device.seen_ns is None or values == device.before:
        return
    stamp_ns = (device.seen_ns + time_ns) // 2
    if POWER in values:
        yield Sample("power", tags, {"watts": values[POWER]}, stamp_ns)
    fields: dict[str, float | int] = {
        name: values[metric] * factor
        for metric, (name, factor) in GPU_FIELDS.items() if metric in values
    }  # fmt: skip
    if fields:
        labels = device.labels
        gpu = {"host": host, "device": uuid, "gpu": labels.get("gpu", ""),
               "model": labels.get("modelName", "")}  # fmt: skip
        yield Sample("gpu", make_tags(gpu), fields, stamp_ns)
