"""What a host is used for, over Prometheus: GPUs, CPUs, memory, network, disks."""

from typing import Any, Final

from dashboards.live_host import VIRTUAL_INTERFACES
from dashboards.panels import Panel
from dashboards.prometheus_panels import line, lines, shares, stat
from dashboards.promql import find, gauge, name, query, rate, select
from wattmark_core.catalogue import CATALOGUE

GPU: Final = "GPU {{gpu}} {{model}}"
NO_GPU: Final = "No GPU, or no samples of one: see Sensors."
NO_INTERFACE: Final = "No interface of the host reported in this time."
NO_DISK: Final = (
    "The host has no disk of its own that its kernel counts, as in some containers and virtual"
    " machines."
)
OURS: Final = f'interface!~"({VIRTUAL_INTERFACES}).*"'


def use() -> Panel:
    """How busy GPUs, CPUs and memory are now."""
    used, all_memory = (select(name("memory", f"{kind}_bytes")) for kind in ("used", "total"))
    gpus = f"avg without (device, gpu, model) ({gauge('gpu', 'utilization_ratio')})"
    return stat(
        "In use", "GPU: share of time in which a kernel ran, mean of all boards. CPU: of all CPUs."
        " Memory: not available to new programs.", "percentunit",
        [query(gpus, "GPU", now=True), query(_of_all_cpus("busy"), "CPU", now=True),
         query(f"{used} / {all_memory}", "memory", now=True)],
    )  # fmt: skip


def gpu(field: str, title: str, unit: str, function: str = "avg", **more: Any) -> Panel:
    """A field of each board; ``function`` ``max`` keeps what lies between two points."""
    kind = {"avg": "Mean", "max": "Largest value"}[function]
    queries = [query(gauge("gpu", field, function=function), GPU)]
    description = f"{find('gpu', field).meaning} {kind} between two points, as scraped."
    return lines(title, description, unit, queries, empty=NO_GPU, **more)


def gpu_use() -> Panel:
    """Each board's share of the time."""
    queries = [query(gauge("gpu", "utilization_ratio"), GPU)]
    meaning = find("gpu", "utilization_ratio").meaning
    return shares("GPU use", meaning, queries, width=6, empty=NO_GPU)


def gpu_memory() -> Panel:
    """Each board's memory."""
    queries = [query(gauge("gpu", "memory_used_bytes"), GPU),
               query(gauge("gpu", "memory_total_bytes"), f"{GPU}: all there is")]  # fmt: skip
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [4, 6]}}
    return lines(
        "GPU memory", "Memory in use, and all there is (dashed).", "bytes", queries, width=6,
        overrides=[line(": all there is$", **dashed)], empty=NO_GPU,
    )  # fmt: skip


def _of_all_cpus(mode: str) -> str:
    return f"{rate('cpu', f'{mode}_seconds')} / {select(name('cpu', 'cpus'))}"


def cpu() -> Panel:
    """All CPUs as one."""
    return shares(
        "CPU use", "Share of all CPUs: 100 % means that every CPU is busy. Stolen: taken by the"
        " hypervisor, so not to be had here.",
        [query(_of_all_cpus("busy"), "busy"), query(_of_all_cpus("steal"), "stolen")], width=6,
    )  # fmt: skip


def memory() -> Panel:
    """The host's memory."""
    return lines(
        "Memory", "Memory not available to new programs, and all there is.", "bytes",
        [query(gauge("memory", "used_bytes"), "used"),
         query(gauge("memory", "total_bytes"), "all there is")], width=6,
    )  # fmt: skip


def throttling() -> Panel:
    """Each board's share of the time that it was held down."""
    reasons = [m.field for m in CATALOGUE if m.field.startswith("throttled_")]
    queries = [
        query(f"clamp_max({rate('gpu', field)}, 1)", f"{GPU}: {_reason(field)}")
        for field in reasons
    ]  # fmt: skip
    return shares(
        "GPU throttling", "Share of the time in which the clock was held down, by reason. A run"
        " that was throttled is warned or invalid.", queries, width=8, empty=NO_GPU,
    )  # fmt: skip


def _reason(field: str) -> str:
    words = field.removeprefix("throttled_").removesuffix("_seconds").split("_")
    return " ".join({"hw": "hardware", "sw": "software"}.get(word, word) for word in words)


def traffic(measurement: str, label: str, title: str, *matchers: str, empty: str) -> Panel:
    """Bytes in both directions, by ``label``."""
    fields = [m.field for m in CATALOGUE if m.measurement == measurement]
    left_out = ", without those of containers and virtual machines" if matchers else ""
    queries = [
        query(rate(measurement, field, *matchers),
              f"{{{{{label}}}}} {field.removesuffix('_bytes')}")
        for field in fields
    ]  # fmt: skip
    return lines(title, f"Bytes per second by {label}{left_out}.", "Bps", queries, empty=empty)
