"""Every query of panels, variables, annotations and alerts, on a real InfluxDB."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import ALERTS, DASHBOARDS
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Score, Verdict
from wattmark_core.sample import Sample, make_tags
from wattmark_scoring.scores import ENERGY_SCORE, NETSCORE
from wattmark_store import open_store

S = 1_000_000_000
BOARDS: dict[str, Any] = {name: make() for name, make in DASHBOARDS.items()}
RULES = yaml.safe_load(Path(ALERTS).read_text(encoding="utf-8"))["groups"][0]["rules"]
QUERIES = [
    pytest.param(panel["datasource"]["uid"], target["query"],
                 id=f"{name}: {panel['title']} {target['refId']}")
    for name, board in BOARDS.items() for panel in board["panels"]
    for target in panel["targets"]
] + [
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
    pytest.param(panel["datasource"]["uid"], target["query"], id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in board["panels"]
    for target in panel["targets"] if target["resultFormat"] == "table"
]  # fmt: skip


MONTHLY = [
    pytest.param(target["query"], id=f"{name}: {panel['title']} {target['refId']}")
    for name in ("live-host", "fleet") for panel in BOARDS[name]["panels"]
    for target in panel["targets"] if "datasource" in panel["datasource"]["uid"]
]  # fmt: skip


def query_of(board: str, title: str) -> str:
    """The first query of a panel."""
    panel = next(each for each in BOARDS[board]["panels"] if each["title"] == title)
    return str(panel["targets"][0]["query"])


def energy(host: str, joules: float, epoch: int, time_ns: int) -> Sample:
    """A sample of a package."""
    tags = make_tags({"host": host, "domain": "package", "device": "socket0", "source": "rapl",
                      "method": Method.COUNTER})  # fmt: skip
    return Sample("energy", tags, {"joules": joules, "epoch": epoch}, time_ns)


@pytest.mark.parametrize(("source", "query"), QUERIES)
def test_every_query_returns_data(recorded: Any, source: str, query: str) -> None:
    """After runs were recorded, to Grafana's user, who may only read."""
    found = recorded.ask(source, query)
    values = [value for series in found for row in series["values"] for value in row[1:]]
    assert any(value is not None for value in values)


@pytest.mark.parametrize("query", MONTHLY)
def test_a_month_can_be_looked_at(recorded: Any, query: str) -> None:
    """On the one-minute values, which have the same names, in as many points as an hour."""
    found = recorded.ask("datasource_1m", query, "144m", 30 * 86_400)
    values = [row[1] for series in found for row in series["values"]]
    assert values
    assert max(len(series["values"]) for series in found) <= 302


@pytest.mark.parametrize(("source", "query"), TABLES)
def test_a_table_is_one_series(recorded: Any, source: str, query: str) -> None:
    """Tags are columns: of several series Grafana makes tables that lack columns or mix them."""
    found = recorded.ask(source, query)
    assert len(found) == 1
    assert "tags" not in found[0]
    assert len(set(found[0]["columns"])) == len(found[0]["columns"])


def test_power_is_what_the_counters_say_to_the_last_point(recorded: Any) -> None:
    """300 W in every interval, in one that is not over yet as well."""
    query = query_of("live-host", "Power by domain")
    for interval in ("1s", "7s", "1m"):
        found = recorded.ask("datasource", query, interval)
        watts = [row[1] for series in found for row in series["values"] if row[1] is not None]
        assert watts
        assert watts == pytest.approx([300.0] * len(watts))


def test_no_power_where_an_epoch_begins(recorded: Any) -> None:
    """The counter began again, higher than it was: no jump, and the energy of both epochs."""
    start_ns = recorded.end_ns - 600 * S
    recorded.write([
        energy("h2", 10.0 * t if t < 300 else 50_000.0 + 10.0 * t, 1 if t < 300 else 2,
               start_ns + t * S)
        for t in range(600) if t % 5
    ])  # fmt: skip
    found = recorded.ask("datasource", query_of("live-host", "Power by domain"))
    watts = [row[1] for series in found if series["tags"]["host"] == "h2"
             for row in series["values"] if row[1] is not None]  # fmt: skip
    assert watts
    assert watts == pytest.approx([10.0] * len(watts))
    found = recorded.ask("datasource", query_of("live-host", "Energy in the shown time"))
    joules = {series["tags"]["host"]: series["values"][0][1] for series in found}
    assert joules["h2"] == pytest.approx(10.0 * (298 + 298))
    assert joules["h1"] == pytest.approx(300.0 * 599)


def test_a_gap_is_a_gap(recorded: Any) -> None:
    """Nothing is drawn where nothing was measured."""
    found = recorded.ask("datasource", query_of("live-host", "Memory"), seconds=900)
    values = [row[1] for row in found[0]["values"]]
    assert values[0] is None
    assert values[-2] == 1


def test_devices_add_up_and_sources_do_not(recorded: Any) -> None:
    """The power of a host by domain and source, from the one-minute values."""
    found = recorded.ask("datasource_1m", query_of("fleet", "Power of each host"))
    assert {(series["tags"]["domain"], series["tags"]["source"]) for series in found} == {
        ("gpu", "nvml"), ("package", "nvml"),
    }  # fmt: skip
    watts = [row[1] for series in found for row in series["values"] if row[1] is not None]
    assert watts == pytest.approx([300.0] * len(watts))


