"""Every metric once: exporters, collector, dashboards and docs are checked against this table.

A metric lands in the store as ``field`` of ``measurement``, tagged with ``tags`` (and ``host``; in
``collector`` with its machine's ``boot_id``, too). On ``/metrics`` it is called ``name``, with
``tags`` as labels. Base units only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """A counter only grows within an epoch or since boot; a gauge goes up and down."""

    COUNTER = "counter"
    GAUGE = "gauge"


class Domain(StrEnum):
    """What an energy counter covers. ``core`` and ``uncore`` lie inside ``package``; ``dram``
    does not; ``psys`` (a whole platform, or an external meter) contains the package."""

    GPU = "gpu"
    PACKAGE = "package"
    DRAM = "dram"
    CORE = "core"
    UNCORE = "uncore"
    PSYS = "psys"


class Method(StrEnum):
    """How joules came about, best first. A sum takes the method of its weakest part."""

    COUNTER = "counter"
    INTEGRATED = "integrated"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name on ``/metrics``, where it lands in the store, and what it means."""

    name: str
    measurement: str
    field: str
    unit: str
    kind: Kind
    meaning: str
    tags: tuple[str, ...] = ()
    integer: bool = False


ENERGY_TAGS: Final = ("domain", "device", "source", "method")
_C, _G = Kind.COUNTER, Kind.GAUGE


def _throttled(reason: str, meaning: str) -> Metric:
    return Metric(
        f"wattmark_gpu_throttled_{reason}_seconds_total", "gpu", f"throttled_{reason}_seconds",
        "seconds", _C, f"Time with the clock held down by {meaning}, since exporter start.",
        ("device", "gpu", "model"),
    )  # fmt: skip


def _cpu_mode(mode: str, meaning: str) -> Metric:
    return Metric(
        f"wattmark_cpu_{mode}_seconds_total", "cpu", f"{mode}_seconds", "seconds", _C,
        f"CPU time {meaning}, summed over all CPUs, since boot.",
    )  # fmt: skip


