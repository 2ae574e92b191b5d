"""Power stored ready in InfluxDB: made from energy counters by whoever writes the samples."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from wattmark_core.sample import Sample
from wattmark_core.units import NS_PER_S
from wattmark_store.databases import POWER, TELEMETRY
from wattmark_store.influx_power_points import PowerPoints, Readings, chunks, hosts, readings
from wattmark_store.power_buckets import Counter, powers, spread

FINEST, MINUTE = POWER[:2]
SETTLE_NS: Final = 10 * NS_PER_S
"""A bucket is made when it has been over for so long: until then a host's samples of one exporter
may be there and those of another not."""
RING_NS: Final = 660 * NS_PER_S
"""How late samples may come from an exporter's ring of 10 minutes, rounded up."""
KEPT_NS: Final = 14 * 86_400 * NS_PER_S - 3600 * NS_PER_S
"""Older ones the server may forget while they are made."""
FIRST_NS: Final = 3600 * NS_PER_S
"""How far back the first collector that makes power goes; ``back-fill`` does what was before."""
AT_ONCE: Final = 12
HOSTS_AT_ONCE: Final = 8
"""Buckets and hosts in one request, which bounds the memory."""


class PowerRollUp:
    """Which buckets were written to, and their power. Threads may share it."""

    def __init__(self, points: PowerPoints) -> None:
        self._points = points
        self._ask = points.ask
        self._touched: set[int] = set()
        self._lock = threading.Lock()
        self._started = False

    def touch(self, samples: Iterable[Sample]) -> None:
        """These samples were written."""
        width_ns = FINEST.width_ns
        buckets = {each.time_ns // width_ns for each in samples if each.measurement == "energy"}
        with self._lock:
            self._touched |= buckets

    def roll_up(self, now_ns: int) -> None:
        """Make the buckets that are over, and the coarser ones that they are part of. Raises
        ``StoreError``, and then the buckets that are not made yet stay due."""
        over = (now_ns - SETTLE_NS) // FINEST.width_ns
        oldest = (now_ns - KEPT_NS) // FINEST.width_ns
        if not self._started:
            unmade = self._unmade(now_ns, over)
            with self._lock:
                self._touched.update(unmade)
            self._started = True
        with self._lock:
            due = sorted(bucket for bucket in self._touched if oldest < bucket < over)
            self._touched = {bucket for bucket in self._touched if bucket >= over}
        try:
            names = hosts(self._ask, TELEMETRY) if due else []
            while due:
                count = _run(due)
                self._make(names, due[0], due[count - 1], over - 1)
                del due[:count]
        finally:
            with self._lock:
                self._touched.update(due)

    def _unmade(self, now_ns: int, over: int) -> range:
        """What a collector before this one may have written and not made."""
        recent = f"time > {now_ns - KEPT_NS} AND time <= {now_ns}"
        newest = f'SELECT "watts" FROM "power" WHERE {recent} ORDER BY time DESC LIMIT 1'
        for row in self._ask(FINEST.database, [newest])[0]:
            return range((row.values[0][0] - RING_NS) // FINEST.width_ns, over)
        since = f"time >= {now_ns - FIRST_NS} AND time <= {now_ns}"
        first = f'SELECT "joules" FROM "energy" WHERE {since} ORDER BY time ASC LIMIT 1'
        for row in self._ask(TELEMETRY, [first])[0]:
            return range(row.values[0][0] // FINEST.width_ns, over)
        return range(0)

    def _make(self, names: Sequence[str], first: int, last: int, newest: int) -> None:
        """Buckets first..last and the one on each side: of these a sample may have changed a part.
        Where the neighbouring sample of a host is further away, what lies between as well."""
        start, end = first - 1, min(last + 1, newest)
        further: dict[str, range] = {}
        for some in chunks(names, HOSTS_AT_ONCE):
            found = self._read(some, start, end)
            self._put(found, some, start, end)
            for counter, samples in found.items():
                reach = _reach(samples, start, end)
                known = further.get(counter.host, reach)
                joined = range(min(known.start, reach.start), max(known.stop, reach.stop))
                further[counter.host] = joined
        lowest, highest = start, end
        for host, reach in further.items():
            for low, high in ((reach.start, start - 1), (end + 1, min(reach.stop - 1, newest))):
                if low <= high:
                    self._put(self._read([host], low, high), [host], low, high)
                    lowest, highest = min(lowest, low), max(highest, high)
        span = lowest * FINEST.width_ns, (highest + 1) * FINEST.width_ns
        self._make_whole(*MINUTE.around(*span), newest)
        self._points.sum_up(POWER, *span)

    def _make_whole(self, start_ns: int, end_ns: int, newest: int) -> None:
        """All buckets of minutes that back-fill made, of which there would be a part only."""
        for host, minute_ns in self._points.lacking(FINEST, MINUTE, start_ns, end_ns):
            first = minute_ns // FINEST.width_ns
            last = min(first + MINUTE.seconds // FINEST.seconds - 1, newest)
            self._put(self._read([host], first, last), [host], first, last)

    def _read(self, names: Sequence[str], first: int, last: int) -> dict[Counter, Readings]:
        width_ns = FINEST.width_ns
        return readings(self._ask, TELEMETRY, names, first * width_ns, (last + 1) * width_ns)

    def _put(
        self, found: Mapping[Counter, Readings], names: Sequence[str], first: int, last: int
    ) -> None:
        width_ns = FINEST.width_ns
        parts = {
            counter: spread(samples, width_ns, first, last) for counter, samples in found.items()
        }
        span = first * width_ns, (last + 1) * width_ns
        self._points.replace(FINEST, powers(parts, width_ns), *span, names)


def _run(due: Sequence[int]) -> int:
    """How many of the first buckets follow one another, as far as one request takes them."""
    count = 1
    while count < min(AT_ONCE, len(due)) and due[count] == due[0] + count:
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
