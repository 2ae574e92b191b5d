"""Which of a target's series are taken: bounded in number and in their names, and its own."""

from collections.abc import Iterable, Iterator
from typing import Final

from wattmark_collector.left_out import LeftOut
from wattmark_collector.page_line import MOST_LABELS, MOST_NAME, MOST_SERIES
from wattmark_collector.series_ownership import GPU, Owner, SeriesOwnership
from wattmark_collector.targets import SERIES_LIMIT
from wattmark_core.clock import Clock
from wattmark_core.printable import quoted, unprintable
from wattmark_core.sample import AnySample, Sample, Tags
from wattmark_core.series_lines import PlainLine
from wattmark_core.units import seconds_to_ns

LIFE_NS: Final = seconds_to_ns(3600.0)
"""A series that has not come for so long gives its place to another."""
RENEW_NS: Final = seconds_to_ns(10.0)
OWN: Final = frozenset({"target", "collector", "window", "score"})
"""Measurements of the collector itself, and of the results."""
_ALL: Final[frozenset[str]] = frozenset()


class Admission:
    """One target's. ``limit``: series within an hour. Without ``ownership`` all are its own.

    What is left out is counted, but for gauges of a GPU that a Wattmark exporter gives as well:
    that is no fault of dcgm-exporter's.
    """

    def __init__(
        self, left_out: LeftOut, clock: Clock, ownership: SeriesOwnership | None = None,
        limit: int = SERIES_LIMIT,
    ) -> None:  # fmt: skip
        self._left_out = left_out
        self._clock = clock
        self._ownership = ownership
        self._limit = limit
        self._seen_ns: dict[tuple[str, Tags], int] = {}
        self._known: dict[object, frozenset[str] | None] = {}
        """Of a form of lines, or of a series: the fields that are refused; None: all."""
        self._renewed_ns = 0
        self._owner: Owner | None = None

    def taken(self, samples: Iterable[AnySample], owner: Owner) -> Iterator[AnySample]:
        """The samples that are taken, without fields that are another target's."""
        now_ns = self._clock.monotonic_ns()
        if owner != self._owner or now_ns - self._renewed_ns > RENEW_NS:
            self._known.clear()
            self._owner, self._renewed_ns = owner, now_ns
        known = self._known
        for sample in samples:
            key = sample[0] if isinstance(sample, PlainLine) else _key(sample)
            if key in known:
                refused = known[key]
            else:
                refused = known[key] = self._decide(sample, owner, now_ns)
            if refused is _ALL:
                yield sample
            else:
                self._left_out.count += sample.measurement != GPU or bool(owner.instance)
                if refused is not None:
                    fields = {n: v for n, v in sample.fields.items() if n not in refused}
                    yield Sample(sample.measurement, sample.tags, fields, sample.time_ns)

    def _decide(self, sample: AnySample, owner: Owner, now_ns: int) -> frozenset[str] | None:
        """The fields that are refused; None: all. Tells of it."""
        measurement, tags = sample.measurement, sample.tags
        reason = _cannot_be(sample)
        if reason is None and not self._has_room((measurement, tags), now_ns):
            reason = f"is over {self._limit} series within an hour; series_limit sets this bound"
        if reason is not None:
            name = f"{quoted(measurement, MOST_NAME)} {reason}"
            self._left_out.add(name, f"measurement {name} and is left out", 0)
            return None
        if self._ownership is None:
            return _ALL
        refused = self._ownership.take(owner, [(measurement, tags, name) for name in sample.fields])
        if not refused:
            return _ALL
        host = dict(tags).get("host", "")
        for other in sorted(set(refused.values())):
            names = ", ".join(sorted(name for name, url in refused.items() if url == other))
            self._left_out.add(
                f"owned {measurement} {host} {other}",
                f"{measurement} ({names}) of host {quoted(host)} is left out, it is given by"
                f" {other}; drop one of the two targets, or give it another host label",
                0,
            )
        return None if len(refused) == len(sample.fields) else frozenset(refused)

    def _has_room(self, series: tuple[str, Tags], now_ns: int) -> bool:
        seen_ns = self._seen_ns
        if series not in seen_ns and len(seen_ns) >= self._limit:
            oldest = next(iter(seen_ns))
            if now_ns - seen_ns[oldest] < LIFE_NS:
                return False
            del seen_ns[oldest]
        seen_ns.pop(series, None)  # the dictionary stays in the order of last sight
        seen_ns[series] = now_ns
        return True


def _key(sample: AnySample) -> object:
    return sample.measurement, sample.tags, tuple(sample.fields)


def _cannot_be(sample: AnySample) -> str | None:
    """What is wrong with a series' names; None if nothing is."""
    measurement, tags, fields = sample.measurement, sample.tags, sample.fields
    if measurement in OWN:
        return "belongs to the collector"
    names = [measurement, *fields, *(name for name, _ in tags)]
    for name in names:
        odd = unprintable(name)
        if odd is not None:
            return f"has a name with {odd}, which cannot be printed,"
        if len(name) > MOST_NAME:
            return f"has a name of over {MOST_NAME} characters"
    if len(tags) > MOST_LABELS:
        return f"has over {MOST_LABELS} tags"
    size = len(measurement) + sum(len(name) + len(value) for name, value in tags)
    return f"has tags of over {MOST_SERIES} characters" if size > MOST_SERIES else None