_GPU: Final = ("device", "gpu", "model")
CATALOGUE: Final[tuple[Metric, ...]] = (
    Metric("wattmark_energy_joules_total", "energy", "joules", "joules", _C,
           "Energy since the start of the epoch.", ENERGY_TAGS),
    Metric("wattmark_energy_epoch", "energy", "epoch", "milliseconds", _G,
           "The counter's epoch, named by its start in Unix ms: a new one means that joules began"
           " again at 0.", ENERGY_TAGS, True),
    Metric("wattmark_energy_uncertainty_seconds", "energy", "uncertainty_seconds", "seconds", _G,
           "How well the time stamp of the energy sample is known, plus or minus.", ENERGY_TAGS),
    Metric("wattmark_power_watts", "power", "watts", "watts", _G,
           "Power as the sensor gives it, at its own time.", ENERGY_TAGS),
    Metric("wattmark_gpu_utilization_ratio", "gpu", "utilization_ratio", "ratio", _G,
           "Share of time in which a kernel ran.", _GPU),
    Metric("wattmark_gpu_sm_active_ratio", "gpu", "sm_active_ratio", "ratio", _G,
           "Share of the cycles in which a multiprocessor had a warp, over all of them; from"
           " dcgm-exporter alone.", _GPU),
    Metric("wattmark_gpu_dram_active_ratio", "gpu", "dram_active_ratio", "ratio", _G,
           "Share of the cycles in which the GPU's memory moved data; from dcgm-exporter alone.",
           _GPU),
    Metric("wattmark_gpu_tensor_active_ratio", "gpu", "tensor_active_ratio", "ratio", _G,
           "Share of the cycles in which the tensor cores' pipe was busy; from dcgm-exporter"
           " alone.", _GPU),
    Metric("wattmark_gpu_memory_used_bytes", "gpu", "memory_used_bytes", "bytes", _G,
           "GPU memory in use.", _GPU),
    Metric("wattmark_gpu_memory_total_bytes", "gpu", "memory_total_bytes", "bytes", _G,
           "GPU memory of the board.", _GPU),
    Metric("wattmark_gpu_temperature_celsius", "gpu", "temperature_celsius", "celsius", _G,
           "Temperature of the GPU die.", _GPU),
    Metric("wattmark_gpu_sm_clock_hertz", "gpu", "sm_clock_hertz", "hertz", _G,
           "Clock of the streaming multiprocessors.", _GPU),
    Metric("wattmark_gpu_memory_clock_hertz", "gpu", "memory_clock_hertz", "hertz", _G,
           "Clock of the GPU's memory.", _GPU),
    Metric("wattmark_gpu_power_limit_watts", "gpu", "power_limit_watts", "watts", _G,
           "Power limit that is enforced on the board.", _GPU),
    Metric("wattmark_gpu_processes", "gpu", "processes", "count", _G,
           "Processes with a compute context on the GPU.", _GPU, True),
    Metric("wattmark_gpu_counter_to_integral_ratio", "gpu", "counter_to_integral_ratio", "ratio",
           _G, "Energy of the counter over the integral of instant power, over the last 10 s.",
           _GPU),
    _throttled("power_cap", "the power cap (reason 0x4)"),
    _throttled("hw_slowdown", "the hardware slowdown (0x8)"),
    _throttled("sw_thermal", "software for heat (0x20)"),
    _throttled("hw_thermal", "hardware for heat (0x40)"),
    _throttled("power_brake", "the external power brake (0x80)"),
    _cpu_mode("busy", "spent on work: user, nice, system, irq, softirq, without guest"),
    _cpu_mode("user", "in user mode, without guest"),
    _cpu_mode("nice", "in user mode at low priority, without guest"),
    _cpu_mode("system", "in the kernel"),
    _cpu_mode("irq", "in interrupts"),
    _cpu_mode("softirq", "in soft interrupts"),
    _cpu_mode("iowait", "idle while waiting for a disk"),
    _cpu_mode("idle", "idle"),
    _cpu_mode("steal", "taken by the hypervisor"),
    _cpu_mode("guest", "given to guests"),
    Metric("wattmark_cpu_utilization_ratio", "cpu", "utilization_ratio", "ratio", _G,
           "Busy CPU time over all CPUs since the sample before."),
    Metric("wattmark_cpus", "cpu", "cpus", "count", _G, "CPUs that are on line.", (), True),
    Metric("wattmark_memory_used_bytes", "memory", "used_bytes", "bytes", _G,
           "Memory not available to new programs (total less available)."),
    Metric("wattmark_memory_available_bytes", "memory", "available_bytes", "bytes", _G,
           "Memory available to new programs without swapping."),
    Metric("wattmark_memory_total_bytes", "memory", "total_bytes", "bytes", _G,
           "Memory of the host."),
    Metric("wattmark_disk_read_bytes_total", "disk", "read_bytes", "bytes", _C,
           "Bytes read from the device since boot.", ("device",)),
    Metric("wattmark_disk_written_bytes_total", "disk", "written_bytes", "bytes", _C,
           "Bytes written to the device since boot.", ("device",)),
    Metric("wattmark_network_received_bytes_total", "network", "received_bytes", "bytes", _C,
           "Bytes received on the host's interface since boot.", ("interface",)),
    Metric("wattmark_network_sent_bytes_total", "network", "sent_bytes", "bytes", _C,
           "Bytes sent on the host's interface since boot.", ("interface",)),
    Metric("wattmark_sensor_up", "sensor", "up", "state", _G,
           "1 while the sensor answers, 0 while it has failed; missing for an absent sensor.",
           ("sensor",)),
    Metric("wattmark_sensor_state", "sensor", "state", "state", _G,
           "0 failed, 1 ok, 2 absent: the host has no such sensor, or it cannot be read; GET"
           " /sensors says why and what to do.", ("sensor",)),
    Metric("wattmark_sensor_read_seconds", "sensor", "read_seconds", "seconds", _G,
           "Time that the last read of the sensor took.", ("sensor",)),
    Metric("wattmark_sensor_due_total", "sensor", "due", "count", _C,
           "Reads that were due since exporter start.", ("sensor",), True),
    Metric("wattmark_sensor_taken_total", "sensor", "taken", "count", _C,
           "Reads that were taken since exporter start.", ("sensor",), True),
    Metric("wattmark_sensor_dropped_total", "sensor", "dropped", "count", _C,
           "Readings dropped since exporter start: not finite, or not plausible.",
           ("sensor",), True),
    Metric("wattmark_exporter_cpu_seconds_total", "exporter", "cpu_seconds", "seconds", _C,
           "CPU time of the exporter itself."),
    Metric("wattmark_exporter_clock_offset_shift_seconds", "exporter", "clock_shift_seconds",
           "seconds", _G, "Wall clock less the exporter's time base; beyond 0.05 the base moves."),
    Metric("up", "target", "up", "state", _G,
           "1 if the collector's last scrape of the target succeeded, else 0.", ("target",), True),
    Metric("scrape_duration_seconds", "target", "scrape_duration_seconds", "seconds", _G,
           "Time that the collector's last scrape of the target took.", ("target",)),
    Metric("wattmark_target_dropped_total", "target", "dropped", "count", _C,
           "Samples of the target that the collector left out, since its start: unreadable, not"
           " plausible, over a bound, or of a series that is another's.", ("target",), True),
    Metric("wattmark_target_lost_total", "target", "lost", "count", _C,
           "Samples that left the exporter's ring before the collector came, since its start.",
           ("target",), True),
    Metric("wattmark_target_lag_seconds", "target", "lag_seconds", "seconds", _G,
           "Age of the target's newest sample in the store; missing until one got there.",
           ("target",)),
    Metric("wattmark_target_clock_offset_seconds", "target", "clock_offset_seconds", "seconds", _G,
           "The target's wall clock less the collector's, midway of a request; missing where the"
           " target does not give its time.", ("target",)),
    Metric("wattmark_collector_cpu_seconds_total", "collector", "cpu_seconds", "seconds", _C,
           "CPU time of the collector itself."),
    Metric("wattmark_collector_spool_bytes", "collector", "spool_bytes", "bytes", _G,
           "Samples in the collector's spool that are not in the store yet."),
    Metric("wattmark_collector_spool_limit_bytes", "collector", "spool_limit_bytes", "bytes", _G,
           "What the collector's spool may hold."),
    Metric("wattmark_collector_spool_oldest_seconds", "collector", "spool_oldest_seconds",
           "seconds", _G, "How long the oldest samples in the spool have waited; 0 if none waits."),
    Metric("wattmark_collector_spool_damaged_bytes_total", "collector", "spool_damaged_bytes",
           "bytes", _C, "Bytes of the spool that could not be read, since the collector's start."),
    Metric("wattmark_collector_lost_total", "collector", "lost", "count", _C,
           "Samples that left a full or damaged spool before they were in the store, since the"
           " collector's start.", (), True),
    Metric("wattmark_collector_refused_total", "collector", "refused", "count", _C,
           "Samples that the store will never take, since the collector's start.", (), True),
    Metric("wattmark_collector_power_age_seconds", "collector", "power_age_seconds", "seconds", _G,
           "How long ago one-minute values and power were last made of all samples sent by then;"
           " about a minute at most where all is well."),
    Metric("wattmark_collector_written_total", "collector", "written", "count", _C,
           "Samples that the store took, since the collector's start.", (), True),
    Metric("wattmark_collector_write_errors_total", "collector", "write_errors", "count", _C,
           "Writes that did not succeed, since the collector's start.", (), True),
)  # fmt: skip

BY_NAME: Final = {metric.name: metric for metric in CATALOGUE}
MEASUREMENTS: Final[dict[str, tuple[Metric, ...]]] = {
    measurement: tuple(m for m in CATALOGUE if m.measurement == measurement)
    for measurement in dict.fromkeys(m.measurement for m in CATALOGUE)
}

SOURCE_ORDER: Final = ("nvml", "dcgm", "rapl", "hwmon", "node_exporter", "estimate")
"""Sources of energy, preferred first; one that is not listed is a meter of its own, before the
estimate. Per host, domain and device one source is used, the others are shown only."""
WEAKEST_LAST: Final = (Method.COUNTER, Method.INTEGRATED, Method.ESTIMATED)


def weakest(methods: list[Method]) -> Method:
    """The method of a sum: that of its weakest part. Raises ``ValueError`` when empty."""
    return max(methods, key=WEAKEST_LAST.index)


def source_rank(source: str) -> float:
    """Sort key: the smallest is the source to use."""
    if source in SOURCE_ORDER:
        return SOURCE_ORDER.index(source)
    return SOURCE_ORDER.index("estimate") - 0.5
