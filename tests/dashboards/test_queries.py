"""Every query of panels, variables, annotations and alerts, on a real InfluxDB."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import ALERTS, DASHBOARDS
from tests.dashboards.panels import every_panel
from wattmark_core.catalogue import Method
from wattmark_core.sample import Sample, make_tags

S = 1_000_000_000
HOUR, DAY = 3600, 86_400
BOARDS: dict[str, Any] = {name: make() for name, make in DASHBOARDS.items()}
RULES = yaml.safe_load(Path(ALERTS).read_text(encoding="utf-8"))["groups"][0]["rules"]
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in every_panel(board) if panel["targets"]
]  # fmt: skip
OTHERS = [
    pytest.param(each["datasource"]["uid"], each["query"], id=f"{name}: {kind} {each['name']}")
    for name, board in BOARDS.items()
    for kind in ("annotations", "templating")
    for each in board[kind]["list"] if "datasource" in each
] + [
    pytest.param(rule["data"][0]["datasourceUid"], rule["data"][0]["model"]["query"],
                 id=f"alert: {rule['title']}")
    for rule in RULES
]  # fmt: skip
TABLES = [
    pytest.param(target["datasource"]["uid"], target["query"], id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in every_panel(board)
    for target in panel["targets"] if target["resultFormat"] == "table"
]  # fmt: skip
MONTHLY = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name in ("live-host", "fleet") for panel in every_panel(BOARDS[name])
    if panel["type"] in {"timeseries", "state-timeline"} and "datasource" in str(panel["targets"])
]  # fmt: skip
SHOWN = (2 * HOUR, 5 * HOUR, 10 * HOUR, 2 * DAY, 10 * DAY, 60 * DAY, 600 * DAY)


def panel_of(board: str, title: str) -> Any:
    """A panel by its title."""
    return next(panel for panel in every_panel(BOARDS[board]) if panel["title"] == title)


def energy(host: str, joules: float, epoch: int, time_ns: int) -> Sample:
    """A sample of a package."""
    tags = make_tags({"host": host, "domain": "package", "device": "socket0", "source": "rapl",
                      "method": Method.COUNTER})  # fmt: skip
    return Sample("energy", tags, {"joules": joules, "epoch": epoch}, time_ns)


def values_of(found: list[Any], host: str = "") -> list[Any]:
    """The values of all series, or of one host's, that are there."""
    return [
        value for series in found if not host or series["tags"]["host"] == host
        for row in series["values"] for value in row[1:] if value is not None
    ]  # fmt: skip


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_shows_data(recorded: Any, panel: Any) -> None:
    """After runs were recorded, to Grafana's user, who may only read."""
    seconds = 3 * HOUR if panel["title"] == "Hosts with gaps" else 700
    assert values_of(recorded.shown(panel, seconds=seconds))


def test_a_sensor_that_no_query_names_is_shown(recorded: Any) -> None:
    """Energy of a new source is on Live host as power of its domain: its queries name domains,
    never a sensor."""
    tags = {"host": "laptop", "domain": "psys", "device": "BAT0", "source": "battery",
            "method": Method.INTEGRATED}  # fmt: skip
    start_ns = recorded.end_ns - 600 * S
    epoch = start_ns // 1_000_000
    recorded.write([
        Sample("energy", make_tags(tags), {"joules": 12.5 * second, "epoch": epoch},
               start_ns + second * S)
        for second in range(600)
    ])  # fmt: skip
    panel = panel_of("live-host", "Power")
    shown = [
        series for target in panel["targets"]
        for series in recorded.ask(
            target["datasource"]["uid"], target["query"], host="laptop", place="laptop"
        )
        if series["tags"].get("source") == "battery"
    ]  # fmt: skip
    assert {series["tags"]["domain"] for series in shown} == {"psys"}
    assert values_of(shown) == pytest.approx([12.5] * len(values_of(shown)))
    assert "battery" not in str(BOARDS)


@pytest.mark.parametrize(("source", "query"), OTHERS)
def test_every_other_query_returns_data(recorded: Any, source: str, query: str) -> None:
    """Of variables, annotations and alerts."""
    assert values_of(recorded.ask(source, query))


