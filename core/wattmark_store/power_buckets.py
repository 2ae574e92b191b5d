"""Energy counters as mean power in equal buckets of time. Pure arithmetic.

A bucket has a number: its start is that many widths after the Unix epoch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from wattmark_core.catalogue import Domain, Method, weakest
from wattmark_core.results import BOUNDARY_DOMAINS, Boundary
from wattmark_core.sample import Tags, make_tags
from wattmark_core.sources import pin
from wattmark_core.units import NS_PER_S

MOST_APART_NS: Final = 300 * NS_PER_S
"""Between two samples further apart than this nothing is known of the power."""
TOTAL: Final = "total"
KNOWN_COUNTERS: Final = 10_000


class Counter(NamedTuple):
    """An energy counter of a host."""

    host: str
    domain: Domain
    device: str
    source: str
    method: Method


class Part(NamedTuple):
    """What is known of a bucket: energy, and the seconds in which it was used, over zero."""

    joules: float
    seconds: float


class Power(NamedTuple):
    """A bucket of a series: mean watts over the ``seconds`` that are covered."""

    tags: Tags
    time_ns: int
    watts: float
    seconds: float
    joules: float


def spread(
    samples: Iterable[Sequence[Any]], width_ns: int, first: int, last: int
) -> dict[int, Part]:
    """Of one counter's samples (Unix ns, joules, epoch) in time order the buckets first..last.

    Energy between two neighbours of one epoch is spread evenly over the time between them. Where a
    counter fell, began again or was silent for over 300 s, nothing is known.
    """
    joules: dict[int, float] = {}
    covered: dict[int, int] = {}
    start, low, began = 0, 0.0, None
    for end, high, epoch in samples:
        if epoch == began and high >= low and 0 < end - start <= MOST_APART_NS:
            bucket, until = start // width_ns, (end - 1) // width_ns
            for each in range(bucket, until + 1):
                inside = min(end, (each + 1) * width_ns) - max(start, each * width_ns)
                share = (high - low) * inside / (end - start)
                joules[each] = joules.get(each, 0.0) + share
                covered[each] = covered.get(each, 0) + inside
        start, low, began = end, high, epoch
    return {
        bucket: Part(joules[bucket], ns / NS_PER_S)
        for bucket, ns in covered.items()
        if first <= bucket <= last
    }


def powers(parts: Mapping[Counter, Mapping[int, Part]], width_ns: int) -> Iterator[Power]:
    """Of each host the power of each domain, source and method, devices added, and the total of
    package, dram and gpu, in which no device counts twice.

    A sum covers the seconds of the part that covers least.
    """
    buckets: dict[tuple[str, int], list[Counter]] = {}
    for counter, found in parts.items():
        for bucket in found:
            buckets.setdefault((counter.host, bucket), []).append(counter)
    for (_, bucket), present in buckets.items():
        held = [parts[counter][bucket] for counter in present]
        for tags, places in _sums(tuple(present)):
            watts = sum(held[place].joules / held[place].seconds for place in places)
            seconds = min(held[place].seconds for place in places)
            yield Power(tags, bucket * width_ns, watts, seconds, watts * seconds)


@lru_cache(maxsize=KNOWN_COUNTERS)
def _sums(present: tuple[Counter, ...]) -> tuple[tuple[Tags, tuple[int, ...]], ...]:
    """The series that some counters of a host make, and which of them each adds up."""
    groups: dict[Tags, list[int]] = {}
    for place, counter in enumerate(present):
        named = {"host": counter.host, "domain": counter.domain, "source": counter.source,
                 "method": counter.method}  # fmt: skip
        groups.setdefault(make_tags(named), []).append(place)
    whole = pin(each for each in present if each.domain in BOUNDARY_DOMAINS[Boundary.HOST])
    if whole:
        method = weakest([each.method for each in whole])
        named = {"host": whole[0].host, "domain": TOTAL, "method": method}
        groups[make_tags(named)] = [present.index(each) for each in whole]
    return tuple((tags, tuple(places)) for tags, places in groups.items())


def of_sums(tags: Tags, time_ns: int, joules: float, seconds: float) -> Power:
    """A bucket of so much energy in so many seconds."""
    return Power(tags, time_ns, joules / seconds, seconds, joules)
