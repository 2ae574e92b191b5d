"""Energy counters as mean power in equal buckets of time. Pure arithmetic.

A bucket has a number: its start is that many widths after the Unix epoch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
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
    """A bucket of a series: mean watts over the ``seconds`` that are covered.

    Where no source is named, ``parts`` is how many counters are added; of a bucket that is summed
    of finer ones, the fewest that any of them had.
    """

    tags: Tags
    time_ns: int
    watts: float
    seconds: float
    joules: float
    parts: int | None


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
            for number in range(bucket, until + 1):
                inside = min(end, (number + 1) * width_ns) - max(start, number * width_ns)
                share = (high - low) * inside / (end - start)
                joules[number] = joules.get(number, 0.0) + share
                covered[number] = covered.get(number, 0) + inside
        start, low, began = end, high, epoch
    return {
        bucket: Part(joules[bucket], ns / NS_PER_S)
        for bucket, ns in covered.items()
        if first <= bucket <= last
    }


def unknown(
    samples: Iterable[Sequence[Any]], width_ns: int, first: int, last: int
) -> Iterator[int]:
    """The buckets first..last of which one counter's samples show that nothing is known, in all of
    them or a part: it fell or began again there. Without samples nothing is shown."""
    for (start, low, began), (end, high, epoch) in pairwise(samples):
        if (epoch != began or high < low) and end - start <= MOST_APART_NS:
            yield from range(max(first, start // width_ns), min(last, (end - 1) // width_ns) + 1)


def powers(parts: Mapping[Counter, Mapping[int, Part]], width_ns: int) -> Iterator[Power]:
    """Of each host the power of each domain, source and method, devices added; and, without a
    source, the total and what it counts of package, dram and gpu, in which no device counts twice.

    A sum covers the seconds of the part that covers least. Where all cover as much, package, dram
    and gpu without a source add up to the total.
    """
    buckets: dict[tuple[str, int], list[Counter]] = {}
    for counter, of_counter in parts.items():
        for bucket in of_counter:
            buckets.setdefault((counter.host, bucket), []).append(counter)
    for (_, bucket), present in buckets.items():
        held = [parts[counter][bucket] for counter in present]
        for tags, places, counters in _sums(tuple(present)):
            watts = sum(held[place].joules / held[place].seconds for place in places)
            seconds = min(held[place].seconds for place in places)
            yield Power(tags, bucket * width_ns, watts, seconds, watts * seconds, counters)


class _Sum(NamedTuple):
    """A series, which of the counters present it adds up, and their number if it is kept."""

    tags: Tags
    places: Sequence[int]
    parts: int | None


@lru_cache(maxsize=KNOWN_COUNTERS)
def _sums(present: tuple[Counter, ...]) -> tuple[_Sum, ...]:
    """The series that some counters of a host make."""
    shown: dict[Tags, list[int]] = {}
    for place, counter in enumerate(present):
        named = {"host": counter.host, "domain": counter.domain, "source": counter.source,
                 "method": counter.method}  # fmt: skip
        shown.setdefault(make_tags(named), []).append(place)
    counted: dict[str, list[int]] = {}
    for each in pin(each for each in present if each.domain in BOUNDARY_DOMAINS[Boundary.HOST]):
        for domain in (each.domain, TOTAL):
            counted.setdefault(domain, []).append(present.index(each))
    sums = [_Sum(tags, places, None) for tags, places in shown.items()]
    for domain, places in counted.items():
        method = weakest([present[place].method for place in places])
        tags = make_tags({"host": present[0].host, "domain": domain, "method": method})
        sums.append(_Sum(tags, places, len(places)))
    return tuple(sums)


def of_sums(
    tags: Tags, time_ns: int, joules: float, seconds: float, parts: int | None = None
) -> Power:
    """A bucket of ``joules`` used in ``seconds``."""
    return Power(tags, time_ns, joules / seconds, seconds, joules, parts)
