"""GPU metrics of dcgm-exporter (github.com/NVIDIA/dcgm-exporter): its default counters, and the
profiling fields that it gives where it may (``collector/stack/dcgm-counters.csv``).

It serves cached values: a scrape may see the same reading again, or, after its host engine has
died, for ever. A device whose values are all those of the scrape before yields nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wattmark_collector.foreign import ForeignCounter, energy_fields, tell
from wattmark_collector.left_out import LeftOut
from wattmark_collector.page_line import MetricValue
from wattmark_core.catalogue import Domain, Method
from wattmark_core.plausible import (
    COLDEST_CELSIUS,
    HOTTEST_CELSIUS,
    LEAST_GPU_WATTS,
    MOST_GPU_MEGAHERTZ,
    most_watts,
)
from wattmark_core.sample import Sample, Tags, make_tags

PREFIX: Final = "DCGM_FI_"
POWER: Final = "DCGM_FI_DEV_POWER_USAGE"
ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
OF_THE_BOARD: Final = frozenset({POWER, ENERGY})
"""What a MIG slice repeats of its board."""
MILLIJOULES_PER_JOULE: Final = 1000.0
BYTES_PER_MIB: Final = 1024.0 * 1024.0
HERTZ_PER_MEGAHERTZ: Final = 1e6
MOST_RATIO: Final = 1.1
"""Profiling fields are quotients of counters, which may come out above 1 by a little."""
MOST_MIB: Final = 16.0 * 1024 * 1024
"""16 TiB are more memory than any board has."""
GPU_FIELDS: Final = {
    "DCGM_FI_DEV_GPU_UTIL": ("utilization_ratio", 0.01, 0.0, 100.0),
    "DCGM_FI_PROF_SM_ACTIVE": ("sm_active_ratio", 1.0, 0.0, MOST_RATIO),
    "DCGM_FI_PROF_DRAM_ACTIVE": ("dram_active_ratio", 1.0, 0.0, MOST_RATIO),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("tensor_active_ratio", 1.0, 0.0, MOST_RATIO),
    "DCGM_FI_DEV_FB_USED": ("memory_used_bytes", BYTES_PER_MIB, 0.0, MOST_MIB),
    "DCGM_FI_DEV_GPU_TEMP": ("temperature_celsius", 1.0, COLDEST_CELSIUS, HOTTEST_CELSIUS),
    "DCGM_FI_DEV_SM_CLOCK": ("sm_clock_hertz", HERTZ_PER_MEGAHERTZ, 0.0, MOST_GPU_MEGAHERTZ),
    "DCGM_FI_DEV_MEM_CLOCK": ("memory_clock_hertz", HERTZ_PER_MEGAHERTZ, 0.0, MOST_GPU_MEGAHERTZ),
}
"""Of each metric its field of ``gpu``, what brings it to the base unit, and between what it is
believed."""
INT64_BLANK: Final = float(0x7FFFFFFFFFFFFFF0)
FP64_BLANKS: Final = frozenset(140737488355328.0 + n for n in range(4))
"""dcgm_structs.h: blank, not found, not supported, not permitted."""
INT32_BLANKS: Final = frozenset(float(0x7FFFFFF0 + n) for n in range(4))
"""The same of 32 bits."""
MOST_DEVICES: Final = 1024


@dataclass(slots=True)
class _Device:
    counter: ForeignCounter
    values: dict[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    stamp_ns: int | None = None
    seen_ns: int | None = None
    before: dict[str, float] = field(default_factory=dict)


class Dcgm:
    """What one dcgm-exporter has shown. ``take`` is called once for each scrape. ``max_watts``: the
    most that a board may draw, where the target file says it."""

    def __init__(self, left_out: LeftOut, max_watts: float | None = None) -> None:
        self._left_out = left_out
        self._limit_watts = most_watts(Domain.GPU, max_watts)
        self._devices: dict[str, _Device] = {}

    def take(self, metrics: Iterable[MetricValue], host: str, time_ns: int) -> Iterator[Sample]:
        """Samples of the devices that have been read since the last scrape."""
        for device in self._devices.values():
            device.before, device.values, device.stamp_ns = device.values, {}, None
        for metric in metrics:
            if metric.name.startswith(PREFIX):
                self._add(metric)
        for uuid, device in self._devices.items():
            if device.values:
                at_ns = time_ns if device.stamp_ns is None else device.stamp_ns
                yield from self._samples(uuid, device, host, at_ns)
                device.seen_ns = at_ns
            else:
                device.seen_ns = None

    def _add(self, metric: MetricValue) -> None:
        """By UUID; pods that share a GPU repeat it, and a MIG slice stands for its board, whose
        energy it repeats but whose memory and use it does not have. Slices that were read one after
        the other do not agree: the largest is the newest."""
        name, value, labels = metric.name, metric.value, metric.labels
        if _blank(value):
            return
        uuid = labels.get("UUID") or labels.get("uuid", "")
        if not uuid:
            self._left_out.add(f"uuid {name}", f"{name} names no GPU (label UUID) and is left out")
        elif not self._can_be(name, value):
            self._left_out.add(
                f"bounds {name} {uuid}",
                f"{name} of {uuid} cannot be {value:g} and is left out"
                + (
                    "; max_watts sets its bound"
                    if name == POWER and value > LEAST_GPU_WATTS
                    else ""
                ),
            )
        elif labels.get("GPU_I_ID") and name not in OF_THE_BOARD:
            return
        else:
            self._keep(uuid, metric)

    def _can_be(self, name: str, value: float) -> bool:
        if name == POWER:
            return LEAST_GPU_WATTS <= value <= self._limit_watts
        _, _, least, most = GPU_FIELDS.get(name, ("", 1.0, 0.0, INT64_BLANK))
        return least <= value <= most

    def _keep(self, uuid: str, metric: MetricValue) -> None:
        device = self._devices.get(uuid)
        if device is None:
            if len(self._devices) >= MOST_DEVICES:
                self._left_out.add(
                    "devices", f"over {MOST_DEVICES} GPUs; further ones are left out"
                )
                return
            counter = ForeignCounter(cached=True, limit_watts=self._limit_watts)
            device = self._devices[uuid] = _Device(counter)
        device.labels = metric.labels
        if metric.time_ns is not None:
            device.stamp_ns = max(metric.time_ns, device.stamp_ns or metric.time_ns)
        values = device.values
        if metric.name in OF_THE_BOARD:
            values[metric.name] = max(metric.value, values.get(metric.name, metric.value))
        else:
            values.setdefault(metric.name, metric.value)

    def _samples(
        self, uuid: str, device: _Device, host: str, time_ns: int
    ) -> Iterator[Sample]:  # fmt: skip
        values = device.values
        tags = make_tags({"host": host, "domain": Domain.GPU, "device": uuid, "source": "dcgm",
                          "method": Method.COUNTER})  # fmt: skip
        if ENERGY in values:
            yield from self._energy(uuid, device, tags, time_ns)
        elif POWER in values and device.before:
            self._left_out.add(f"no energy {uuid}", f"{uuid} has power and no energy; let"
                               f" dcgm-exporter give {ENERGY}", 0)  # fmt: skip
        if device.seen_ns is None or values == device.before:
            return
        stamp_ns = (device.seen_ns + time_ns) // 2
        if POWER in values:
            yield Sample("power", tags, {"watts": values[POWER]}, stamp_ns)
        fields: dict[str, float | int] = {
            name: values[metric] * factor
            for metric, (name, factor, *_) in GPU_FIELDS.items() if metric in values
        }  # fmt: skip
        if fields:
            labels = device.labels
            gpu = {"host": host, "device": uuid, "gpu": labels.get("gpu", ""),
                   "model": labels.get("modelName", "")}  # fmt: skip
            yield Sample("gpu", make_tags(gpu), fields, stamp_ns)

    def _energy(self, uuid: str, device: _Device, tags: Tags, time_ns: int) -> Iterator[Sample]:
        joules = device.values[ENERGY] / MILLIJOULES_PER_JOULE
        tick = device.counter.read(joules, time_ns)
        if tick is not None:
            yield Sample("energy", tags, energy_fields(tick), tick.time_ns)
        tell(device.counter.problem, f"the energy of {uuid}", joules, self._left_out)


def _blank(value: float) -> bool:
    return value >= INT64_BLANK or value in FP64_BLANKS or value in INT32_BLANKS
