"""One-minute values in InfluxDB, made by the program that writes the samples (2.x cannot).

A row is stamped with the last sample of its minute, and holds the last value of counters (with the
epoch), mean and largest of gauges, as in SQLite.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from wattmark_core.sample import AnySample, Sample, Tags
from wattmark_core.units import NS_PER_S
from wattmark_store.influx_lines import decode, from_measurement
from wattmark_store.influx_look_back import ALL_SEEN, pieces
from wattmark_store.influx_queries import Row, Rows, Span, condensed, exactly, latest

MINUTE_NS: Final = 60 * NS_PER_S
RING_MINUTES: Final = 11
"""How late samples may come from an exporter's ring of 10 minutes, rounded up."""
KEPT_MINUTES: Final = 14 * 24 * 60
AT_ONCE: Final = 1
"""Minutes in one step: of a large fleet each takes a while."""
Ask = Callable[[str, Sequence[str]], list[Rows]]
Put = Callable[[Sequence[Sample], Sequence[str]], None]


class Minutes:
    """Which minutes were written to, and their values. Threads may share it.

    ``ask`` puts statements to a database, ``put`` writes samples into ``telemetry_1m`` and then
    carries out statements that delete what they replace.
    """

    def __init__(self, ask: Ask, put: Put) -> None:
        self._ask = ask
        self._put = put
        self._touched: set[int] = set()
        self._lock = threading.Lock()
        self._unseen: int | None = None
        """From which minute on to look for what a collector before this one left; None at first."""

    def touch(self, samples: Iterable[AnySample]) -> None:
        """Note the minutes of samples that were written."""
        minutes = {sample.time_ns // MINUTE_NS for sample in samples}
        with self._lock:
            self._touched |= minutes

    def rolling_up(self, now_ns: int) -> Iterator[int]:
        """Make the values of minutes that are over, a few minutes in a step, oldest first; how many
        each made. Raises ``StoreError``, and then, or if it is not gone through, the minutes that
        are not made yet stay due."""
        now = now_ns // MINUTE_NS
        if self._unseen is None:
            self._unseen = self._first_unmade(now)
        for piece in pieces(self._unseen, now, AT_ONCE, self._first_written):
            with self._lock:
                self._touched |= set(piece)
            self._unseen = piece.stop
            yield from self._make_due(now - KEPT_MINUTES, piece.stop)
        self._unseen = ALL_SEEN
        yield from self._make_due(now - KEPT_MINUTES, now)

    def _make_due(self, oldest: int, until: int) -> Iterator[int]:
        """The minutes that are due before ``until``."""
        with self._lock:
            due = sorted(minute for minute in self._touched if oldest < minute < until)
            self._touched = {minute for minute in self._touched if minute >= until}
        try:
            while due:
                made = self._make(due[:AT_ONCE])
                del due[:AT_ONCE]
                yield made
        finally:
            with self._lock:
                self._touched.update(due)

    def _first_unmade(self, now: int) -> int:
        oldest = now - KEPT_MINUTES
        recent = f"time > {oldest * MINUTE_NS}"
        newest = f"SELECT * FROM /.*/ WHERE {recent} ORDER BY time DESC LIMIT 1"
        made = [row.values[0][0] for row in self._ask("telemetry_1m", [newest])[0]]
        return max(made) // MINUTE_NS - RING_MINUTES if made else oldest

    def _first_written(self, start: int, end: int) -> int | None:
        within = f"time >= {start * MINUTE_NS} AND time < {end * MINUTE_NS}"
        first = f"SELECT * FROM /.*/ WHERE {within} ORDER BY time ASC LIMIT 1"
        times = [row.values[0][0] for row in self._ask("telemetry", [first])[0]]
        return min(times) // MINUTE_NS if times else None

    def _make(self, minutes: Sequence[int]) -> int:
        names = [decode(row[0]) for series in self._ask("telemetry", ["SHOW MEASUREMENTS"])[0]
                 for row in series.values]  # fmt: skip
        spans = [
            Span(name, minute * MINUTE_NS, (minute + 1) * MINUTE_NS - 1, {})
            for name in names for minute in minutes
        ]  # fmt: skip
        values = self._ask("telemetry", [
            f"SELECT last(*), mean(*), max(*) {span} GROUP BY *" for span in spans
        ])  # fmt: skip
        lasts = self._ask("telemetry", [latest(span) for span in spans])
        stored = self._ask("telemetry_1m", [f"SELECT * {span} GROUP BY *" for span in spans])
        made: list[Sample] = []
        stale: list[str] = []
        for span, of_values, of_lasts, of_stored in zip(spans, values, lasts, stored, strict=True):
            fresh = list(_samples(span, of_values, of_lasts))
            made += fresh
            stale += _stale(span, fresh, of_stored)
        self._put(made, stale)
        return len(made)


def _samples(span: Span, values: Rows, lasts: Rows) -> Iterable[Sample]:
    times = {row.tags: row.values[0][0] for row in lasts}
    for row in values:
        for record in row.records():
            fields = condensed(span.measurement, record, largest=True)
            yield Sample(span.measurement, row.tags, fields, times[row.tags])


def _stale(span: Span, fresh: Sequence[Sample], stored: Sequence[Row]) -> Iterable[str]:
    """Rows that late samples have overtaken: they had another last sample."""
    stamps: dict[Tags, int] = {sample.tags: sample.time_ns for sample in fresh}
    names = {name for tags in (*stamps, *(row.tags for row in stored)) for name, _ in tags}
    for row in stored:
        for record in row.records():
            if row.tags in stamps and record["time"] != stamps[row.tags]:
                conditions = [f"time = {record['time']}", *exactly(row.tags, names)]
                source = from_measurement(span.measurement)
                yield f"DELETE {source} WHERE {' AND '.join(conditions)}"
