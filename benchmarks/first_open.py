"""What it costs the server when somebody opens a dashboard: all its queries, as Grafana asks."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final

from benchmarks import host_lines, influxd
from benchmarks.host_lines import DAY_NS, NS, send
from benchmarks.processes import NotRun, usage
from benchmarks.report import Goal, Row, Section
from dashboards.generate import DASHBOARDS
from dashboards.grafana import PanelQuery, Shown, expand, queries
from wattmark_core.results import Phase, Window
from wattmark_store import open_store
from wattmark_store.databases import TELEMETRY_1M
from wattmark_store.influx_lines import window_point

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
TITLE: Final = "A dashboard's first open"
DAYS_GOAL: Final = Goal(1.0)
LIVE_GOAL: Final = Goal(0.5)
AT_ONCE: Final = 6
"""A browser's connections to one server."""
FLEET_NEEDS: Final = ("energy", "target", "sensor")
RUNS: Final = 200
RUN_PHASES: Final = (Phase.IDLE, Phase.WARMUP, Phase.INFERENCE, Phase.INFERENCE, Phase.IDLE)
LEAST: Final = {
    "telemetry": "100ms", "telemetry_1m": "1m", "results": "1s",
}  # fmt: skip
"""The shortest time between points of each data source, as it is provisioned."""
DERIVED: Final = (
    'SELECT sum("watts") FROM (SELECT mean("value") AS "watts" FROM (SELECT'
    ' non_negative_derivative("joules", 1s) AS "value", difference("epoch") AS "epochs" FROM'
    ' "energy" WHERE $timeFilter AND "host" =~ /^${host:regex}$/ AND ("domain" = \'package\' OR'
    ' "domain" = \'dram\' OR "domain" = \'gpu\') GROUP BY "host", "domain", "device", "source",'
    ' "method") WHERE "epochs" = 0 AND $timeFilter GROUP BY time($__interval), "host", "domain",'
    ' "device", "source", "method" fill(null)) WHERE $timeFilter GROUP BY time($__interval),'
    ' "host", "domain", "source", "method" fill(null)'
)
"""*Fleet*'s power before it was stored ready: derived from the counters of one-minute values."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the server took: seconds, CPU seconds, how many queries, and the slowest one."""

    seconds: float
    cpu_seconds: float
    count: int
    slowest: str


