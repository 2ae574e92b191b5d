"""What one host does now: power by domain, use, heat, sensors; windows as shaded regions."""

from typing import Final

from dashboards.board import annotation, dashboard
from dashboards.columns import column, link, method_column, span
from dashboards.panels import (
    RESULTS,
    TELEMETRY,
    Json,
    Panel,
    lines,
    stat,
    states,
    table,
    target,
)  # fmt: skip
from dashboards.queries import (
    HOST,
    energy,
    gauge,
    power,
    rate,
    reads,
    results,
    runs,
    tag_values,
)  # fmt: skip
from dashboards.variables import (
    interval_variable,
    query_variable,
    results_variable,
    samples_variable,
)  # fmt: skip
from wattmark_core.catalogue import CATALOGUE, Kind

SERIES: Final = "$tag_domain $tag_device ($tag_source, $tag_method)"
GPU: Final = "GPU $tag_gpu $tag_model"
NO_GPU: Final = "no GPU, or no samples of one: wattmark sensors says why"
NO_RUN: Final = "no run in this time: start one on the runner's page, or post a window"
WORK: Final = "(\"phase\" = 'inference' OR \"phase\" = 'training')"


def make() -> Json:
    """The dashboard."""
    windows = results("window", ("end_ms", "phase", "run_id"), HOST, WORK)
    return dashboard(
        "wattmark-live", "Wattmark: live host", "One host now: power, use, heat, windows.",
        [
            [_power(), _energy()],
            [_gpu("utilization_ratio", "GPU use", "percentunit"),
             _gpu("memory_used_bytes", "GPU memory", "bytes")],
            [_cpu(), _memory()],
            [_traffic("disk", "device", "Disk"), _traffic("network", "interface", "Network")],
            [_gpu("temperature_celsius", "GPU temperature", "celsius"), _throttling()],
            [_sensors(), _sensor_reads()],
            [runs_table(HOST)],
            [_windows()],
        ],
        [
            samples_variable(),
            results_variable(),
            query_variable("host", "Host", TELEMETRY, tag_values("energy", "host")),
            interval_variable("1s"),
        ],
        [annotation("Inference and training windows", "blue", windows)],
    )  # fmt: skip


def runs_table(where: str) -> Panel:
    """Every run of some hosts, with its time."""
    return table(
        "Runs", "Every run in the shown time, from its first idle window to its last; the link"
        " opens it at its own time.", "none", [target(runs(where), table=True)],
        source=RESULTS, height=7,
        overrides=[
            column("run_id", links=[link("Open the run", time=span("start_ms", "end_ms"))]),
            column("start_ms", unit="dateTimeAsIso"), column("end_ms", unit="dateTimeAsIso"),
            column("Time", **{"custom.hidden": True}),
        ],
        empty=NO_RUN,
    )  # fmt: skip


def _power() -> Panel:
    return lines(
        "Power by domain", "From the energy counters: core and uncore lie inside package, psys"
        " contains it, so the lines do not add up to the host. Between two epochs of a counter no"
        " energy is known, and none is drawn. Estimated power says so in its name.", "watt",
        [target(power(), SERIES)], width=18, height=10,
    )  # fmt: skip


def _energy() -> Panel:
    return stat(
        "Energy in the shown time", "Growth of each counter within its epochs: what an exporter"
        " did not see is missing. core and uncore are part of package.", "joule",
        [target(energy(), SERIES)], width=6, height=10,
    )  # fmt: skip


def _gpu(name: str, title: str, unit: str) -> Panel:
    query = gauge("gpu", name, ("device", "gpu", "model"))
    meaning = next(m.meaning for m in CATALOGUE if (m.measurement, m.field) == ("gpu", name))
    return lines(title, meaning, unit, [target(query, GPU)], empty=NO_GPU)


def _cpu() -> Panel:
    modes = [m.field for m in CATALOGUE if m.measurement == "cpu" and m.kind is Kind.COUNTER]
    shown = [name for name in modes if name not in {"busy_seconds", "idle_seconds"}]
    targets = [
        target(rate("cpu", name, ()), name.removesuffix("_seconds"), ref=chr(ord("A") + n))
        for n, name in enumerate(shown)
    ]
    stacked = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
    return lines("CPU time by mode", "CPUs busy in each mode: 2 means two whole CPUs. Steal is time"
                 " that the hypervisor took.", "none", targets, custom=stacked)  # fmt: skip


def _memory() -> Panel:
    targets = [
        target(gauge("memory", "used_bytes", ()), "used"),
        target(gauge("memory", "total_bytes", ()), "total", ref="B"),
    ]
    return lines("Memory", "Memory not available to new programs, and all there is.", "bytes",
                 targets)  # fmt: skip


def _traffic(measurement: str, tag: str, title: str) -> Panel:
    names = [m.field for m in CATALOGUE if m.measurement == measurement]
    targets = [
        target(rate(measurement, name, (tag,)), f"$tag_{tag} {name.removesuffix('_bytes')}",
               ref=chr(ord("A") + n))
        for n, name in enumerate(names)
    ]  # fmt: skip
    return lines(f"{title} traffic", f"Bytes per second, by {tag}.", "Bps", targets)


def _throttling() -> Panel:
    names = [m.field for m in CATALOGUE if m.field.startswith("throttled_")]
    targets = [
        target(rate("gpu", name, ("device", "gpu", "model")),
               f"{GPU}: {name.removeprefix('throttled_').removesuffix('_seconds')}",
               ref=chr(ord("A") + n))
        for n, name in enumerate(names)
    ]  # fmt: skip
    return lines("GPU throttling", "Share of the time in which the clock was held down, by reason."
                 " A run that was throttled is warned or invalid.", "percentunit", targets,
                 empty=NO_GPU)  # fmt: skip


def _sensors() -> Panel:
    query = gauge("sensor", "up", ("sensor",), function="min")
    return states("Sensors", "What answers, and what failed. An absent sensor has no line:"
                  " `wattmark sensors` says why.", [target(query, "$tag_sensor")])  # fmt: skip


def _sensor_reads() -> Panel:
    query = reads('"taken" / "due"', ("sensor",))
    return lines("Reads taken of those due", "In each interval; below 0.99 the machine is too busy,"
                 " or a sensor too slow.", "percentunit",
                 [target(query, "$tag_sensor")])  # fmt: skip


def _windows() -> Panel:
    names = ("start_ms", "end_ms", "run_id", "model", "workload", "phase", "repeat", "joules",
             "method", "boundary", "complete", "overlapping")  # fmt: skip
    return table(
        "Windows", "Inference and training in the shown time, with boundary and method, estimated"
        " energy called so. Overlapping or incomplete windows are not ranked.", "none",
        [target(results("window", names, HOST, WORK), table=True)], source=RESULTS,
        overrides=[
            column("run_id", links=[link("Open the run here", time=span("start_ms", "end_ms"))]),
            column("start_ms", unit="dateTimeAsIso"), column("end_ms", unit="dateTimeAsIso"),
            column("Time", **{"custom.hidden": True}), column("joules", unit="joule"),
            method_column(),
        ],
        empty=NO_RUN,
    )  # fmt: skip
