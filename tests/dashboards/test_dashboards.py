"""The dashboards: fresh, whole, and every query of them answered by a real InfluxDB."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import DASHBOARDS, files
from wattmark_core.catalogue import CATALOGUE, Domain, Kind, Method
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_store import open_store

ROOT = Path(__file__).parents[2]
S = 1_000_000_000
KINDS = {"timeseries", "stat", "table", "barchart", "state-timeline", "text"}
SOURCES = {"datasource": "telemetry", "datasource_1m": "telemetry_1m", "results": "results"}
UIDS = {"wattmark-live", "wattmark-run", "wattmark-ranking", "wattmark-fleet"}
EMPTY_IF_WELL = {"Invalid, not ranked: scores", "Estimated: relative only: scores"}
"""Panels of what a good run has not; a second run of the fixture has it."""


def boards() -> dict[str, Any]:
    """All dashboards by name."""
    return {name: make() for name, make in DASHBOARDS.items()}


PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in boards().items() for panel in board["panels"]
]  # fmt: skip


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_files_are_fresh(path: Path) -> None:
    """What is committed is what the catalogue makes: if not, `make dashboards`."""
    assert path.read_text(encoding="utf-8") == files()[path]


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_is_described(panel: Any) -> None:
    """Title, description, unit, a word for the empty state, and a kind that Grafana 9.4 has."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert panel["type"] in KINDS
    uid = panel["datasource"]["uid"]
    assert uid.strip("${}") in SOURCES
    assert all(target["datasource"]["uid"] == uid for target in panel["targets"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_laid_out(name: str) -> None:
    """Panels have numbers of their own and do not overlap; a variable for every source in use."""
    board = boards()[name]
    assert board["uid"] in UIDS
    assert board["editable"] is False
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = {panel["datasource"]["uid"].strip("${}") for panel in board["panels"]}
    assert used <= variables


def test_links_lead_to_dashboards_that_exist() -> None:
    """And set variables that those have."""
    found = re.findall(r'"/d/([^/"]+)/[^?"]*\?var-(\w+)=', json.dumps(boards()))
    assert found
    by_uid = {board["uid"]: board for board in boards().values()}
    for uid, variable in found:
        names = {each["name"] for each in by_uid[uid]["templating"]["list"]}
        assert variable in names


def test_provisioning_fits_the_dashboards_and_the_stack() -> None:
    """Sources read by file secret as the read-only user; alerts ask a source that there is."""
    folder = ROOT / "grafana/provisioning"
    read = yaml.safe_load((folder / "datasources/wattmark.yml").read_text())
    sources = {each["uid"]: each for each in read["datasources"]}
    assert set(sources) == {"wattmark-telemetry", "wattmark-telemetry-1m", "wattmark-results"}
    for each in sources.values():
        assert each["user"] == "grafana"
        assert each["secureJsonData"]["password"].startswith("$__file{/run/secrets/")
        assert each["database"] == each["jsonData"]["dbName"]
        assert any(re.search(v["regex"].strip("/i"), each["name"], re.IGNORECASE)
                   for board in boards().values() for v in board["templating"]["list"]
                   if v["type"] == "datasource")  # fmt: skip
    alerts = yaml.safe_load((folder / "alerting/wattmark.yml").read_text())["groups"][0]["rules"]
    assert [rule["title"] for rule in alerts] == [
        "Target down", "Collector lag", "Spool filling", "Sensor failed",
    ]  # fmt: skip
    assert {rule["data"][0]["datasourceUid"] for rule in alerts} <= set(sources)
    provider = yaml.safe_load((folder / "dashboards/wattmark.yml").read_text())["providers"][0]
    mounts = (ROOT / "docker-compose.yml").read_text()
    assert f"./dashboards/json:{provider['options']['path']}:ro" in mounts


@pytest.fixture(scope="module")
def recorded(influxd: Any) -> Iterator[tuple[Any, int]]:
    """An InfluxDB with ten minutes of one host and two of its runs; and the time now."""
    influxd.make_databases()
    store = open_store(influxd.url("admin"), influxd.password_file("admin"))
    end_ns = time.time_ns() // (60 * S) * 60 * S
    store.write(_samples(end_ns - 600 * S, end_ns))
    store.roll_up(end_ns)  # type: ignore[attr-defined]
    for run, (method, verdict) in enumerate([
        (Method.COUNTER, Verdict.VALID), (Method.ESTIMATED, Verdict.WARNED),
        (Method.COUNTER, Verdict.INVALID),
    ]):  # fmt: skip
        _write_run(store, f"run{run}", end_ns - 500 * S + run * S, method, verdict)
    store.close()
    yield influxd, end_ns
    influxd.make_databases()


def _samples(start_ns: int, end_ns: int) -> Iterator[Sample]:
    """Every metric of the catalogue, counters growing, gauges at one."""
    energy = {"host": "h1", "domain": Domain.GPU, "device": "GPU-1", "source": "nvml",
              "method": Method.COUNTER}  # fmt: skip
    epoch = start_ns // 1_000_000
    for time_ns in range(start_ns, end_ns, S):
        seconds = (time_ns - start_ns) / S
        fields = {"joules": 300.0 * seconds, "epoch": epoch, "uncertainty_seconds": 0.01}
        for domain in (Domain.GPU, Domain.PACKAGE):
            yield Sample("energy", make_tags({**energy, "domain": domain}), fields, time_ns)
        for metric in CATALOGUE:
            if metric.measurement == "energy":
                continue
            value = seconds if metric.kind is Kind.COUNTER else 1
            tags = make_tags({"host": "h1"} | {tag: f"{tag}1" for tag in metric.tags})
            yield Sample(metric.measurement, tags, {metric.field: value}, time_ns)


def _write_run(store: Any, run: str, start_ns: int, method: Method, verdict: Verdict) -> None:
    for n, phase in enumerate((Phase.IDLE, Phase.WARMUP, Phase.INFERENCE, Phase.TRAINING)):
        begin = start_ns + n * 60 * S
        store.put_window(Window(
            f"{run}-{n}", "h1", phase, begin, begin + 30 * S, model="m", workload="w", run_id=run,
            label="a label", inferences=1000, correct=900, joules=9000.0, joules_low=8900.0,
            joules_high=9100.0, boundary=Boundary.HOST, method=method,
        ))  # fmt: skip
    check = Check("duration", verdict, 3.0, 10.0, "s", "length")
    store.put_score(Score(
        run, "h1", "m", "w", Boundary.HOST, "f", start_ns, method, verdict, 1.5, 1.0, 2.0,
        0.9, 2.1, 0.9, 9.0, 8.9, 9.1, 300.0, 33.0, checks=(check,),
    ))  # fmt: skip


QUERIES = [
    pytest.param(panel["datasource"]["uid"], target["query"], id=f"{name}: {panel['title']}"
                 f" {target['refId']}")
    for name, board in boards().items() for panel in board["panels"]
    for target in panel["targets"]
] + [
    pytest.param(each["datasource"]["uid"], each["query"], id=f"{name}: {kind} {each['name']}")
    for name, board in boards().items()
    for kind, items in (("annotation", board["annotations"]["list"]),
                        ("variable", board["templating"]["list"]))
    for each in items if "datasource" in each
] + [
    pytest.param("${datasource}", rule["data"][0]["model"]["query"], id=f"alert: {rule['title']}")
    for rule in yaml.safe_load(
        (ROOT / "grafana/provisioning/alerting/wattmark.yml").read_text()
    )["groups"][0]["rules"]
]  # fmt: skip


def expand(query: str, end_ns: int) -> str:
    """The query as Grafana sends it: macros and variables filled in."""
    start_ms, end_ms = end_ns // 1_000_000 - 700_000, end_ns // 1_000_000
    values = {
        "$timeFilter": f"time >= {start_ms}ms and time <= {end_ms}ms", "$interval": "10s",
        "${host:regex}": "(h1|h2)", "${host}": "h1", "${baseline}": "h1",
        "${workload:regex}": "(w)", "${boundary}": "host", "${formula}": "f",
        "${run_id}": "run0",
    }  # fmt: skip
    for name, value in values.items():
        query = query.replace(name, value)
    assert "$" not in query.replace("$/", "/"), query
    return query


@pytest.mark.parametrize(("source", "query"), QUERIES)
def test_every_query_returns_data(recorded: tuple[Any, int], source: str, query: str) -> None:
    """As the read-only user of Grafana, after runs were recorded."""
    influxd, end_ns = recorded
    if "idle" in query or "guard" in query:
        query = query.replace("guard", "idle")
    database = SOURCES[source.strip("${}")]
    text = expand(query, end_ns)
    if database == "telemetry_1m":
        text = text.replace("time(10s)", "time(1m)")
    found = influxd.query(database, text, user="grafana").get("series", [])
    values = [value for series in found for row in series["values"] for value in row[1:]]
    assert any(value is not None for value in values), text


def test_power_is_what_the_counters_say(recorded: tuple[Any, int]) -> None:
    """300 W, at the live host and, per domain, in the fleet; and no jump where an epoch begins."""
    influxd, end_ns = recorded
    board = boards()["live-host"]["panels"][0]
    store = open_store(influxd.url("admin"), influxd.password_file("admin"))
    tags = make_tags({"host": "h2", "domain": "package", "device": "s0", "source": "rapl",
                      "method": "counter"})  # fmt: skip
    for t in range(600):
        epoch, joules = (1, 10.0 * t) if t < 300 else (2, 10.0 * (t - 300) + 50_000.0)
        fields = {"joules": joules, "epoch": epoch, "uncertainty_seconds": 0.001}
        store.write([Sample("energy", tags, fields, end_ns - 600 * S + t * S)] if t % 5 else [])
    store.close()
    text = expand(board["targets"][0]["query"], end_ns)
    found = influxd.query("telemetry", text, user="grafana")["series"]
    watts = {series["tags"]["host"]: [row[1] for row in series["values"]] for series in found}
    assert watts["h1"]
    assert all(abs(value - 300.0) < 1.0 for value in watts["h1"])
    assert all(value < 20.0 for value in watts["h2"])