@pytest.mark.parametrize("seconds", SHOWN)
@pytest.mark.parametrize("board", ["live-host", "fleet", "home"])
def test_one_resolution_answers_whatever_time_is_shown(
    recorded: Any, board: str, seconds: int
) -> None:
    """The others' conditions are false: no series is drawn twice, and power is never missing."""
    interval = "1h" if seconds > DAY else "1m"
    for panel in every_panel(BOARDS[board]):
        answers = [
            (target["alias"], str(series.get("tags")), tuple(series["columns"]))
            for target in panel["targets"]
            for series in recorded.ask(
                target["datasource"]["uid"], target["query"], interval, seconds
            )
        ]  # fmt: skip
        if panel["type"] in {"timeseries", "bargauge", "stat"}:
            assert len(answers) == len(set(answers)), panel["title"]
        if panel["title"].startswith("Power"):
            assert values_of(recorded.shown(panel, interval, seconds)), panel["title"]


@pytest.mark.parametrize("board", ["home", "fleet"])
def test_what_opens_first_derives_nothing_from_counters(board: str) -> None:
    """Over days that takes the server minutes. What is in closed rows is asked when they open."""
    for panel in BOARDS[board]["panels"]:
        for target in panel.get("targets", []):
            assert "non_negative" not in target["query"], panel["title"]


@pytest.mark.parametrize("panel", MONTHLY)
def test_a_month_can_be_looked_at(recorded: Any, panel: Any) -> None:
    """In as many points as an hour."""
    found = recorded.shown(panel, "144m", 30 * DAY)
    assert values_of(found)
    assert max(len(series["values"]) for series in found) <= 302


@pytest.mark.parametrize(("source", "query"), TABLES)
def test_a_table_is_one_series(recorded: Any, source: str, query: str) -> None:
    """Tags are columns: of several series Grafana makes tables that lack columns or mix them."""
    found = recorded.ask(source, query)
    assert len(found) <= 1
    for series in found:
        assert "tags" not in series
        assert len(set(series["columns"])) == len(series["columns"])


def test_power_is_what_the_counters_say(recorded: Any) -> None:
    """300 W in each domain and 600 in all, at every time shown."""
    for seconds in (700, 6 * HOUR, 30 * DAY):
        found = recorded.shown(panel_of("live-host", "Power"), seconds=seconds)
        by_domain = {
            series["tags"]["domain"]: [row[1] for row in series["values"] if row[1] is not None]
            for series in found if series["values"]
        }  # fmt: skip
        assert set(by_domain) == {"gpu", "package", "total"}
        for domain, watts in by_domain.items():
            expected = 600.0 if domain == "total" else 300.0
            assert watts
            assert watts == pytest.approx([expected] * len(watts))


def test_no_power_where_an_epoch_begins(recorded: Any) -> None:
    """The counter began again, higher than it was: no jump, and the energy of both epochs."""
    start_ns = recorded.end_ns - 600 * S
    recorded.write([
        energy("h2", 10.0 * t if t < 300 else 50_000.0 + 10.0 * t, 1 if t < 300 else 2,
               start_ns + t * S)
        for t in range(600) if t % 5
    ])  # fmt: skip
    watts = values_of(recorded.shown(panel_of("fleet", "Power of each host")), "h2")
    assert watts
    assert watts == pytest.approx([10.0] * len(watts))
    rows = _hosts(recorded)
    # From the first sample to the last; the buckets at both ends are known in part.
    assert rows["h2"]["joules"] == pytest.approx(10.0 * (298 + 298), rel=1e-6)
    assert rows["h1"]["joules"] == pytest.approx(600.0 * 599, rel=1e-6)


def _hosts(recorded: Any) -> dict[str, dict[str, Any]]:
    """*Fleet*'s table of hosts: its queries' rows, put together by host."""
    rows: dict[str, dict[str, Any]] = {}
    for series in recorded.shown(panel_of("fleet", "Hosts")):
        for row in series["values"]:
            known = dict(zip(series["columns"], row, strict=True))
            rows.setdefault(known["host"], {}).update(known)
    return rows


@pytest.mark.parametrize("seconds", [10, 30, 90, 150, 300, 3600])
def test_energy_of_a_short_time_is_no_more_than_was_taken(recorded: Any, seconds: int) -> None:
    """Of the buckets that lie in it: 600 W, for no longer than is shown."""
    expected = 600.0 * min(seconds, 599)
    joules = [
        row[2] for target in panel_of("live-host", "Energy")["targets"]
        for series in recorded.ask("datasource", target["query"], seconds=seconds, host="h1")
        for row in series["values"]
    ]  # fmt: skip
    assert len(joules) == 1
    assert 0.9 * expected <= joules[0] <= expected * (1 + 1e-9)


