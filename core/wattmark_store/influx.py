"""The store in InfluxDB: 2.7, and 1.6 or later, over ``/write`` and ``/query`` (InfluxQL)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from wattmark_core.errors import SamplesRefused, StoreError
from wattmark_core.results import Phase, Score, Window
from wattmark_core.sample import AnySample, Sample
from wattmark_store import influx_queries as queries
from wattmark_store import influx_results as results
from wattmark_store import influx_views as views
from wattmark_store.databases import RESULTS, TELEMETRY, TELEMETRY_1M
from wattmark_store.influx_back_fill import back_fill
from wattmark_store.influx_connection import InfluxConnection
from wattmark_store.influx_errors import MalformedLines
from wattmark_store.influx_lines import InfluxPoint, sample_writer, score_point, window_point
from wattmark_store.influx_minutes import Minutes
from wattmark_store.influx_passing import Passing
from wattmark_store.influx_power import PowerRollUp
from wattmark_store.influx_power_points import PowerPoints
from wattmark_store.influx_url import InfluxLocation
from wattmark_store.protocol import Aggregate, FilledDay, SeriesData, ViewPoint
from wattmark_store.selection import Selection
from wattmark_store.storable import parted, refusal, unstorable

BATCH_LINES: Final = 5_000


class InfluxStore(InfluxConnection):
    """``protocol.Store``, ``Maintained`` and ``Showing`` on an InfluxDB server. Threads may share
    it.

    Nothing is asked of the server before the first call, which raises ``StoreUnavailable`` if
    it does not answer or refuses the user, and ``StoreError`` if it will never take what it was
    given.
    """

    def __init__(self, location: InfluxLocation) -> None:
        super().__init__(location)
        self._lines = Passing()
        self._minute_lines = sample_writer(queries.is_minute_integer)
        self._minutes = Minutes(self.ask, self._put_minutes)
        self._power_points = PowerPoints(self.ask, self._send, BATCH_LINES)
        self._power = PowerRollUp(self._power_points)

    def write(self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "") -> int:
        """See the protocol. InfluxDB keeps no cursors: the collector's spool does."""
        count, rest = 0, iter(samples)
        refused: list[AnySample] = []
        first: SamplesRefused | None = None
        while batch := list(islice(rest, BATCH_LINES)):
            try:
                self._write(batch)
            except SamplesRefused as error:
                refused += error.samples
                first = first or error
            count += len(batch)
        if first is not None:
            raise SamplesRefused(str(first), refused) from first.__cause__
        return count

    def _write(self, samples: Sequence[AnySample]) -> None:
        """Raises ``SamplesRefused`` once all others are written."""
        batch, refused = samples, list[AnySample]()
        try:
            lines = _encodable(self._lines.lines(batch))
        except (OverflowError, ValueError):  # of numbers too long to be written, and of text
            batch, refused = parted(samples)
            lines = _encodable(self._lines.lines(batch))
        try:
            self._send(TELEMETRY, lines)
        except MalformedLines as error:
            bad = [sample for sample in batch if set(self._lines.lines([sample])) & error.lines]
            if not bad:
                raise
            said = self._refusal(bad) if unstorable(bad[0]) else error
            raise SamplesRefused(str(said), [*bad, *refused]) from error.__cause__
        finally:  # of a batch that is refused, a part may be written
            self._minutes.touch(batch)
            self._power.touch(batch)
        if refused:
            raise self._refusal(refused)

    def _refusal(self, samples: Sequence[AnySample]) -> SamplesRefused:
        return refusal(f"InfluxDB at {self.location.url}", samples)

    def cursor(self, target: str) -> str:
        """Always empty: see ``write``."""
        return ""

    def edges(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str],
        *, neighbours: int = 8,
    ) -> list[SeriesData]:  # fmt: skip
        """See the protocol."""
        statements = queries.edges(measurement, start_ns, end_ns, tags, neighbours)
        answers = self.ask(TELEMETRY, statements)
        return queries.nearest(measurement, answers, start_ns, end_ns, neighbours)

    def aggregate(
        self, measurement: str, field: str, start_ns: int, end_ns: int, tags: Mapping[str, str]
    ) -> list[Aggregate]:
        """See the protocol. A series without a value in the window is left out."""
        statements = queries.aggregates(measurement, field, start_ns, end_ns, tags)
        return queries.read_aggregates(measurement, field, self.ask(TELEMETRY, statements))

    def series(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str],
        *, points: int | None = None,
    ) -> list[SeriesData]:  # fmt: skip
        """See the protocol. ``NAME_1m``: the one-minute values of NAME."""
        span = queries.Span(measurement, start_ns, end_ns, tags)
        series = self._series(TELEMETRY, span, points)
        name = measurement.removesuffix("_1m")
        if series or name == measurement:
            return series
        return self._series(TELEMETRY_1M, replace(span, measurement=name), points)

    def select(self, selections: Sequence[Selection]) -> list[list[SeriesData]]:
        """See the protocol."""
        answers = self.ask(TELEMETRY, [queries.every(queries.span_of(s)) for s in selections])
        return [queries.read(s.measurement, [a]) for s, a in zip(selections, answers, strict=True)]

    def _series(self, database: str, span: queries.Span, points: int | None) -> list[SeriesData]:
        minute = database == TELEMETRY_1M
        if points is not None:
            counted = self.ask(database, [queries.count(span)])
            if queries.most(counted) > points:
                answers = self.ask(database, queries.thinned(span, points))
                return queries.read_thinned(span, answers, minute=minute)
        return queries.read(span.measurement, self.ask(database, [queries.every(span)]), minute)

    def put_window(self, window: Window) -> None:
        """See the protocol."""
        self._put(window_point(window))
        self._send(RESULTS, [point.line() for point in views.phase_points(window)])

    def put_score(self, score: Score) -> None:
        """See the protocol."""
        self._put(score_point(score))

    def put_shown_score(self, score: Score, extras: Mapping[str, str | int]) -> None:
        """See ``protocol.Showing``."""
        self._put(score_point(score, extras))

    def keep_scores(self, run_id: str, scores: Sequence[Score]) -> None:
        """See the protocol."""
        (held,) = self.ask(RESULTS, [results.of_run(run_id)])
        self.ask(RESULTS, list(results.others(held, [score_point(score) for score in scores])))

    def energy_scores(self, workload: str, formula: str) -> list[Score]:
        """See ``protocol.Showing``."""
        return results.read_scores(self.ask(RESULTS, [views.energy_scores(workload, formula)]))

    def show(self, measurement: str, owner: Mapping[str, str], points: Sequence[ViewPoint]) -> None:
        """See ``protocol.Showing``."""
        shown = views.Views(partial(self.ask, RESULTS), partial(self._send, RESULTS))
        shown.show(measurement, owner, points)

    def windows(
        self, *, start_ns: int | None = None, end_ns: int | None = None, host: str = "",
        run_id: str = "", phase: Phase | None = None,
    ) -> list[Window]:  # fmt: skip
        """See the protocol."""
        filters = {"host": host, "run_id": run_id, "phase": "" if phase is None else str(phase)}
        answers = self.ask(RESULTS, [results.windows(start_ns, end_ns, filters)])
        return results.read_windows(answers)

    def scores(self, *, host: str = "", run_id: str = "", workload: str = "") -> list[Score]:
        """See the protocol."""
        filters = {"host": host, "run_id": run_id, "workload": workload}
        return results.read_scores(self.ask(RESULTS, [results.scores(filters)]))

    def roll_up(self, now_ns: int) -> int:
        """See the protocol."""
        return sum(self.rolling_up(now_ns))

    def rolling_up(self, now_ns: int) -> Iterator[int]:
        """See the protocol. Power is made beside the values of a minute, and where these fail."""
        failure: StoreError | None = None
        try:
            yield from self._minutes.rolling_up(now_ns)
        except StoreError as error:
            failure = error
        for _ in self._power.rolling_up(now_ns):
            yield 0
        if failure is not None:
            raise failure

    def back_fill(
        self, now_ns: int, since_ns: int | None = None, *, older: bool = False
    ) -> Iterator[FilledDay]:
        """See the protocol."""
        return back_fill(self._power_points, now_ns, since_ns, older=older)

    def prune(self, now_ns: int) -> int:
        """The server forgets by itself, as its databases were made to."""
        return 0

    def _put(self, point: InfluxPoint) -> None:
        """What the point replaces goes: after it where it has other tags, but before it where it
        has the same and a field that the point has not, for InfluxDB would merge the two. Between
        those two calls the store has neither: until this returns, the caller has to keep the point.
        """
        (held,) = self.ask(RESULTS, [results.at_its_time(point)])
        self.ask(RESULTS, list(results.merging(held, point)))
        self._send(RESULTS, [point.line()])
        self.ask(RESULTS, list(results.renamed(held, point)))

    def _put_minutes(self, samples: Sequence[Sample], stale: Sequence[str]) -> None:
        rest = iter(samples)
        while batch := list(islice(rest, BATCH_LINES)):
            self._send(TELEMETRY_1M, self._minute_lines.lines(batch))
        self.ask(TELEMETRY_1M, stale)


def _encodable(lines: Iterable[str]) -> list[str]:
    """The lines. Raises ``UnicodeEncodeError`` if they are not Unicode."""
    made = list(lines)
    "".join(made).encode()
    return made


def open_influx(url: str, password_file: Path | None, ca: Path | None) -> InfluxStore:
    """The store at ``url``. Raises ``ConfigurationError``."""
    return InfluxStore(InfluxLocation.parse(url, password_file, ca))
