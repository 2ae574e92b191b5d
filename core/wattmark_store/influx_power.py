"""Power stored ready in InfluxDB: made from energy counters by the program that writes them."""

import logging
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.sample import AnySample
from wattmark_core.series_lines import PlainLine
from wattmark_core.units import NS_PER_S
from wattmark_store.databases import POWER, TELEMETRY
from wattmark_store.influx_look_back import ALL_SEEN, pieces
from wattmark_store.influx_power_points import (
    Bucket,
    PowerPoints,
    Readings,
    chunks,
    first_energy,
    readings,
    written,
)
from wattmark_store.power_buckets import Counter, powers, spread, unknown

log = logging.getLogger(__name__)
FINEST, MINUTE = POWER[:2]
COMPLETE_NS: Final = 10 * NS_PER_S
"""A bucket is made this long after its end: until then a host's samples of one exporter may have
arrived and those of another not."""
RING_NS: Final = 660 * NS_PER_S
"""How late samples may come from an exporter's ring of 10 minutes, rounded up."""
KEPT_NS: Final = 14 * 86_400 * NS_PER_S - 3600 * NS_PER_S
"""Older ones the server may forget while they are made."""
FIRST_NS: Final = 3600 * NS_PER_S
"""How far back the first collector that makes power goes; ``back-fill`` does what was before."""
AT_ONCE: Final = 12
HOSTS_AT_ONCE: Final = 8
"""Buckets and hosts in one step, which bounds its time and the memory."""
Due = tuple[str, int]
"""A host, and the number of a bucket of the finest power."""