def test_reads_that_were_not_taken_show_when_it_happened(recorded: Any) -> None:
    """A tenth is missing in the second half; and an exporter that began again shows nothing odd."""
    tags = make_tags({"host": "h2", "sensor": "late"})
    recorded.write([
        Sample("sensor", tags, {"due": 10 * t % 5000, "taken": (10 * t - max(0, t - 300)) % 5000},
               recorded.end_ns - (600 - t) * S)
        for t in range(600)
    ])  # fmt: skip
    found = recorded.ask("datasource", query_of("live-host", "Reads taken of those due"))
    values = [row[1] for series in found if series["tags"]["sensor"] == "late"
              for row in series["values"] if row[1] is not None]  # fmt: skip
    assert max(values) == pytest.approx(1.0)
    assert sorted(values)[len(values) // 4] == pytest.approx(0.9)


def test_the_newest_score_of_a_model_ranks(recorded: Any) -> None:
    """With its own run beside it, and an estimate in no measured table."""
    title = "Measured: scores"
    assert _scores(recorded, title) == [("m", 1.5, "run0"), ("n", 1.5, "run0")]
    store = open_store(recorded.influxd.url("admin"), recorded.influxd.password_file("admin"))
    store.put_score(Score(
        "later", "h1", "m", "w", Boundary.HOST, ENERGY_SCORE, recorded.end_ns - 9 * S,
        Method.COUNTER, Verdict.VALID, 7.0, 6.5, 7.5, accuracy=0.9, joules_per_inference=2.0,
        joules_per_inference_low=1.9, joules_per_inference_high=2.1,
    ))  # fmt: skip
    store.close()
    assert set(_scores(recorded, title)) == {("m", 7.0, "later"), ("n", 1.5, "run0")}


def _rows(recorded: Any, title: str) -> list[dict[str, Any]]:
    series = recorded.ask("results", query_of("ranking", title))[0]
    return [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]


def _scores(recorded: Any, title: str) -> list[tuple[Any, ...]]:
    return [(row["variant"], row["score"], row["run_id"]) for row in _rows(recorded, title)]


def test_another_framework_has_a_row_of_its_own(recorded: Any) -> None:
    """And so has another GPU: neither is a newer run of the same."""
    title = "Measured: scores"
    store = open_store(recorded.influxd.url("admin"), recorded.influxd.password_file("admin"))
    for settings, gpu in (("backend=torch", ""), ("", "GPU-12345678-1234")):
        store.put_score(Score(
            f"of {settings}{gpu}", "h1", "net", "w", Boundary.HOST, ENERGY_SCORE,
            recorded.end_ns - 9 * S, Method.COUNTER, Verdict.VALID, 7.0, 6.5, 7.5, accuracy=0.9,
            joules_per_inference=2.0, joules_per_inference_low=1.9, joules_per_inference_high=2.1,
            settings=settings, gpu=gpu,
        ))  # fmt: skip
    store.close()
    found = {(row["variant"], row["place"]) for row in _rows(recorded, title)}
    assert {("net backend=torch", "h1"), ("net", "h1 GPU-12345678")} <= found


def test_table_one_is_one_pass(recorded: Any) -> None:
    """1,000 images at 33 a second and 9 J each; estimated energy is there, and called so."""
    rows = _rows(recorded, "Time, power, energy and use of the machine")
    row = next(row for row in rows if row["variant"] == "n")
    assert row["inference time"] == pytest.approx(1000 / 33)
    assert row["total energy"] == pytest.approx(9000.0)
    assert row["method"] == "estimated"
    assert row["cpu_utilization_ratio"] == 0.5


def test_scores_without_energy_stand_beside_the_others(recorded: Any) -> None:
    """They have no method, which is not unlike anything to InfluxQL."""
    rows = _rows(recorded, "Every score of a model on ${reference}")
    assert {row["formula"] for row in rows if row["variant"] == "n"} == {ENERGY_SCORE, NETSCORE}


def test_an_invalid_score_is_listed_without_a_value(recorded: Any) -> None:
    """And says why, in a row that has no empty cell: 9.4 leaves such rows out."""
    series = recorded.ask("results", query_of("ranking", "Invalid: scores, not ranked"))[0]
    rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    assert {row["run_id"] for row in rows} == {"run2"}
    assert all(row["invalid_checks"] == "duration 3 s, limit 10" for row in rows)
    assert all(value is not None for row in rows for value in row.values())


def test_a_target_whose_collector_fell_silent_is_down(recorded: Any) -> None:
    """Its last word was "up", five minutes ago; one that answers is not down."""
    tags = make_tags({"host": "h3", "target": "quiet"})
    long_ago_ns = recorded.end_ns - 300 * S
    recorded.write([Sample("target", tags, {"up": 1}, long_ago_ns - t * S) for t in range(60)])
    rule = next(each for each in RULES if each["title"] == "Target down")["data"][0]
    found = recorded.ask(rule["datasourceUid"], rule["model"]["query"], seconds=900)
    last = {series["tags"]["host"]: series["values"][-1][1] for series in found}
    assert last["h3"] == 0
    assert last["h1"] > 0.5
