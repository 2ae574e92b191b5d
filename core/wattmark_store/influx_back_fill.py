"""Power of a time before a collector made it, from the counters at one minute."""

from collections.abc import Iterator, Sequence
from typing import Final

from wattmark_core.units import NS_PER_S
from wattmark_store.databases import POWER, TELEMETRY_1M
from wattmark_store.influx_power_points import PowerPoints, chunks, hosts, readings
from wattmark_store.power_buckets import powers, spread
from wattmark_store.protocol import FilledDay

DAY_NS: Final = 86_400 * NS_PER_S
MINUTE: Final = POWER[1]
HOUR: Final = POWER[-1]
HOSTS_AT_ONCE: Final = 4


def back_fill(
    points: PowerPoints, now_ns: int, since_ns: int | None, *, older: bool
) -> Iterator[FilledDay]:
    """Make power at 1 minute, 10 minutes and 1 hour of what ``telemetry_1m`` holds from
    ``since_ns`` on, newest day first; ``older``: from the first day of which there is power at one
    hour back, which may be a part of it. Raises ``StoreError``.

    A host's minute that is there already and covers as much stays as it is, so that doing it again
    changes nothing, and what was made of finer samples is kept. Memory is bounded by a day of a
    few hosts. Not power at 10 s: of that the counters at one minute know nothing.
    """
    energy = _first(points, TELEMETRY_1M, 'SELECT "joules" FROM "energy"', now_ns)
    first_ns = energy if since_ns is None else since_ns
    power_ns = _first(points, HOUR.database, 'SELECT "watts" FROM "power"', now_ns)
    last_ns = power_ns if older and power_ns is not None else now_ns
    if first_ns is None or last_ns <= first_ns:
        return
    names = hosts(points.ask, TELEMETRY_1M)
    days = range(last_ns // DAY_NS, first_ns // DAY_NS - 1, -1)
    for done, day in enumerate(days, 1):
        start_ns, end_ns = day * DAY_NS, min((day + 1) * DAY_NS, now_ns)
        start_ns = max(start_ns, first_ns // MINUTE.width_ns * MINUTE.width_ns)
        made = sum(_fill(points, some, start_ns, end_ns) for some in chunks(names, HOSTS_AT_ONCE))
        points.sum_up(POWER[1:], start_ns, end_ns)
        yield FilledDay(day * DAY_NS, made, done, len(days))


def _fill(points: PowerPoints, names: Sequence[str], start_ns: int, end_ns: int) -> int:
    width_ns = MINUTE.width_ns
    first, last = start_ns // width_ns, (end_ns - 1) // width_ns
    samples_of = readings(points.ask, TELEMETRY_1M, names, start_ns, end_ns)
    parts = {counter: spread(rows, width_ns, first, last) for counter, rows in samples_of.items()}
    made = powers(parts, width_ns)
    return points.complete(MINUTE, made, start_ns, end_ns, names)


def _first(points: PowerPoints, database: str, select: str, now_ns: int) -> int | None:
    """When the first point is."""
    statement = f"{select} WHERE time <= {now_ns} ORDER BY time ASC LIMIT 1"
    rows = points.ask(database, [statement])[0]
    return min((row.values[0][0] for row in rows), default=None)
