"""One host over Prometheus alone: where its power goes, and whether that may be trusted."""

from typing import Final

from dashboards import prometheus_sensors
from dashboards.panels import Json
from dashboards.prometheus_panels import (
    ORANGE,
    Panel,
    Query,
    Row,
    bars,
    dashboard,
    fixed,
    lines,
    override,
    stat,
)
from dashboards.promql import (
    COUNTED_POWER,
    ESTIMATED,
    HOST_POWER,
    MEASURED,
    PART_POWER,
    POWER,
    SHOWN,
    STEP,
    energy,
    find,
    gauge,
    in_all,
    name,
    named,
    rate,
    select,
)
from wattmark_core.catalogue import CATALOGUE

GPU: Final = "GPU {{gpu}} {{model}}"
TOTAL: Final = "total"
TOTAL_ESTIMATED: Final = "≈ total, ESTIMATED"
NO_POWER: Final = (
    "no power: load wattmark.rules.yml in Prometheus (rule_files) and scrape every 15 s; in the"
    " first minute of an exporter there is none yet; see Sensors"
)
NO_GPU: Final = "no GPU, or no samples of one: see Sensors"
NO_INTERFACE: Final = "no network interface but lo and those of containers"
NO_DISK: Final = "no disk with hardware behind it is seen: a virtual file system, or a container"
NO_OTHER: Final = "nothing: every energy counter of this exporter is part of the host's power"
OURS: Final = 'interface!~"lo|docker.*|br-.*|veth.*"'
BLUES: Final = ("#0072B2", "#56A0D3", "#004C78", "#8CC4E8")
"""One hue for the boards of a host; the fifth has the first's."""
PARTS: Final = [
    *(override(f"^GPU {n}( |$)", color=fixed(BLUES[n % len(BLUES)])) for n in range(16)),
    override("^GPU \\D", color=fixed(BLUES[0])),
    override("^CPU package", color=fixed("#D55E00")),
    override("^memory", color=fixed("#009E73")),
]  # fmt: skip


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-prometheus-host", "Wattmark: host (Prometheus)",
        "One host now, from its exporter's /metrics and wattmark.rules.yml: power, use, heat.",
        [
            [_now(), _mean(), _energy(), _use()],
            [_power(), _energy_by_part()],
            [prometheus_sensors.now()],
            [_gpu("utilization_ratio", "GPU use", "percentunit", most=1), _cpu()],
            [_gpu_memory(), _memory()],
            Row("Heat and throttling", [
                _gpu("temperature_celsius", "GPU temperature", "celsius", function="max", width=8),
                _gpu("sm_clock_hertz", "GPU clock", "hertz", width=8), _throttling(),
            ]),
            Row("Network and disk", [
                _traffic("network", "interface", "Network", OURS, empty=NO_INTERFACE),
                _traffic("disk", "device", "Disk", empty=NO_DISK),
            ]),
            Row("Sensors over time, and energy that is not added", [
                prometheus_sensors.history(), _others(),
            ]),
        ],
        [_source_variable(), _instance_variable()],
    )  # fmt: skip


def _source_variable() -> Json:
    return {
        "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        "regex": "", "refresh": 1, "hide": 0, "multi": False, "includeAll": False, "options": [],
        "current": {},
    }  # fmt: skip


def _instance_variable() -> Json:
    query = f"label_values({name('sensor', 'up')}, instance)"
    return {
        "name": "instance", "label": "Exporter", "type": "query", "definition": query,
        "query": {"query": query, "refId": "StandardVariableQuery"}, "refresh": 2, "sort": 1,
        "datasource": {"type": "prometheus", "uid": "${datasource}"}, "hide": 0, "multi": False,
        "includeAll": False, "regex": "", "options": [], "current": {},
    }  # fmt: skip


def _measured_or_not(measured: str, estimated: str, *, now: bool = True) -> list[Query]:
    return [Query(measured, TOTAL, now), Query(estimated, TOTAL_ESTIMATED, now)]


def _loud() -> list[Json]:
    return [override("ESTIMATED", color=fixed(ORANGE))]


def _total(over: str, *, now: bool = True) -> list[Query]:
    """The host's mean power in a time, once as measured, once as estimated."""
    return _measured_or_not(*(
        f"max without (method) (avg_over_time({select(HOST_POWER, method, over=over)}))"
        for method in (MEASURED, ESTIMATED)
    ), now=now)  # fmt: skip


def _now() -> Panel:
    queries = _measured_or_not(select(HOST_POWER, MEASURED), select(HOST_POWER, ESTIMATED))
    return stat(
        "Power now", "CPU packages, memory and GPUs together, mean of the last minute. core and"
        " uncore lie inside the package, psys contains it: never added. Not shown while one of the"
        " counters has just begun anew. ESTIMATED: some part is guessed from CPU time, right"
        " within a factor of two either way.",
        "watt", queries, overrides=_loud(), empty=NO_POWER,
    )  # fmt: skip


def _mean() -> Panel:
    return stat(
        "Mean power", "Of the shown time, as far as the host's power is known in it.", "watt",
        _total(SHOWN), overrides=_loud(), empty=NO_POWER,
    )  # fmt: skip


def _energy() -> Panel:
    """The same in two units, by whether some of it is estimated."""
    total = in_all(energy())
    guessed = in_all(f"last_over_time({select(COUNTED_POWER, ESTIMATED, over=SHOWN)})")
    joules = _measured_or_not(f"{total} unless {guessed}", f"{total} and {guessed}")
    names = ("in Wh", "≈ in Wh, ESTIMATED")
    hours = [
        Query(f"({each.expression}) / 3600", name, now=True)
        for each, name in zip(joules, names, strict=True)
    ]
    return stat(
        "Energy in the shown time", "What the counters grew by. Where an exporter began anew,"
        " what nobody counted meanwhile is missing, so this is a lower bound; the ends of the"
        " shown time are known to a scrape.",
        "joule", [*joules, *hours], overrides=[override("in Wh", unit="watth"), *_loud()],
        empty=NO_POWER,
    )  # fmt: skip