class PowerRollUp:
    """Which buckets were written to, and their power. Threads may share it."""

    def __init__(self, points: PowerPoints) -> None:
        self._points = points
        self._ask = points.ask
        self._touched: set[Due] = set()
        self._lock = threading.Lock()
        self._unseen: int | None = None
        """From which bucket on to look for what a collector before this one left; None at first."""
        self._refused: set[str] = set()

    def touch(self, samples: Sequence[AnySample]) -> None:
        """Note the buckets of samples that were written."""
        width_ns = FINEST.width_ns
        forms = {
            (sample.form, sample.time_ns // width_ns)
            for sample in samples
            if isinstance(sample, PlainLine)
        }
        series = {(form.tags, bucket) for form, bucket in forms if form.measurement == "energy"}
        series |= {
            (sample.tags, sample.time_ns // width_ns) for sample in samples
            if not isinstance(sample, PlainLine) and sample.measurement == "energy"
        }  # fmt: skip
        with self._lock:
            self._touched |= {(dict(tags).get("host", ""), bucket) for tags, bucket in series}

    def rolling_up(self, now_ns: int) -> Iterator[None]:
        """Make the buckets that are over, and the coarser ones that they are part of; oldest first,
        in steps of a few hosts and minutes. That the server refuses a host's power for good is
        logged once. Raises ``StoreUnavailable``, and then, or if it is not gone through, what is
        not made yet stays due."""
        over = (now_ns - COMPLETE_NS) // FINEST.width_ns
        oldest = (now_ns - KEPT_NS) // FINEST.width_ns
        if self._unseen is None:
            self._unseen = self._first_unmade(now_ns)
        for piece in pieces(self._unseen, over, AT_ONCE, self._first_written):
            self._touch_written(piece)
            self._unseen = piece.stop
            yield from self._make_due(oldest, piece.stop, over)
        self._unseen = ALL_SEEN
        yield from self._make_due(oldest, over, over)

    def _first_unmade(self, now_ns: int) -> int:
        recent = f"time > {now_ns - KEPT_NS} AND time <= {now_ns}"
        newest = f'SELECT "watts" FROM "power" WHERE {recent} ORDER BY time DESC LIMIT 1'
        made = [row.values[0][0] for row in self._ask(FINEST.database, [newest])[0]]
        since_ns = max(made) - RING_NS if made else now_ns - FIRST_NS
        return since_ns // FINEST.width_ns

    def _first_written(self, start: int, end: int) -> int | None:
        width_ns = FINEST.width_ns
        first_ns = first_energy(self._ask, start * width_ns, end * width_ns)
        return None if first_ns is None else first_ns // width_ns

    def _touch_written(self, piece: range) -> None:
        width_ns = FINEST.width_ns
        buckets = written(self._ask, FINEST, piece.start * width_ns, piece.stop * width_ns)
        with self._lock:
            self._touched |= {(host, time_ns // width_ns) for host, time_ns in buckets}

    def _make_due(self, oldest: int, until: int, over: int) -> Iterator[None]:
        """The buckets that are due before ``until``."""
        with self._lock:
            due = {touched for touched in self._touched if touched[1] < until}
            self._touched -= due
        due = {touched for touched in due if touched[0] and touched[1] > oldest}
        try:
            for names, run in list(_runs(due)):
                yield from self._make_or_log(names, run, over - 1)
                due -= {(name, bucket) for name in names for bucket in run}
        finally:
            with self._lock:
                self._touched |= due

    def _make_or_log(self, names: Sequence[str], run: range, newest: int) -> Iterator[None]:
        """If the server refuses it for good, the hosts whose fault it is not are made by
        themselves."""
        try:
            self._make(names, run, newest)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(names) == 1:
                self._log(names[0], error)
            else:
                for some in chunks(names, (len(names) + 1) // 2):
                    yield from self._make_or_log(some, run, newest)
        else:
            self._refused.difference_update(names)
        yield

    def _log(self, host: str, error: StoreError) -> None:
        if host not in self._refused:
            log.error("host %s has no power, which is left out: %s", host, error)
        self._refused.add(host)

    def _make(self, names: Sequence[str], run: range, newest: int) -> None:
        """The buckets of a run and the one on each side: of these a sample may have changed a part.
        Where the neighbouring sample of a host is further away, what lies between as well."""
        start, end = run.start - 1, min(run.stop, newest)
        by_counter = self._read(names, start, end)
        nothing = self._put(by_counter, names, start, end)
        further: dict[str, range] = {}
        for counter, samples in by_counter.items():
            reach = _reach(samples, start, end)
            known = further.get(counter.host, reach)
            joined = range(min(known.start, reach.start), max(known.stop, reach.stop))
            further[counter.host] = joined
        lowest, highest = start, end
        for host, reach in further.items():
            for low, high in ((reach.start, start - 1), (end + 1, min(reach.stop - 1, newest))):
                if low <= high:
                    nothing |= self._put(self._read([host], low, high), [host], low, high)
                    lowest, highest = min(lowest, low), max(highest, high)
        span = lowest * FINEST.width_ns, (highest + 1) * FINEST.width_ns
        nothing |= self._make_whole(*MINUTE.around(*span), names, newest)
        self._points.sum_up(POWER, *span, names, nothing)

    def _make_whole(
        self, start_ns: int, end_ns: int, names: Sequence[str], newest: int
    ) -> set[Bucket]:
        """All buckets of minutes that back-fill made, of which there would be a part only."""
        nothing: set[Bucket] = set()
        for host, minute_ns in self._points.lacking(FINEST, MINUTE, start_ns, end_ns, names):
            first = minute_ns // FINEST.width_ns
            last = min(first + MINUTE.seconds // FINEST.seconds - 1, newest)
            nothing |= self._put(self._read([host], first, last), [host], first, last)
        return nothing

    def _read(self, names: Sequence[str], first: int, last: int) -> dict[Counter, Readings]:
        width_ns = FINEST.width_ns
        return readings(self._ask, TELEMETRY, names, first * width_ns, (last + 1) * width_ns)

    def _put(
        self, by_counter: Mapping[Counter, Readings], names: Sequence[str], first: int, last: int
    ) -> set[Bucket]:
        """Buckets first..last. Returns the hosts' buckets of which some counter shows that
        nothing is known."""
        width_ns = FINEST.width_ns
        parts = {
            counter: spread(samples, width_ns, first, last)
            for counter, samples in by_counter.items()
        }
        nothing = {
            (counter.host, bucket * width_ns) for counter, samples in by_counter.items()
            for bucket in unknown(samples, width_ns, first, last)
        }  # fmt: skip
        span = first * width_ns, (last + 1) * width_ns
        self._points.replace(FINEST, powers(parts, width_ns), *span, names, nothing)
        return nothing


def _runs(due: Iterable[Due]) -> Iterator[tuple[Sequence[str], range]]:
    """A few hosts each, and buckets that follow one another, oldest first; some host of them is due
    in each."""
    buckets: dict[int, set[str]] = {}
    for host, bucket in due:
        buckets.setdefault(bucket, set()).add(host)
    ordered = sorted(buckets)
    while ordered:
        run = range(ordered[0], ordered[0] + _run(ordered))
        names = sorted(set[str]().union(*(buckets[bucket] for bucket in run)))
        for some in chunks(names, HOSTS_AT_ONCE):
            yield some, run
        del ordered[: len(run)]


def _run(ordered: Sequence[int]) -> int:
    """How many of the first buckets follow one another, as far as one step takes them."""
    count = 1
    while count < min(AT_ONCE, len(ordered)) and ordered[count] == ordered[0] + count:
        count += 1
    return count


def _reach(samples: Readings, start: int, end: int) -> range:
    """The buckets over which a counter's samples in start..end may have changed the power: as far
    as its neighbours before and after, where the buckets at the edges have none of it."""
    width_ns = FINEST.width_ns
    low = bisect_left(samples, start * width_ns, key=itemgetter(0))
    high = bisect_left(samples, (end + 1) * width_ns, key=itemgetter(0)) - 1
    if low > high:
        return range(start, end + 1)
    first, last = samples[low][0] // width_ns, samples[high][0] // width_ns
    if first > start:
        first = min(start, samples[max(0, low - 1)][0] // width_ns)
    if last < end:
        last = max(end, samples[min(len(samples) - 1, high + 1)][0] // width_ns)
    return range(first, last + 1)
