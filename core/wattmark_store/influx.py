"""The store in InfluxDB: 2.7, and 1.6 or later, over ``/write`` and ``/query`` (InfluxQL).

The only file that knows the client library, of which it takes the connection.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import urllib3
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from wattmark_core.errors import SamplesRefused, StoreError, StoreUnavailable
from wattmark_core.results import Phase, Score, Window
from wattmark_core.sample import Sample
from wattmark_store import influx_queries as queries
from wattmark_store import influx_results as results
from wattmark_store import influx_views as views
from wattmark_store.databases import RESULTS, TELEMETRY, TELEMETRY_1M
from wattmark_store.influx_back_fill import back_fill
from wattmark_store.influx_errors import MalformedLines, refusal
from wattmark_store.influx_lines import Point, SampleLines, is_integer, score_point, window_point
from wattmark_store.influx_minutes import Minutes
from wattmark_store.influx_power import PowerRollUp
from wattmark_store.influx_power_points import PowerPoints
from wattmark_store.influx_url import InfluxLocation
from wattmark_store.protocol import Aggregate, FilledDay, SeriesData, ViewPoint
from wattmark_store.selection import Selection

BATCH_LINES: Final = 5_000
WRITTEN_STATUS: Final = 204
TIMEOUT_MS: Final = 60_000
CONNECTIONS: Final = 16


class InfluxStore:
    """``protocol.Store``, ``Maintained`` and ``Showing`` on an InfluxDB server. Threads may share
    it.

    Nothing is asked of the server before the first call, which raises ``StoreUnavailable`` if
    it does not answer or lets nobody in, and ``StoreError`` if it will never take what it was
    given.
    """

    def __init__(self, location: InfluxLocation) -> None:
        self.location = location
        token = f"{location.user}:{location.password}" if location.user else None
        self._client = InfluxDBClient(
            location.url, token=token, org="-", auth_basic=token is not None,
            timeout=TIMEOUT_MS, retries=urllib3.Retry(0, redirect=0),
            ssl_ca_cert=None if location.ca is None else str(location.ca),
            connection_pool_maxsize=CONNECTIONS,
        )  # fmt: skip
        self._lines = SampleLines(is_integer)
        self._minute_lines = SampleLines(queries.is_minute_integer)
        self._minutes = Minutes(self.ask, self._put_minutes)
        self._power_points = PowerPoints(self.ask, self._send, BATCH_LINES)
        self._power = PowerRollUp(self._power_points)

    def write(self, samples: Iterable[Sample], *, target: str = "", cursor: str = "") -> int:
        """See the protocol. InfluxDB keeps no cursors: the collector's spool does."""
        count, given = 0, iter(samples)
        while batch := list(islice(given, BATCH_LINES)):
            try:
                self._send(TELEMETRY, self._lines.lines(batch))
            except MalformedLines as error:
                bad = [each for each in batch if set(self._lines.lines([each])) & error.lines]
                raise (SamplesRefused(str(error), bad) if bad else error) from error.__cause__
            finally:  # of a batch that is refused, a part may be written
                self._minutes.touch(batch)
                self._power.touch(batch)
            count += len(batch)
        return count

    def cursor(self, target: str) -> str:
        """Always empty: see ``write``."""
        return ""

    def edges(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str],
        *, neighbours: int = 8,
    ) -> list[SeriesData]:  # fmt: skip
        """See the protocol."""
        statements = queries.edges(measurement, start_ns, end_ns, tags, neighbours)
        found = self.ask(TELEMETRY, statements)
        return queries.nearest(measurement, found, start_ns, end_ns, neighbours)

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
        found = self._series(TELEMETRY, span, points)
        name = measurement.removesuffix("_1m")
        if found or name == measurement:
            return found
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
                found = self.ask(database, queries.thinned(span, points))
                return queries.read_thinned(span, found, minute=minute)
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
        wanted = {"host": host, "run_id": run_id, "phase": "" if phase is None else str(phase)}
        found = self.ask(RESULTS, [results.windows(start_ns, end_ns, wanted)])
        return results.read_windows(found)

    def scores(self, *, host: str = "", run_id: str = "", workload: str = "") -> list[Score]:
        """See the protocol."""
        wanted = {"host": host, "run_id": run_id, "workload": workload}
        return results.read_scores(self.ask(RESULTS, [results.scores(wanted)]))

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

    def close(self) -> None:
        """See the protocol."""
        self._client.close()

    def ask(self, database: str, statements: Sequence[str]) -> list[queries.Rows]:
        """The series of each InfluxQL statement; a deletion has none. Raises ``StoreError``."""
        if not statements:
            return []
        _, answer = self._call(
            "/query", [("db", database), ("epoch", "ns")],
            {"Content-Type": "application/x-www-form-urlencoded"},
            post_params=[("q", ";".join(statements))],
        )  # fmt: skip
        results = self._results(answer)
        for result in results:
            if "error" in result:
                raise refusal(200, result["error"], self.location)
        rows: dict[int, queries.Rows] = {n: [] for n, each in enumerate(statements) if _mute(each)}
        for result in results:
            series = [queries.Row.of(each) for each in result.get("series", [])]
            rows.setdefault(result.get("statement_id", -1), []).extend(series)
        if set(rows) != set(range(len(statements))):
            raise self._not_influxdb()
        return [rows[number] for number in range(len(statements))]

    def _results(self, answer: bytes) -> list[dict[str, Any]]:
        """2.x answers ``{}`` where no statement has a result."""
        try:
            results = {"results": [], **json.loads(answer)}.pop("results")
            told: list[dict[str, Any]] = [dict(each) for each in results]
        except (ValueError, TypeError) as error:
            raise self._not_influxdb() from error
        return told

    def _put(self, point: Point) -> None:
        """What the point replaces goes: after it where it has other tags, but before it where it
        has the same and a field that the point has not, for InfluxDB would merge the two. Between
        those two calls the store has neither: until this returns, the caller has to keep the point.
        """
        (held,) = self.ask(RESULTS, [results.at_its_time(point)])
        self.ask(RESULTS, list(results.merging(held, point)))
        self._send(RESULTS, [point.line()])
        self.ask(RESULTS, list(results.renamed(held, point)))

    def _put_minutes(self, samples: Sequence[Sample], stale: Sequence[str]) -> None:
        given = iter(samples)
        while batch := list(islice(given, BATCH_LINES)):
            self._send(TELEMETRY_1M, self._minute_lines.lines(batch))
        self.ask(TELEMETRY_1M, stale)

    def _send(self, database: str, lines: Iterable[str]) -> None:
        """Write lines; if some cannot be parsed all others are written before it is raised. (2.x
        stores nothing of a batch with such a line, 1.x all but the line.)"""
        batch, malformed = list(lines), None
        while batch:
            try:
                self._post(database, batch)
            except MalformedLines as error:
                rest = [line for line in batch if line not in error.lines]
                if len(rest) == len(batch):
                    raise
                batch, malformed = rest, malformed or error
            else:
                break
        if malformed is not None:
            raise malformed

    def _post(self, database: str, lines: Sequence[str]) -> None:
        body, headers = "\n".join(lines), {"Content-Type": "text/plain"}
        status, _ = self._call("/write", [("db", database)], headers, body=body)
        if status != WRITTEN_STATUS:
            raise self._not_influxdb()

    def _not_influxdb(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self.location.url} is not an InfluxDB; correct --store")

    def _call(
        self, path: str, query: list[tuple[str, str]], headers: dict[str, str], **given: Any
    ) -> tuple[int, bytes]:
        try:
            answer = self._client.api_client.call_api(
                path, "POST", query_params=query, header_params=headers, _preload_content=False,
                _return_http_data_only=True, **given,
            )  # fmt: skip
            data: bytes = answer.data
        except ApiException as error:
            raise refusal(error.status, error.body, self.location) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable(
                f"no InfluxDB answers at {self.location.url} ({_cause(error)}); start it or"
                " correct --store"
            ) from error
        return answer.status, data


def open_influx(url: str, password_file: Path | None, ca: Path | None) -> InfluxStore:
    """The store at ``url``. Raises ``ConfigurationError``."""
    return InfluxStore(InfluxLocation.parse(url, password_file, ca))


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    text = str(reason if isinstance(reason, BaseException) else error)
    return text.rpartition(": ")[2] or type(error).__name__


def _mute(statement: str) -> bool:
    """Does 2.x leave out the statement's result?"""
    return statement.startswith(("DELETE ", "DROP MEASUREMENT "))
