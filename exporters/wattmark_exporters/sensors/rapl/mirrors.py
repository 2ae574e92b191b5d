"""Which RAPL zones count the same joules a second time, or do not count at all.

Pure functions over looks: per zone the counter's values, µJ, read side by side a few times.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from wattmark_exporters.sensors.rapl.powercap import Zone

Looks = Mapping[Zone, Sequence[int | None]]


def without_copies(zones: Sequence[Zone]) -> list[Zone]:
    """The zones without ``intel-rapl-mmio`` ones whose original is there."""
    originals = {(zone.domain, zone.owner) for zone in zones if not zone.mmio}
    return [zone for zone in zones if not zone.mmio or (zone.domain, zone.owner) not in originals]


def in_doubt(zones: Sequence[Zone]) -> bool:
    """Must counters be compared: is a zone disabled, or do two cover the same by their names?"""
    covered = {(zone.domain, zone.owner) for zone in zones}
    return len(covered) < len(zones) or not all(zone.enabled for zone in zones)


def counting(zones: Sequence[Zone], looks: Looks) -> list[Zone]:
    """The zones that are enabled, or move although they are not."""
    return [zone for zone in zones if zone.enabled or _moved(looks[zone])]


def without_mirrors(zones: Sequence[Zone], looks: Looks) -> list[Zone]:
    """One zone of each set that shows one counter: mlco2/codecarbon#1274."""
    distinct: list[Zone] = []
    for zone in zones:
        same = (z for z in distinct if (z.domain, z.owner) == (zone.domain, zone.owner))
        if not any(mirror(looks[zone], looks[other]) for other in same):
            distinct.append(zone)
    return distinct


def mirror(first: Sequence[int | None], second: Sequence[int | None]) -> bool:
    """Do two counters run in step: equal values, or, once they move, an unchanging difference?

    More than half of the looks must agree; in the others an update fell between the two reads.
    Two dies of their own never agree so often: their steps differ by many units.
    """
    pairs = zip(first, second, strict=True)
    gaps = Counter(a - b for a, b in pairs if a is not None and b is not None)
    if not gaps:
        return False
    gap, times = gaps.most_common(1)[0]
    return times > gaps.total() / 2 and (gap == 0 or (_moved(first) and _moved(second)))


def device_names(zones: Sequence[Zone], rivals: Sequence[Zone]) -> dict[Zone, str]:
    """Per zone its device: the socket, and the die where the socket has several counters.

    ``rivals``: zones that count too but cannot be read; they show what a zone does not cover.
    """
    shared = Counter((zone.domain, zone.owner) for zone in (*zones, *rivals))
    return {
        zone: zone.owner
        if shared[zone.domain, zone.owner] == 1
        else f"{zone.owner}-{zone.die or zone.key}"
        for zone in zones
    }


def _moved(values: Sequence[int | None]) -> bool:
    return len({value for value in values if value is not None}) > 1
