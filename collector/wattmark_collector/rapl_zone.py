"""RAPL zones by node_exporter's names for them: what each covers.

node_exporter (``collector/rapl_linux.go``, with ``sysfs/class_powercap.go`` of procfs) names a zone
``node_rapl_NAME_joules_total`` after the kernel's ``name``, or, with
``--collector.rapl.enable-zone-label``, ``node_rapl_joules_total{rapl_zone="NAME"}``. It takes a
number off a name of two parts (``package-1``) and makes it the label ``index``; other zones of one
name are counted by ``index`` in the order of their folders. ``path`` is there since version 1.2.0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_collector.page_line import MetricValue
from wattmark_core.catalogue import Domain

PREFIX: Final = "node_rapl_"
_METRIC: Final = re.compile(r"node_rapl_(?:(.+)_)?joules_total")
_PACKAGE: Final = re.compile(r"package(?:[-_](\d+))?(?:[-_]die[-_](\d+))?")
_PSYS: Final = re.compile(r"psys(?:[-_](\d+))?")
_PARTS: Final = {"core": Domain.CORE, "uncore": Domain.UNCORE, "dram": Domain.DRAM}
_MOST_DIGITS: Final = 9
_PATH: Final = re.compile(r"(?:.*/)?[a-z]+-rapl(-mmio)?:(\d+)((?::\d+)*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone of a page. ``owner``: ``socketN`` or ``platform``, empty where it cannot be told;
    ``die`` empty where there is one. ``key``: the zone above, by its folder, or its place."""

    domain: Domain
    owner: str
    die: str
    key: str
    mmio: bool
    metric: MetricValue


def zone_name(metric: MetricValue) -> str | None:
    """The zone's name as node_exporter shows it; None for what is no RAPL energy."""
    match = _METRIC.fullmatch(metric.name)
    if match is None:
        return None
    return match[1] or metric.labels.get("rapl_zone", "")


def find_zones(named: Sequence[tuple[str, MetricValue]]) -> tuple[list[Zone], list[str]]:
    """The zones of a page, and the names that are not known."""
    packages = [zone for name, metric in named if (zone := _package(name, metric)) is not None]
    zones, unknown = list(packages), []
    for name, metric in named:
        psys = _PSYS.fullmatch(name)
        if psys is not None:
            index = psys[1] or metric.labels.get("index", "")
            owner = "platform" + (index if index != "0" else "")
            zones.append(Zone(Domain.PSYS, owner, "", *_place(metric), metric))
        elif name in _PARTS:
            zones.append(_part(_PARTS[name], metric, packages, named))
        elif _PACKAGE.fullmatch(name) is None:
            unknown.append(name)
    return zones, unknown


def _package(name: str, metric: MetricValue) -> Zone | None:
    match = _PACKAGE.fullmatch(name)
    if match is None:
        return None
    socket = match[1] or metric.labels.get("index", "0")
    die = f"die{match[2]}" if match[2] else ""
    return Zone(Domain.PACKAGE, f"socket{socket}", die, *_place(metric), metric)


def _place(metric: MetricValue) -> tuple[str, bool]:
    """The number of the zone's top folder, empty without a path; whether it is a copy."""
    match = _PATH.fullmatch(metric.labels.get("path", ""))
    return (match[2], match[1] is not None) if match else ("", False)


def _part(
    domain: Domain, metric: MetricValue, packages: Sequence[Zone],
    named: Sequence[tuple[str, MetricValue]],
) -> Zone:  # fmt: skip
    """What lies in a package, or beside it, is of the package above. Without a path the parts are
    in the order of the packages, where there are as many."""
    key, mmio = _place(metric)
    above: Zone | None = None
    if key:
        above = next((zone for zone in packages if (zone.key, zone.mmio) == (key, mmio)), None)
        owner = f"socket{key}"
    else:
        index = metric.labels.get("index", "")
        alike = sum(other == domain for other, _ in named)
        in_order = sorted((zone for zone in packages if not zone.mmio), key=_number)
        place = _integer(index or "0")
        if place is not None and alike == len(in_order) and place < len(in_order):
            above = in_order[place]
        owner = f"socket{index}" if index else ""
    if above is None:
        return Zone(domain, owner, "", key, mmio, metric)
    return Zone(domain, above.owner, above.die, key, mmio, metric)


def _number(zone: Zone) -> tuple[int, int]:
    owner, die = zone.owner.removeprefix("socket"), zone.die.removeprefix("die")
    return _integer(owner) or 0, _integer(die) or 0


def _integer(digits: str) -> int | None:
    """A number of a socket, a die or a place; None for what is none, however long it is."""
    return int(digits) if digits.isdecimal() and len(digits) <= _MOST_DIGITS else None