def measure(few: int, many: int, days: int, long_days: int) -> Section:
    """With ``few`` hosts and with ``many``, over ``days``; one of them over ``long_days``."""
    rows: list[Row] = []
    try:
        for hosts in (few, many):
            with influxd.serving(compacted="10s") as server:
                end_ns = _fill(server, hosts, days, long_days if hosts == many else days)
                opened = Opened(server, end_ns // 1_000_000)
                if hosts == few:
                    rows += _before(opened, hosts)
                rows += _shown(opened, "fleet", f"Fleet, {hosts} hosts, {days} days", days * DAY_MS,
                               ".*", DAYS_GOAL)  # fmt: skip
                if hosts == many:
                    rows += _shown(opened, "fleet", f"Fleet, 1 of {hosts} hosts, {long_days} days",
                                   long_days * DAY_MS, "h000", DAYS_GOAL)  # fmt: skip
                rows += _shown(opened, "live-host", f"Live host, 1 of {hosts}, 1 h", HOUR_MS,
                               "h000", LIVE_GOAL)  # fmt: skip
    except NotRun as reason:
        rows.append(Row("first open", "s", None, note=str(reason)))
    return Section(
        TITLE, rows,
        note="All queries of variables, then of annotations and panels that are not in a collapsed"
        f" row, {AT_ONCE} at a time; InfluxDB restarted before each, the page cache as it is; the"
        " least of three. Power went through back-fill, the last hour through the roll-up.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """A server, asked as a Grafana whose time shown ends at ``end_ms``."""

    server: influxd.Server
    end_ms: int

    def cold(self, board: Any, shown_ms: int, host: str) -> Taken:
        """All that a dashboard asks at first, for one host or all (``.*``)."""
        return self._cold(lambda: self._open(board, shown_ms, host))

    def cold_query(self, query: str, shown_ms: int, interval: str) -> Taken:
        """One query to the one-minute values, for all hosts."""
        shown = self._time(shown_ms, {"host": ".*"})
        panel_query = PanelQuery("query", TELEMETRY_1M, query, interval)
        return self._cold(lambda: [(self._ask(panel_query, shown)[0], panel_query.title)])

    def _cold(self, work: Callable[[], Sequence[tuple[float, str]]]) -> Taken:
        taken = []
        for _ in range(3):
            self.server.stop()
            self.server.start()
            self.server.rest()
            pid, began = self.server.process.pid, time.perf_counter()
            cpu = usage(pid).cpu_seconds
            times = work()
            taken.append(Taken(
                time.perf_counter() - began, usage(pid).cpu_seconds - cpu, len(times),
                "{1} {0:.2f} s".format(*max(times)),
            ))  # fmt: skip
        return min(taken, key=lambda opening: opening.seconds)

    def _open(self, board: Any, shown_ms: int, host: str) -> Sequence[tuple[float, str]]:
        times, values = [], {"host": host}
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                continue
            source, shown = (
                _database(board, variable["datasource"]["uid"]),
                self._time(shown_ms, values),
            )
            taken, answer = self._ask(
                PanelQuery(variable["name"], source, variable["query"], "1s"), shown
            )
            times.append((taken, f"variable {variable['name']}"))
            values.setdefault(variable["name"], variable.get("allValue") or _first(answer))
        shown = self._time(shown_ms, values)
        least = {f"${{{name}}}": LEAST[database] for name, database in _sources(board).items()}
        panel_queries = [
            replace(panel_query, source=_database(board, panel_query.source))
            for panel_query in queries(board, shown_ms, least)
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            taken_by = pool.map(
                lambda panel_query: (self._ask(panel_query, shown)[0], panel_query.title),
                panel_queries,
            )
            return [*times, *taken_by]

    def _time(self, shown_ms: int, values: Mapping[str, str]) -> Shown:
        return Shown(self.end_ms - shown_ms, self.end_ms, values)

    def _ask(self, panel_query: PanelQuery, shown: Shown) -> tuple[float, Any]:
        began = time.perf_counter()
        text = expand(panel_query.query, shown, panel_query.interval)
        answer = influxd.query(self.server.address, text, panel_query.source)
        assert "error" not in answer, (text, answer)
        return time.perf_counter() - began, answer


def _first(answer: Any) -> str:
    """The first value of a variable's query."""
    values = [str(row[-1]) for series in answer.get("series", ()) for row in series["values"]]
    return min(values, default="none")


def _sources(board: Any) -> dict[str, str]:
    """Data source variables, and the database that each stands for at first."""
    return {
        variable["name"]: variable["current"]["value"].removeprefix("wattmark-").replace("-", "_")
        for variable in board["templating"]["list"] if variable["type"] == "datasource"
    }  # fmt: skip


def _database(board: Any, source: str) -> str:
    name = source.strip("${}")
    return _sources(board).get(name) or name.removeprefix("wattmark-").replace("-", "_")


def _shown(
    opened: Opened, name: str, what: str, shown_ms: int, host: str, goal: Goal
) -> list[Row]:  # fmt: skip
    taken = opened.cold(DASHBOARDS[name](), shown_ms, host)
    return [
        Row(what, "s", taken.seconds, goal, note=f"{taken.count} queries; {taken.slowest}"),
        Row(what, "CPU-s", taken.cpu_seconds),
    ]


def _before(opened: Opened, hosts: int) -> list[Row]:
    """The old query of one panel, and the ones that read stored power in its place."""
    days, interval = 7, "30m"
    derived = opened.cold_query(DERIVED, days * DAY_MS, interval)
    rows = [
        Row(f"power of {hosts} hosts, {days} days, derived at each view", "s", derived.seconds,
            ratio=1.0, note="before: one query of Fleet"),
        Row(f"power of {hosts} hosts, {days} days, derived at each view", "CPU-s",
            derived.cpu_seconds),
    ]  # fmt: skip
    board = DASHBOARDS["fleet"]()
    panels = [panel for panel in board["panels"] if panel["title"] == "Power of each host"]
    alone = {**board, "panels": panels, "annotations": {"list": []}}
    ready = opened.cold(alone, days * DAY_MS, ".*")
    return [
        *rows,
        Row("the same, stored ready", "s", ready.seconds, ratio=ready.seconds / derived.seconds,
            note=panels[0]["title"]),
        Row("the same, stored ready", "CPU-s", ready.cpu_seconds),
    ]  # fmt: skip


def _fill(server: influxd.Server, hosts: int, days: int, long_days: int) -> int:
    """``days`` of one-minute values and power of all hosts, ``long_days`` of the first, and an hour
    of its samples through the roll-up; when all that ends."""
    end_ns = time.time_ns() // (3600 * NS) * 3600 * NS
    last_ns = end_ns - 3600 * NS
    with closing(open_store(f"influxdb://{server.address}")) as store:
        first = host_lines.series("h000", FLEET_NEEDS)
        send(store, TELEMETRY_1M, host_lines.minutes(first, end_ns - long_days * DAY_NS, last_ns))
        others = [
            series for n in range(1, hosts) for series in host_lines.series(f"h{n:03}", FLEET_NEEDS)
        ]
        send(store, TELEMETRY_1M, host_lines.minutes(others, end_ns - days * DAY_NS, end_ns))
        raw = host_lines.series("h000")
        store.write(host_lines.samples(raw, last_ns, end_ns))
        store.roll_up(end_ns + 30 * NS)  # type: ignore[attr-defined]
        for _ in store.back_fill(end_ns):  # type: ignore[attr-defined]
            pass
        send(store, "results", _runs(hosts, end_ns - days * DAY_NS, end_ns))
    server.rest()
    return end_ns


def _runs(hosts: int, start_ns: int, end_ns: int) -> Sequence[str]:
    """Windows of runs of all hosts, over the whole time."""
    lines = []
    for number in range(RUNS):
        at_ns = start_ns + (end_ns - start_ns) * number // RUNS
        for n, phase in enumerate(RUN_PHASES):
            begin_ns = at_ns + n * 60 * NS
            window = Window(f"w{number}-{n}", f"h{number % hosts:03}", phase, begin_ns,
                            begin_ns + 60 * NS, model="m", workload="w", run_id=f"run{number}",
                            joules=6000.0)  # fmt: skip
            lines.append(window_point(window).line())
    return lines
