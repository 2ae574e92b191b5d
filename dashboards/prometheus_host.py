"""One host over Prometheus alone: where its power goes, and whether that may be trusted."""

from typing import Final

from dashboards import prometheus_sensors
from dashboards import prometheus_use as use
from dashboards.board import dashboard
from dashboards.colors import DOMAINS, TEXT
from dashboards.colors import ESTIMATED as SAID
from dashboards.panels import Closed, Json, Panel, bar_gauge
from dashboards.prometheus_panels import fixed, line, lines, stat
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
    in_all,
    name,
    named,
    query,
    select,
)
from wattmark_core.catalogue import Domain

TOTAL: Final = "total"
TOTAL_ESTIMATED: Final = f"total {SAID}"
NO_POWER: Final = (
    "No power: load wattmark.rules.yml in Prometheus (rule_files) and scrape every 15 s. In an"
    " exporter's first minute there is none yet; see Sensors."
)
NO_OTHER: Final = "Nothing: each energy counter of this exporter is part of the host's power."
SHADES: Final = (DOMAINS[Domain.GPU][1], "#56A0D3", "#004C78", "#8CC4E8")
"""One hue for the boards of a host; the fifth has the first's."""


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "prometheus-host", "Wattmark: host (Prometheus)",
        "Where one host's power goes, from its exporter's /metrics and wattmark.rules.yml.",
        [
            [_now(), _mean(), _energy(), use.use()],
            [_power(), _energy_by_part()],
            [prometheus_sensors.now()],
            [use.gpu_use(), use.gpu_memory(), use.cpu(), use.memory()],
            Closed("Heat and throttling", [[
                use.gpu("temperature_celsius", "GPU temperature", "celsius", "max", width=8),
                use.gpu("sm_clock_hertz", "GPU clock", "hertz", width=8), use.throttling(),
            ]]),
            Closed("Network and disks", [[
                use.traffic("network", "interface", "Network", use.OURS, empty=use.NO_INTERFACE),
                use.traffic("disk", "device", "Disks", empty=use.NO_DISK),
            ]]),
            Closed("Sensors over time, power that is not added", [[
                prometheus_sensors.history(), _others(),
            ]]),
        ],
        [_source_variable(), _instance_variable()], refresh="10s", runner=False,
    )  # fmt: skip


def _source_variable() -> Json:
    return {
        "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        "regex": "", "refresh": 1, "hide": 0, "multi": False, "includeAll": False, "options": [],
        "current": {},
    }  # fmt: skip


def _instance_variable() -> Json:
    values = f"label_values({name('sensor', 'state')}, instance)"
    return {
        "name": "instance", "label": "Exporter", "type": "query", "definition": values,
        "query": {"query": values, "refId": "StandardVariableQuery"}, "refresh": 2, "sort": 1,
        "datasource": {"type": "prometheus", "uid": "${datasource}"}, "hide": 0, "multi": False,
        "includeAll": False, "regex": "", "options": [], "current": {},
    }  # fmt: skip


def _parts() -> list[Json]:
    """Colours of the parts of a host; a board's is by its number."""
    boards = [line(f"^GPU {n}( |$)", color=fixed(SHADES[n % len(SHADES)])) for n in range(16)]
    unnumbered = line("^GPU \\D", color=fixed(SHADES[0]))
    others = [line(f"^{DOMAINS[domain][0]}", color=fixed(DOMAINS[domain][1]))
              for domain in (Domain.PACKAGE, Domain.DRAM)]  # fmt: skip
    return [*boards, unnumbered, *others]


def _either(measured: str, estimated: str, *, now: bool = True) -> list[Json]:
    return [query(measured, TOTAL, now=now), query(estimated, TOTAL_ESTIMATED, now=now)]


def _total(over: str, *, now: bool = True) -> list[Json]:
    """The host's mean power in a time, once as measured, once as estimated."""
    return _either(*(
        f"max without (method) (avg_over_time({select(HOST_POWER, method, over=over)}))"
        for method in (MEASURED, ESTIMATED)
    ), now=now)  # fmt: skip


def _now() -> Panel:
    return stat(
        "Power now", "CPU packages, memory and GPUs together, mean of the last minute. core and"
        " uncore lie inside the package, psys contains it: never added. Not shown while one of the"
        " counters has just begun again. ESTIMATED: some part is guessed from CPU time, right"
        " within a factor of two either way.",
        "watt", _either(select(HOST_POWER, MEASURED), select(HOST_POWER, ESTIMATED)), NO_POWER,
    )  # fmt: skip


def _mean() -> Panel:
    known = "Of the shown time, as far as the host's power is known in it."
    return stat("Mean power", known, "watt", _total(SHOWN), NO_POWER)


def _energy() -> Panel:
    """The same in two units, by whether some of it is estimated."""
    total = in_all(energy())
    guessed = in_all(f"last_over_time({select(COUNTED_POWER, ESTIMATED, over=SHOWN)})")
    measured, estimated = f"{total} unless {guessed}", f"{total} and {guessed}"
    hours = [
        query(f"({measured}) / 3600", "in Wh", now=True),
        query(f"({estimated}) / 3600", f"in Wh {SAID}", now=True),
    ]
    return stat(
        "Energy in the shown time", "What the counters grew by. Where an exporter began again,"
        " what nobody counted meanwhile is missing, so this is a lower bound; the ends of the"
        " shown time are known to a scrape.",
        "joule", [*_either(measured, estimated), *hours], NO_POWER,
    )  # fmt: skip


def _power() -> Panel:
    parts = query(f"avg_over_time({select(PART_POWER, over=STEP)})", "{{part}}")
    total = {"custom.stacking": {"mode": "none"}, "custom.fillOpacity": 0, "custom.lineWidth": 2}
    return lines(
        "Power", "Where the power goes: parts on top of each other, the total as a line. Each"
        " point is a mean, of a minute at least. Power is the slope of an energy counter within"
        " one epoch: none is drawn in the first minute after a counter began again, and none while"
        " the exporter is silent. The exporter's values are up to 0.1 s old: 0.2 % of a minute.",
        "watt", [parts, *_total(STEP, now=False)], legend="right", width=16, height=10,
        custom={"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}},
        overrides=[*_parts(), line("^total", color=fixed(TEXT), **total)], empty=NO_POWER,
    )  # fmt: skip


def _energy_by_part() -> Panel:
    return bar_gauge(
        "Energy by part", "What each part took in the shown time. Of a device with two sources one"
        " counts.", "joule", [query(named(energy()), "{{part}}", now=True)], width=8, height=10,
        overrides=_parts(), server="prometheus", empty=NO_POWER,
    )  # fmt: skip


def _others() -> Panel:
    """Counters that are in no sum."""
    others, parts = (f"avg_over_time({select(power, over=STEP)})" for power in (POWER, PART_POWER))
    return lines(
        "Power that is not added", "Parts of the package (core, uncore), the whole platform or a"
        " meter (psys), and second sources of a device: they are in the total already, or around"
        " it.", "watt",
        [query(f"{others} unless ignoring (part) {parts}", "{{domain}} {{device}} ({{source}})")],
        overrides=[line("^psys", color=fixed(DOMAINS[Domain.PSYS][1]))], empty=NO_OTHER,
    )  # fmt: skip
