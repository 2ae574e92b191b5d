"""The values of an NVIDIA board beside its energy: use, memory, temperature, clocks, throttling."""

from types import ModuleType
from typing import Final

from wattmark_core.plausible import COLDEST_CELSIUS, HOTTEST_CELSIUS, MOST_GPU_MEGAHERTZ
from wattmark_core.units import NS_PER_S
from wattmark_exporters.sensors.nvml.fields import BLANK_64, limit_or_none, query

_REASONS: Final = {
    "power_cap": 0x4, "hw_slowdown": 0x8, "sw_thermal": 0x20, "hw_thermal": 0x40,
    "power_brake": 0x80,
}  # fmt: skip
"""nvmlClocksEventReason… of nvml.h."""
_GAP_NS: Final = 5 * NS_PER_S
"""A reason is not stretched over a longer time without a look."""
_MEGA: Final = 1_000_000


class Throttle:
    """Seconds during which each reason held the clock down: the time since the look before
    counts, if the reason is set at this look."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._before_ns: int | None = None

    def look(self, nvml: ModuleType, handle: object, now_ns: int) -> None:
        """Ask once. A reason never answered has no field."""
        reasons = _reasons(nvml, handle)
        before_ns, self._before_ns = self._before_ns, now_ns
        if reasons is None:
            return
        elapsed_ns = 0 if before_ns is None else now_ns - before_ns
        if elapsed_ns > _GAP_NS:
            elapsed_ns = 0
        for name, bit in _REASONS.items():
            seconds = elapsed_ns / NS_PER_S if reasons & bit else 0.0
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds


def _reasons(nvml: ModuleType, handle: object) -> int | None:
    mask = query(nvml, "nvmlDeviceGetCurrentClocksEventReasons", handle)
    if mask is None:  # drivers before 535 know the old name alone
        mask = query(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    return mask if mask is not None and 0 <= mask < BLANK_64 else None


def slow_values(nvml: ModuleType, handle: object) -> dict[str, float | int]:
    """Fields of measurement ``gpu`` that change slowly; what the board does not answer is left
    out."""
    fields: dict[str, float | int | None] = {}
    rates = query(nvml, "nvmlDeviceGetUtilizationRates", handle)
    if rates is not None and rates.gpu <= 100:
        fields["utilization_ratio"] = rates.gpu / 100
    memory = query(nvml, "nvmlDeviceGetMemoryInfo", handle)
    if memory is not None and 0 < memory.total < BLANK_64 and memory.used <= memory.total:
        fields["memory_used_bytes"] = float(memory.used)
        fields["memory_total_bytes"] = float(memory.total)
    fields["temperature_celsius"] = _temperature(nvml, handle)
    for name, kind in (("sm", nvml.NVML_CLOCK_SM), ("memory", nvml.NVML_CLOCK_MEM)):
        megahertz = query(nvml, "nvmlDeviceGetClockInfo", handle, kind)
        if megahertz is not None and 0 <= megahertz <= MOST_GPU_MEGAHERTZ:
            fields[f"{name}_clock_hertz"] = float(megahertz) * _MEGA
    limit = query(nvml, "nvmlDeviceGetEnforcedPowerLimit", handle)
    fields["power_limit_watts"] = limit_or_none(limit)
    processes = query(nvml, "nvmlDeviceGetComputeRunningProcesses", handle)
    fields["processes"] = None if processes is None else len(processes)
    return {name: value for name, value in fields.items() if value is not None}


def _temperature(nvml: ModuleType, handle: object) -> float | None:
    sensor = nvml.NVML_TEMPERATURE_GPU
    celsius = query(nvml, "nvmlDeviceGetTemperatureV", handle, sensor)
    if celsius is None:
        celsius = query(nvml, "nvmlDeviceGetTemperature", handle, sensor)
    if celsius is None or not COLDEST_CELSIUS <= celsius <= HOTTEST_CELSIUS:
        return None
    return float(celsius)
