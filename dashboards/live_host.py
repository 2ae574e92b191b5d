"""What one host does now: power by domain, use, heat, sensors; windows as shaded regions."""

from typing import Final

from dashboards.panels import (
    RESULTS,
    TELEMETRY,
    Json,
    Panel,
    annotation,
    column,
    dashboard,
    interval_variable,
    lines,
    query_variable,
    source_variable,
    stat,
    states,
    table,
    target,
)  # fmt: skip
from dashboards.queries import HOST, energy, field, gauge, power, rate, results, tag_values
from wattmark_core.catalogue import CATALOGUE, Kind

SERIES: Final = "$tag_domain $tag_device ($tag_source, $tag_method)"
GPU: Final = "GPU $tag_gpu $tag_model"
WORK: Final = "(\"phase\" = 'inference' OR \"phase\" = 'training')"
RUN_LINK: Final = {
    "title": "Open the run",
    "url": "/d/wattmark-run/run?var-run_id=${__data.fields.run_id}"
    "&from=${__data.fields.start_ms}&to=${__data.fields.end_ms}",
}


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
            [_windows()],
        ],
        [
            source_variable(TELEMETRY, "Samples (1m for over 14 days)", "telemetry( 1m)?"),
            source_variable(RESULTS, "Results", "results"),
            query_variable("host", "Host", TELEMETRY, tag_values("energy", "host")),
            interval_variable("1s"),
        ],
        [annotation("Inference and training windows", "blue", windows)],
    )  # fmt: skip


def _power() -> Panel:
    return lines(
        "Power by domain", "From the energy counters: core and uncore lie inside package, psys"
        " contains it. An interval in which a counter began again is left out. Estimated power says"
        " so in its name.", "watt", [target(power(), SERIES)], width=18, height=10,
    )  # fmt: skip


def _energy() -> Panel:
    return stat(
        "Energy in the shown time", "Growth of each counter within its epochs: what an exporter"
        " did not see is missing.", "joule", [target(energy(), SERIES)], width=6, height=10,
    )  # fmt: skip


def _gpu(name: str, title: str, unit: str) -> Panel:
    query = gauge("gpu", name, ("device", "gpu", "model"))
    meaning = next(m.meaning for m in CATALOGUE if (m.measurement, m.field) == ("gpu", name))
    return lines(title, meaning, unit, [target(query, GPU)], empty="no GPU, or no samples of one")


def _cpu() -> Panel:
    modes = [m.field for m in CATALOGUE if m.measurement == "cpu" and m.kind is Kind.COUNTER]
    shown = [name for name in modes if name not in {"busy_seconds", "idle_seconds"}]
    targets = [
        target(rate("cpu", name, ()), name.removesuffix("_seconds"), ref=chr(ord("A") + n))
        for n, name in enumerate(shown)
    ]
    stacked = {"custom": {"lineWidth": 1, "fillOpacity": 40, "showPoints": "never",
                          "stacking": {"mode": "normal", "group": "A"}}}  # fmt: skip
    return lines("CPU time by mode", "CPUs busy in each mode: 2 means two whole CPUs. Steal is time"
                 " that the hypervisor took.", "none", targets, defaults=stacked)  # fmt: skip


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
                 empty="no GPU, or no samples of one")  # fmt: skip


def _sensors() -> Panel:
    query = gauge("sensor", "up", ("sensor",), function="min")
    return states("Sensors", "What answers, and what failed. An absent sensor has no line:"
                  " `wattmark sensors` says why.", [target(query, "$tag_sensor")])  # fmt: skip


def _sensor_reads() -> Panel:
    query = (
        f"SELECT last({field('sensor', 'taken')}) / last({field('sensor', 'due')})"
        f' FROM "sensor" WHERE $timeFilter AND {HOST} GROUP BY time($interval),'
        f" {field('sensor', 'sensor')} fill(none)"
    )
    return lines("Reads taken of those due", "Since the exporter's start; below 0.99 the machine"
                 " is too busy, or a sensor too slow.", "percentunit",
                 [target(query, "$tag_sensor")])  # fmt: skip


def _windows() -> Panel:
    names = ("start_ms", "end_ms", "run_id", "model", "workload", "phase", "repeat", "joules",
             "method", "boundary", "complete", "overlapping")  # fmt: skip
    return table(
        "Windows", "Inference and training in the shown time, estimated energy called so."
        " Overlapping or incomplete windows are not ranked.", "none",
        [target(results("window", names, HOST, WORK), table=True)], source=RESULTS,
        overrides=[
            column("joules", unit="joule"), column("run_id", links=[RUN_LINK]),
            column("start_ms", unit="dateTimeAsIso"), column("end_ms", unit="dateTimeAsIso"),
        ],
        empty="no window in this time: start a run on the runner's page, or post one",
    )  # fmt: skip
