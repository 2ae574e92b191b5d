"""RAPL energy of node_exporter's collector ``rapl``, which reads the counters when scraped."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wattmark_collector.foreign import ForeignCounter, energy_fields, tell
from wattmark_collector.left_out import LeftOut
from wattmark_collector.page_line import MetricValue
from wattmark_collector.rapl_zone import Zone, find_zones, zone_name
from wattmark_core.catalogue import Domain, Method
from wattmark_core.plausible import most_watts
from wattmark_core.sample import Sample, make_tags
from wattmark_core.units import ns_to_seconds

LOOKS: Final = 7
SKEW_SECONDS: Final = 0.02
"""node_exporter reads one zone after the other, in less than this."""
SLACK_JOULES: Final = 0.1
MOST_COUNTERS: Final = 1024
MOST_ZONES: Final = 256
"""Of a page: zones are compared with each other. Eight sockets of four dies with all that a zone
may have inside are 128."""
Pair = tuple[tuple[Domain, str, str], tuple[Domain, str, str]]


class NodeRapl:
    """The counters of one node_exporter. They go round, which is a fall and opens an epoch.
    ``max_watts``: the most that one may draw, where the target file says it."""

    def __init__(self, left_out: LeftOut, max_watts: float | None = None) -> None:
        self._left_out = left_out
        self._max_watts = max_watts
        self._counters: dict[tuple[Domain, str], ForeignCounter] = {}
        self._mirrors = Mirrors()

    def take(self, metrics: Iterable[MetricValue], host: str, time_ns: int) -> Iterator[Sample]:
        """A sample of each counter that has moved."""
        named = [(name, m) for m in metrics if (name := zone_name(m)) is not None]
        if len(named) > MOST_ZONES:
            self._left_out.add("rapl zones", f"over {MOST_ZONES} RAPL zones; further ones are left"
                               " out", len(named) - MOST_ZONES)  # fmt: skip
        zones, unknown = find_zones(named[:MOST_ZONES])
        for name in unknown:
            self._leave_out(f"zone {name!r}", "is not known")
        for zone, device in self._devices(list(self._usable(zones)), time_ns):
            stamp_ns = time_ns if zone.metric.time_ns is None else zone.metric.time_ns
            yield from self._sample(zone.domain, device, zone.metric.value, host, stamp_ns)

    def _usable(self, zones: Sequence[Zone]) -> Iterator[Zone]:
        """Without copies (``intel-rapl-mmio``) of what is there, and what is of no socket."""
        originals = {(zone.domain, zone.owner, zone.die) for zone in zones if not zone.mmio}
        for zone in zones:
            if not zone.owner:
                self._leave_out(f"zone {zone.domain}", "says of no socket that it is its own")
            elif not zone.mmio or (zone.domain, zone.owner, zone.die) not in originals:
                yield zone

    def _devices(self, zones: Sequence[Zone], time_ns: int) -> Iterator[tuple[Zone, str]]:
        """Each counter once, with its device: the socket, and the die where it has several."""
        times = Counter((zone.domain, zone.owner, zone.die) for zone in zones)
        single = [zone for zone in zones if times[zone.domain, zone.owner, zone.die] == 1]
        for domain, owner, die in (key for key, count in times.items() if count > 1):
            title = f"{domain} of {owner}{die and '-' + die}"
            self._leave_out(title, f"stands {times[domain, owner, die]} times, and none of them is"
                            " its whole")  # fmt: skip
        for zone in self._mirrors.without(single, time_ns):
            apart = (zone.domain, zone.owner) in self._mirrors.apart
            yield zone, f"{zone.owner}-{zone.die or 'die0'}" if apart else zone.owner

    def _sample(
        self, domain: Domain, device: str, value: float, host: str, time_ns: int
    ) -> Iterator[Sample]:
        key = domain, device
        counter = self._counters.get(key)
        if counter is None:
            if len(self._counters) >= MOST_COUNTERS:
                self._leave_out("more", f"is over {MOST_COUNTERS} counters")
                return
            limit_watts = most_watts(domain, self._max_watts)
            counter = self._counters[key] = ForeignCounter(cached=False, limit_watts=limit_watts)
        tick = counter.read(value, time_ns)
        if tick is not None:
            tags = {"host": host, "domain": domain, "device": device, "source": "node_exporter",
                    "method": Method.COUNTER}  # fmt: skip
            yield Sample("energy", make_tags(tags), energy_fields(tick), tick.time_ns)
        tell(counter.problem, f"RAPL {domain} of {device}", value, self._left_out)

    def _leave_out(self, what: str, reason: str) -> None:
        self._left_out.add(f"rapl {what} {reason}", f"RAPL {what} {reason} and is left out")


class Mirrors:
    """Which zones of one socket show one counter: as dies of some CPUs do (mlco2/codecarbon#1274).

    Two zones do where more than half of the last looks showed the same joules, as nearly as two
    reads one after the other can. Dies of their own have counted apart since the machine started.
    """

    def __init__(self) -> None:
        self._looks: dict[Pair, deque[bool]] = {}
        self._before: dict[tuple[Domain, str, str], tuple[float, int]] = {}
        self.apart: set[tuple[Domain, str]] = set()
        """Domain and owner of zones that have counters of their own."""

    def without(self, zones: Sequence[Zone], time_ns: int) -> list[Zone]:
        """One zone of each set that shows one counter, with the lowest die."""
        distinct: list[Zone] = []
        once: set[tuple[Domain, str]] = set()
        several: set[tuple[Domain, str]] = set()
        in_order = sorted(
            zones, key=lambda zone: (zone.domain, zone.owner, len(zone.die), zone.die)
        )
        for zone in in_order:
            rivals = [z for z in distinct if (z.domain, z.owner) == (zone.domain, zone.owner)]
            if not [z for z in rivals if self._same(z, zone, time_ns)]:
                distinct.append(zone)
                several.update((z.domain, z.owner) for z in rivals)
            elif len(rivals) == 1:
                once.add((zone.domain, zone.owner))
        self.apart = self.apart - once | several
        self._before = {_key(zone): (zone.metric.value, time_ns) for zone in zones}
        return distinct

    def _same(self, first: Zone, second: Zone, time_ns: int) -> bool:
        pair = _key(first), _key(second)
        apart = abs(first.metric.value - second.metric.value)
        watts = max(self._watts(first, time_ns), self._watts(second, time_ns))
        same = apart <= watts * SKEW_SECONDS + SLACK_JOULES
        if not {*pair} <= self._before.keys():
            return same
        looks = self._looks.get(pair)
        if looks is None:
            if len(self._looks) >= MOST_COUNTERS:
                self._looks.clear()
            looks = self._looks[pair] = deque(maxlen=LOOKS)
        looks.append(same)
        return 2 * sum(looks) > len(looks)

    def _watts(self, zone: Zone, time_ns: int) -> float:
        """The mean since the last look; the most there can be where there was none."""
        joules, then_ns = self._before.get(_key(zone), (0.0, time_ns))
        if time_ns <= then_ns:
            return most_watts(zone.domain)
        watts = (zone.metric.value - joules) / ns_to_seconds(time_ns - then_ns)
        return min(max(watts, 0.0), most_watts(zone.domain))


def _key(zone: Zone) -> tuple[Domain, str, str]:
    return zone.domain, zone.owner, zone.die
