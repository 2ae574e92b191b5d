"""Energy counters as InfluxDB has them, and points of power as it keeps them."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.sample import Sample, Tags
from wattmark_core.series_lines import LineWriter
from wattmark_store.databases import TELEMETRY, Resolution
from wattmark_store.influx_lines import decode, literal, sample_writer
from wattmark_store.influx_queries import Rows, exactly
from wattmark_store.power_buckets import MOST_APART_NS, Counter, Power, of_sums

log = logging.getLogger(__name__)
DELETED_AT_ONCE: Final = 100
MOST_JOULES: Final = 1e15
"""No computer has used so much; sums of less are finite."""
KNOWN_COUNTERS: Final = 10_000
MORE: Final = 1.0
"""Seconds by which one bucket must cover more than another to be the better one."""
Ask = Callable[[str, Sequence[str]], list[Rows]]
Send = Callable[[str, Sequence[str]], None]
Readings = list[Sequence[Any]]
"""Unix ns, joules, epoch of each sample, in time order."""
Bucket = tuple[str, int]
"""A host, and when its bucket begins."""


def first_energy(ask: Ask, start_ns: int, end_ns: int) -> int | None:
    """The time of the first raw counter in [start, end)."""
    statement = f'SELECT "joules" FROM "energy" {_where(start_ns, end_ns, ())} LIMIT 1'
    return min((row.values[0][0] for row in ask(TELEMETRY, [statement])[0]), default=None)


def written(ask: Ask, resolution: Resolution, start_ns: int, end_ns: int) -> Iterator[Bucket]:
    """The hosts' buckets in [start, end) in which there are raw counters."""
    statement = (
        f'SELECT count("joules") FROM "energy" {_where(start_ns, end_ns, ())}'
        f' GROUP BY time({resolution.seconds}s), "host" fill(none)'
    )
    for row in ask(TELEMETRY, [statement])[0]:
        for time_ns, _ in row.values:
            yield dict(row.tags).get("host", ""), time_ns


def hosts(ask: Ask, database: str) -> list[str]:
    """All whose energy is in a database."""
    rows = ask(database, ['SHOW TAG VALUES FROM "energy" WITH KEY = "host"'])[0]
    return [decode(name) for row in rows for _, name in row.values]


def chunks(names: Sequence[str], at_once: int) -> Iterator[Sequence[str]]:
    """As many hosts as one request asks for."""
    return (names[start : start + at_once] for start in range(0, len(names), at_once))


def readings(
    ask: Ask, database: str, names: Sequence[str], start_ns: int, end_ns: int
) -> dict[Counter, Readings]:
    """The energy counters of some hosts in [start, end), and of each the sample before and the one
    after where they are near enough. Samples without joules or epoch are left out, those that no
    counter can have come to, and counters of a domain or method that the catalogue does not know.
    """
    before = _counters(start_ns - MOST_APART_NS, start_ns, names) + " ORDER BY time DESC LIMIT 1"
    inside = _counters(start_ns, end_ns, names)
    after = _counters(end_ns, end_ns + MOST_APART_NS, names) + " ORDER BY time ASC LIMIT 1"
    by_counter: dict[Counter, Readings] = {}
    for rows in ask(database, [before, inside, after]):
        for row in rows:
            counter = _counter(row.tags)
            if counter is not None:
                known = [values for values in row.values if None not in values]
                possible = [values for values in known if -MOST_JOULES < values[1] < MOST_JOULES]
                if len(possible) < len(known):
                    _warn_impossible(counter)
                by_counter.setdefault(counter, []).extend(possible)
    return by_counter


@lru_cache(maxsize=KNOWN_COUNTERS)
def _warn_impossible(counter: Counter) -> None:
    """Logged once for each counter."""
    log.warning(
        "host %s: the %s counter of %s %s reads over %g J; its power leaves out such samples",
        counter.host, counter.source, counter.domain, counter.device, MOST_JOULES,
    )  # fmt: skip


def _counters(start_ns: int, end_ns: int, names: Sequence[str]) -> str:
    return f'SELECT "joules", "epoch" FROM "energy" {_where(start_ns, end_ns, names)} GROUP BY *'


def _where(start_ns: int, end_ns: int, names: Sequence[str]) -> str:
    any_host = " OR ".join(f'"host" = {literal(name)}' for name in names)
    of_hosts = f" AND ({any_host})" if names else ""
    return f"WHERE time >= {start_ns} AND time < {end_ns}{of_hosts}"


def _counter(tags: Tags) -> Counter | None:
    named = dict(tags)
    try:
        return Counter(
            named["host"], Domain(named["domain"]), named.get("device", ""), named["source"],
            Method(named["method"]),
        )  # fmt: skip
    except (KeyError, ValueError):
        return None


def power_writer() -> LineWriter:
    """Writes points of power."""
    return sample_writer(lambda _, field: field == "parts")


