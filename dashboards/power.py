"""Panels of power that is stored ready: one number, and lines by domain or host."""

from typing import Any, Final

from dashboards.colors import DOMAINS, ESTIMATED, TEXT
from dashboards.panels import WIDTH, Json, Panel, bar_gauge, lines, stat, tables, target
from dashboards.queries import (
    COUNTED,
    TOTAL,
    energy,
    energy_of_domains,
    power,
    power_now,
)  # fmt: skip
from dashboards.spans import POWER, SUMS, each

SERIES: Final = "$tag_domain $tag_source $tag_method"
NO_POWER: Final = (
    "No energy was counted in this time: choose a longer time, or see Sensors for what is missing."
)
COVERED: Final = (
    " Package, memory and GPUs, each from one source; core and uncore lie inside the package and a"
    " whole platform's meter around it, so they are not added."
)


def power_stats(*conditions: str) -> list[Panel]:
    """A host's total now, its mean and energy in the shown time, and which domain took it."""
    sums = tables(each(SUMS, lambda span: energy(span, TOTAL, *conditions)))
    return [
        stat("Power now", "The newest ten seconds that are stored, up to two minutes old."
             + COVERED, "watt", tables([power_now(*conditions)]), field="now", width=5,
             empty="Silent for over two minutes: is the exporter running, and the collector?"),
        stat("Mean power", "Of the shown time, as far as it is known." + COVERED, "watt", sums,
             field="watts", width=5, empty=NO_POWER),
        stat("Energy", "In the shown time: what was not seen is missing." + COVERED, "joule", sums,
             field="joules", width=5, empty=NO_POWER),
        _by_domain(*conditions),
    ]  # fmt: skip


def _by_domain(*conditions: str) -> Panel:
    queries = each(SUMS, lambda span: energy_of_domains(
        span, COUNTED, "\"domain\" <> 'total'", *conditions))  # fmt: skip
    return bar_gauge(
        "Energy by domain", "In the shown time. What lies in whole platform is not added to the"
        " others.", "joule", [target(query, SERIES) for query in queries], width=9,
        overrides=_domains(), empty=NO_POWER,
    )  # fmt: skip


def power_lines(*conditions: str, width: int = WIDTH, height: int = 9) -> Panel:
    """Power of one host by domain, with its total."""
    queries = each(POWER, lambda span: power(
        span, ("domain", "source", "method"), COUNTED, *conditions))  # fmt: skip
    return lines(
        "Power", "From the energy counters, devices added up." + COVERED + " Between two epochs of"
        " a counter no energy is known, and none is drawn.", "watt",
        [target(query, SERIES) for query in queries], width=width, height=height,
        custom={"spanNulls": False}, overrides=[*_domains(), *_total()], empty=NO_POWER,
    )  # fmt: skip


def host_lines(condition: str, **more: Any) -> Panel:
    """The total of each host."""
    queries = each(POWER, lambda span: power(span, ("host", "method"), TOTAL, condition))
    estimated = _renamed("/^(.*) estimated$/", f"$1 {ESTIMATED}")
    measured = _renamed("/^(.*) (counter|integrated)$/", "$1")
    return lines(
        "Power of each host", "Mean over each point's time." + COVERED, "watt",
        [target(query, "$tag_host $tag_method") for query in queries], legend="right",
        custom={"spanNulls": False},
        transformations=[estimated, measured], empty=NO_POWER, **more,
    )  # fmt: skip


def _renamed(regex: str, pattern: str) -> Json:
    return {"id": "renameByRegex", "options": {"regex": regex, "renamePattern": pattern}}


def _domains() -> list[Json]:
    """Name and colour of each domain's line; an estimate is dashed and says so."""
    made = []
    for domain, (name, color) in DOMAINS.items():
        made.append(_line(f"/^{domain} .*(counter|integrated)$/", name, color))
        made.append(_line(f"/^{domain} .*estimated$/", f"{name} {ESTIMATED}", color, **_DASHED))
    return made


def _total() -> list[Json]:
    thick = {"custom.lineWidth": 2, "custom.fillOpacity": 0}
    return [
        _line("/^total .*(counter|integrated)$/", "total", TEXT, **thick),
        _line("/^total .*estimated$/", f"total {ESTIMATED}", TEXT, **thick, **_DASHED),
    ]


_DASHED: Final = {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}}


def _line(regex: str, name: str, color: str, **more: Any) -> Json:
    properties = {"displayName": name, "color": {"mode": "fixed", "fixedColor": color}, **more}
    return {
        "matcher": {"id": "byRegexp", "options": regex},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