def test_hosts_with_gaps_are_counted_from_two_hours_on(recorded: Any) -> None:
    """In a shorter time the newest minute, which is not stored yet, would look like a gap."""
    panel = panel_of("fleet", "Hosts with gaps")
    assert values_of(recorded.shown(panel, seconds=HOUR)) == []
    assert values_of(recorded.shown(panel, seconds=3 * HOUR)) == [len(_hosts(recorded))]


def test_a_gap_is_a_gap(recorded: Any) -> None:
    """Nothing is drawn where nothing was measured."""
    found = recorded.shown(panel_of("live-host", "Memory"), seconds=900)
    values = [row[1] for row in found[0]["values"]]
    assert values[0] is None
    assert values[-2] == 1


def test_the_hosts_total_counts_each_joule_once(recorded: Any) -> None:
    """core lies inside the package: it is neither drawn nor added."""
    start_ns = recorded.end_ns - 600 * S
    for domain, watts in (("package", 40.0), ("core", 30.0), ("dram", 5.0), ("psys", 90.0)):
        tags = make_tags({"host": "h4", "domain": domain, "device": "socket0", "source": "rapl",
                          "method": Method.COUNTER})  # fmt: skip
        recorded.write([
            Sample("energy", tags, {"joules": watts * t, "epoch": 1}, start_ns + t * S)
            for t in range(600)
        ])  # fmt: skip
    found = [
        recorded.influxd.query(
            "telemetry", recorded.expand(target["query"]).replace("(h1|h2)", "h4"), user="grafana"
        ).get("series", [])
        for target in panel_of("live-host", "Power")["targets"]
    ]  # fmt: skip
    last = {series["tags"]["domain"]: series["values"][-2][1] for each in found for series in each}
    assert last == pytest.approx({"package": 40.0, "dram": 5.0, "psys": 90.0, "total": 45.0})


def test_reads_that_were_not_taken_show_when_it_happened(recorded: Any) -> None:
    """A tenth is missing in the second half; and an exporter that began again shows nothing odd."""
    tags = make_tags({"host": "h2", "sensor": "late"})
    recorded.write([
        Sample("sensor", tags, {"due": 10 * t % 5000, "taken": (10 * t - max(0, t - 300)) % 5000},
               recorded.end_ns - (600 - t) * S)
        for t in range(600)
    ])  # fmt: skip
    found = recorded.shown(panel_of("live-host", "Reads taken of those due"))
    values = [row[1] for series in found if series["tags"]["sensor"] == "late"
              for row in series["values"] if row[1] is not None]  # fmt: skip
    assert max(values) == pytest.approx(1.0)
    assert sorted(values)[len(values) // 4] == pytest.approx(0.9)


def test_a_silent_host_is_listed_first(recorded: Any) -> None:
    """Its target is down, what it draws now is missing, and the lag says for how long."""
    tags = make_tags({"host": "h2", "target": "http://h2"})
    recorded.write([
        Sample("target", tags, {"up": 0, "lag_seconds": 240.0}, recorded.end_ns - t * S)
        for t in range(60)
    ])  # fmt: skip
    rows = _hosts(recorded)
    assert rows["h2"]["answers"] == 0
    assert rows["h2"]["lag"] == 240.0
    assert rows["h1"]["answers"] == 1
    silent = recorded.shown(panel_of("home", "Hosts silent"))
    assert values_of(silent) == [1]


def test_bridges_of_containers_are_left_out(recorded: Any) -> None:
    """The traffic of docker0, br-… and veth… is the host's own once more."""
    for name in ("eth9", "docker0", "veth12ab", "br-77", "lo"):
        tags = make_tags({"host": "h1", "interface": name})
        recorded.write([
            Sample("network", tags, {"received_bytes": 100.0 * t}, recorded.end_ns - (60 - t) * S)
            for t in range(60)
        ])  # fmt: skip
    found = recorded.shown(panel_of("live-host", "Network"))
    assert {series["tags"]["interface"] for series in found} == {"interface1", "eth9"}


def test_a_target_whose_collector_fell_silent_is_down(recorded: Any) -> None:
    """Its last word was "up", five minutes ago; one that answers is not down."""
    tags = make_tags({"host": "h3", "target": "quiet"})
    long_ago_ns = recorded.end_ns - 300 * S
    recorded.write([Sample("target", tags, {"up": 1}, long_ago_ns - t * S) for t in range(60)])
    rule = next(candidate for candidate in RULES if candidate["title"] == "Target down")["data"][0]
    found = recorded.ask(rule["datasourceUid"], rule["model"]["query"], seconds=900)
    last = {series["tags"]["host"]: series["values"][-1][1] for series in found}
    assert last["h3"] == 0
    assert last["h1"] > 0.5