class PowerPoints:
    """Points of power in their databases. ``ask`` puts statements to a database, ``send`` writes
    lines into one. All methods raise ``StoreError``."""

    def __init__(self, ask: Ask, send: Send, lines_at_once: int) -> None:
        self.ask = ask
        self._send = send
        self._lines_at_once = lines_at_once
        self._lines = power_writer()

    def replace(
        self, resolution: Resolution, made: Iterable[Power], start_ns: int, end_ns: int,
        names: Sequence[str] = (), nothing: AbstractSet[Bucket] = frozenset(),
    ) -> None:  # fmt: skip
        """Put ``made`` into [start, end) of some hosts, or of all. Then what is stored of the
        same buckets and no longer made, such as a total whose method has changed, is deleted, and
        what is stored of ``nothing``. Of other buckets nothing can be made: they stay as they are.
        """
        fresh = list(made)
        replaced = {_bucket(power.tags, power.time_ns) for power in fresh} | nothing
        stored = self._stored(resolution, start_ns, end_ns, names)
        self._exchange(resolution, fresh, [key for key in stored if _bucket(*key) in replaced])

    def complete(
        self, resolution: Resolution, made: Iterable[Power], start_ns: int, end_ns: int,
        names: Sequence[str],
    ) -> int:  # fmt: skip
        """Put ``made`` where more of a host's bucket is covered by it than by what is stored
        in [start, end); how many points. What was made of finer samples stays so."""
        stored = self._stored(resolution, start_ns, end_ns, names)
        covered = _covered(stored)
        fresh: dict[Bucket, list[Power]] = {}
        for power in made:
            fresh.setdefault(_bucket(power.tags, power.time_ns), []).append(power)
        for bucket, points in list(fresh.items()):
            if sum(point.seconds for point in points) <= covered.get(bucket, -1.0) + MORE:
                del fresh[bucket]
        better = [point for points in fresh.values() for point in points]
        worse = [key for key in stored if _bucket(*key) in fresh]
        self._exchange(resolution, better, worse)
        return len(better)

    def _stored(
        self, resolution: Resolution, start_ns: int, end_ns: int, names: Sequence[str]
    ) -> dict[tuple[Tags, int], float]:
        """The seconds that each point covers."""
        statement = f'SELECT "seconds" FROM "power" {_where(start_ns, end_ns, names)} GROUP BY *'
        rows = self.ask(resolution.database, [statement])[0]
        return {(row.tags, time_ns): seconds for row in rows for time_ns, seconds in row.values}

    def _exchange(
        self, resolution: Resolution, fresh: Sequence[Power], stored: Iterable[tuple[Tags, int]]
    ) -> None:
        for start in range(0, len(fresh), self._lines_at_once):
            some = fresh[start : start + self._lines_at_once]
            self._write(resolution.database, [self._line(power) for power in some])
        written = {(power.tags, power.time_ns) for power in fresh}
        stale = [_delete(*bucket) for bucket in stored if bucket not in written]
        for start in range(0, len(stale), DELETED_AT_ONCE):
            self.ask(resolution.database, stale[start : start + DELETED_AT_ONCE])

    def lacking(
        self, finer: Resolution, coarser: Resolution, start_ns: int, end_ns: int,
        names: Sequence[str],
    ) -> list[Bucket]:  # fmt: skip
        """Hosts' coarser buckets in [start, end) of which the finer ones cover less."""
        stored = _covered(self._stored(coarser, start_ns, end_ns, names))
        summed = self._summed(finer, coarser, start_ns, end_ns, names)
        below = _covered({(power.tags, power.time_ns): power.seconds for power in summed})
        return [key for key, held in stored.items() if held > below.get(key, 0.0) + MORE]

    def sum_up(
        self, resolutions: Sequence[Resolution], start_ns: int, end_ns: int,
        names: Sequence[str] = (), nothing: AbstractSet[Bucket] = frozenset(),
    ) -> None:  # fmt: skip
        """Make the buckets that touch [start, end) of all but the first resolution, each from those
        of the resolution before it that are stored. ``nothing``: buckets of the first resolution
        of which nothing is known, so that a coarser one may have nothing left either."""
        for finer, coarser in pairwise(resolutions):
            start_ns, end_ns = coarser.around(start_ns, end_ns)
            summed = self._summed(finer, coarser, start_ns, end_ns, names)
            nothing = {(host, coarser.around(at_ns, at_ns + 1)[0]) for host, at_ns in nothing}
            self.replace(coarser, summed, start_ns, end_ns, names, nothing)

    def _summed(
        self, finer: Resolution, coarser: Resolution, start_ns: int, end_ns: int,
        names: Sequence[str],
    ) -> list[Power]:  # fmt: skip
        statement = (
            'SELECT sum("joules") AS "joules", sum("seconds") AS "seconds", min("parts") AS "parts"'
            f' FROM "power" {_where(start_ns, end_ns, names)} GROUP BY time({coarser.seconds}s), *'
            " fill(none)"
        )
        rows = self.ask(finer.database, [statement])[0]
        return [of_sums(row.tags, *values) for row in rows for values in row.values]

    def _write(self, database: str, lines: Sequence[str]) -> None:
        try:
            self._send(database, lines)
        except StoreError as error:
            # Those that the server would forget at once anyway; it has taken the others.
            if isinstance(error, StoreUnavailable) or "retention" not in str(error):
                raise

    def _line(self, power: Power) -> str:
        fields = {"watts": power.watts, "seconds": power.seconds, "joules": power.joules}
        parts = {} if power.parts is None else {"parts": power.parts}
        return self._lines.line(Sample("power", power.tags, fields | parts, power.time_ns))


def _covered(points: Mapping[tuple[Tags, int], float]) -> dict[Bucket, float]:
    """Seconds of each host's bucket, over all its series."""
    covered: dict[Bucket, float] = {}
    for (tags, time_ns), seconds in points.items():
        bucket = _bucket(tags, time_ns)
        covered[bucket] = covered.get(bucket, 0.0) + seconds
    return covered


def _bucket(tags: Tags, time_ns: int) -> Bucket:
    return dict(tags)["host"], time_ns


def _delete(tags: Tags, time_ns: int) -> str:
    conditions = [f"time = {time_ns}", *exactly(tags, ("source",))]
    return f'DELETE FROM "power" WHERE {" AND ".join(conditions)}'