def _use() -> Panel:
    used, all_memory = (select(name("memory", f"{each}_bytes")) for each in ("used", "total"))
    return stat(
        "In use", "GPU: share of time in which a kernel ran, mean of all boards. CPU: of all CPUs."
        " Memory: not available to new programs.", "percentunit",
        [
            Query(f"avg without (device, gpu, model) ({gauge('gpu', 'utilization_ratio')})", "GPU",
                  now=True),
            Query(_of_all_cpus("busy"), "CPU", now=True),
            Query(f"{used} / {all_memory}", "memory", now=True),
        ],
    )  # fmt: skip


def _power() -> Panel:
    parts = Query(f"avg_over_time({select(PART_POWER, over=STEP)})", "{{part}}")
    total = {"custom.stacking": {"mode": "none"}, "custom.fillOpacity": 0, "custom.lineWidth": 2}
    return lines(
        "Power", "Where the power goes: parts on top of each other, the total as a line. Each"
        " point is a mean, of a minute at least. Power is the slope of an energy counter within"
        " one epoch: none is drawn in the first minute after a counter began anew, and none while"
        " the exporter is silent. The exporter's values are up to 0.1 s old: 0.2 % of a minute.",
        "watt", [parts, *_total(STEP, now=False)], right=True, width=16, height=10,
        custom={"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}},
        overrides=[*PARTS, override("total", color=fixed("text"), **total), *_loud()],
        empty=NO_POWER,
    )  # fmt: skip


def _energy_by_part() -> Panel:
    return bars(
        "Energy by part", "What each part took in the shown time. Of a device with two sources one"
        " counts.", "joule", [Query(named(energy()), "{{part}}", now=True)], width=8, height=10,
        overrides=PARTS, empty=NO_POWER,
    )  # fmt: skip


def _gpu(field: str, title: str, unit: str, *, function: str = "avg", most: float | None = None,
         width: int = 12) -> Panel:  # fmt: skip
    kind = {"avg": "Mean", "max": "Largest value"}[function]
    return lines(
        title, f"{find('gpu', field).meaning} {kind} between two points, as scraped.", unit,
        [Query(gauge("gpu", field, function=function), GPU)], most=most, width=width, empty=NO_GPU,
    )  # fmt: skip


def _gpu_memory() -> Panel:
    return lines(
        "GPU memory", "Memory in use, and all there is (thin).", "bytes",
        [Query(gauge("gpu", "memory_used_bytes"), GPU),
         Query(gauge("gpu", "memory_total_bytes"), f"{GPU}: all")],
        overrides=[override(": all$", **{"custom.lineStyle": {"fill": "dash", "dash": [4, 6]}})],
        empty=NO_GPU,
    )  # fmt: skip


def _of_all_cpus(mode: str) -> str:
    return f"{rate('cpu', f'{mode}_seconds')} / {select(name('cpu', 'cpus'))}"


def _cpu() -> Panel:
    return lines(
        "CPU use", "Share of all CPUs: 100 % means that every CPU is busy. Stolen: taken by the"
        " hypervisor, so not to be had here.", "percentunit",
        [Query(_of_all_cpus("busy"), "busy"), Query(_of_all_cpus("steal"), "stolen")], most=1,
    )  # fmt: skip


def _memory() -> Panel:
    return lines(
        "Memory", "Memory not available to new programs, and all there is.", "bytes",
        [Query(gauge("memory", "used_bytes"), "used"),
         Query(gauge("memory", "total_bytes"), "all")],
    )  # fmt: skip


def _throttling() -> Panel:
    reasons = [m.field for m in CATALOGUE if m.field.startswith("throttled_")]
    queries = [
        Query(f"clamp_max({rate('gpu', field)}, 1)", f"{GPU}: {_reason(field)}")
        for field in reasons
    ]  # fmt: skip
    return lines(
        "GPU throttling", "Share of the time in which the clock was held down, by reason. A run"
        " that was throttled is warned or invalid.", "percentunit", queries, most=1, width=8,
        empty=NO_GPU,
    )  # fmt: skip


def _reason(field: str) -> str:
    words = field.removeprefix("throttled_").removesuffix("_seconds").split("_")
    return " ".join({"hw": "hardware", "sw": "software"}.get(word, word) for word in words)


def _traffic(measurement: str, label: str, title: str, *matchers: str, empty: str) -> Panel:
    fields = [m.field for m in CATALOGUE if m.measurement == measurement]
    left_out = " Without lo and what containers have." if matchers else ""
    queries = [
        Query(rate(measurement, field, *matchers),
              f"{{{{{label}}}}} {field.removesuffix('_bytes')}")
        for field in fields
    ]  # fmt: skip
    return lines(title, f"Bytes per second, by {label}.{left_out}", "Bps", queries, empty=empty)


def _others() -> Panel:
    """Counters that are in no sum."""
    others, parts = (f"avg_over_time({select(each, over=STEP)})" for each in (POWER, PART_POWER))
    return lines(
        "Power that is not added", "Parts of the package (core, uncore), the whole platform or a"
        " meter (psys), and second sources of a device: they are in the total already, or around"
        " it.", "watt",
        [Query(f"{others} unless ignoring (part) {parts}", "{{domain}} {{device}} ({{source}})")],
        overrides=[override("^psys", color=fixed("#CC79A7"))], empty=NO_OTHER,
    )  # fmt: skip
