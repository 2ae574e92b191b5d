"""*Ranking*: the picture, the ranked networks, and nothing where nothing was measured."""

import json
import re
from typing import Any

import pytest

from dashboards import ranking, run
from tests.dashboards.conftest import TEXTS, score
from tests.dashboards.panels import every_panel
from wattmark_core.catalogue import Method
from wattmark_core.results import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE, Verdict
from wattmark_store import open_store

S = 1_000_000_000
BOARD = ranking.make()
PANELS = list(every_panel(BOARD))
TABLES = [
    pytest.param(panel, id=panel["title"])
    for board in (BOARD, run.make()) for panel in every_panel(board) if panel["type"] == "table"
]  # fmt: skip
MEASURED, ESTIMATED = "Accuracy against energy", "Accuracy against energy: ESTIMATED"
RANKED = "Ranked"
ENERGIES = "Energy per inference by network and host"
SCORES = "Score by network and host"
RATIOS = "Energy per inference, times that of ${reference}"
FORMULAS = (ENERGY_SCORE, NETSCORE, ACCURACY_PER_PARAMETER)
ON_GPU = "h1 GPU-12345678"
COLUMN_PX = 65
"""Of a panel's width, at 1,600 px."""
PLAIN_PX = 150
"""Of a column without a width of its own, at least."""


def panel_of(title: str) -> Any:
    """A panel by its title."""
    return next(panel for panel in PANELS if panel["title"] == title)


def rows(recorded: Any, title: str, number: int = 0, **chosen: str) -> list[dict[str, Any]]:
    """What a query of a panel answers."""
    query = panel_of(title)["targets"][number]["query"]
    answer = recorded.ask("results", query, **chosen)
    return [dict(zip(s["columns"], row, strict=True)) for s in answer for row in s["values"]]


def put(recorded: Any, run_id: str, model: str, **more: Any) -> None:
    """Another score, of a newer run."""
    store: Any = open_store(recorded.influxd.url("admin"), recorded.influxd.password_file("admin"))
    store.put_shown_score(score(run_id, model, recorded.end_ns - 9 * S, **more), TEXTS)
    store.close()


def test_it_opens_on_accuracy_squared_per_energy() -> None:
    """Not on the formula that is the first in the alphabet."""
    (formula,) = (v for v in BOARD["templating"]["list"] if v["name"] == "formula")
    assert formula["current"]["value"] == ENERGY_SCORE
    assert formula["hide"] == 0


def test_a_score_of_ones_own_can_be_chosen(recorded: Any) -> None:
    """Of all that the workload has, not of three that are known."""
    put(recorded, "own", "m", formula="per joule")
    (formula,) = (v for v in BOARD["templating"]["list"] if v["name"] == "formula")
    answer = recorded.ask("results", formula["query"])
    assert "per joule" in {row[1] for series in answer for row in series["values"]}
    assert [row["run_id"] for row in rows(recorded, RANKED, formula="per joule")] == ["own"]


def test_the_first_screen_is_the_picture_beside_the_ranked_networks() -> None:
    """Everything else is below, most of it behind closed rows."""
    first = [panel["title"] for panel in BOARD["panels"] if panel["gridPos"]["y"] == 0]
    assert first == [MEASURED, RANKED]
    rows_below = [p["title"] for p in BOARD["panels"] if p["type"] == "row"]
    assert rows_below[0].startswith("Estimated")


def test_the_picture_has_options_of_10_4_that_later_releases_migrate() -> None:
    """They do so where no ``pluginVersion`` stands; x is a column of the query by its name."""
    for title in (MEASURED, ESTIMATED):
        panel = panel_of(title)
        assert panel["type"] == "xychart"
        assert "pluginVersion" not in panel
        options = panel["options"]
        assert (options["seriesMapping"], options["series"]) == ("auto", [])
        assert options["dims"] == {"frame": 0, "x": "energy per inference"}
        assert all(f'AS "{options["dims"]["x"]}"' in t["query"] for t in panel["targets"])
        axis = panel["fieldConfig"]["overrides"][1]
        assert axis["matcher"] == {"id": "byName", "options": options["dims"]["x"]}
        assert {"id": "custom.scaleDistribution", "value": {"type": "log", "log": 10}} in axis[
            "properties"
        ]
        # What 11.1 and later read while they migrate.
        assert panel["fieldConfig"]["defaults"]["custom"]["pointSize"]["fixed"] == 9


def test_a_series_of_the_picture_is_a_place(recorded: Any) -> None:
    """Each network where its energy and accuracy are, none without either."""
    points = {(r["series"], r["network"], r["energy per inference"], r["accuracy"])
             for r in rows(recorded, MEASURED)}  # fmt: skip
    assert points == {("h1", "m", 9.0, 0.9), ("h1", "n", 9.0, 0.9), (ON_GPU, "m", 18.0, 0.9)}
    put(recorded, "blind", "blind", accuracy=None, value=None)
    assert "blind" not in {r["network"] for r in rows(recorded, MEASURED)}


def test_measured_and_estimated_are_never_in_one_picture(recorded: Any) -> None:
    """Nor in one table; an invalid score is in neither."""
    put(recorded, "guess", "guessed", method=Method.ESTIMATED, verdict=Verdict.WARNED)
    put(recorded, "bad", "bad", verdict=Verdict.INVALID)
    for title, other_title, name in (
        (MEASURED, ESTIMATED, "network"), (RANKED, "Estimated scores", "variant"),
    ):  # fmt: skip
        assert not {"guessed", "bad"} & {r[name] for r in rows(recorded, title)}
        other = {r[name] for r in rows(recorded, other_title)}
        assert "guessed" in other
        assert "bad" not in other
    assert "guessed" not in {r["variant"] for r in rows(recorded, ENERGIES)}
    assert "bad" in {r["variant"] for r in rows(recorded, "Invalid scores")}


def test_lines_of_equal_score_are_in_the_picture_at_any_time(recorded: Any) -> None:
    """They are of no time. On each, energy is proportional to accuracy squared."""
    listed = rows(recorded, MEASURED, 1)
    assert {row["series"] for row in listed} == {"1 /mWh", "3 /mWh"}
    for row in listed:
        per_mwh = float(row["series"].split()[0])
        assert row["energy per inference"] == pytest.approx(3.6 * row["accuracy"] ** 2 / per_mwh)
    rule = panel_of(MEASURED)["fieldConfig"]["overrides"][2]
    assert re.search(rule["matcher"]["options"].strip("/"), "30 k /mWh")
    assert not re.search(rule["matcher"]["options"].strip("/"), "lab-a100")


def test_a_place_has_no_mark_where_another_has_one() -> None:
    """Rows are split by series and joined by energy: a matrix would have null there, which every
    release draws at 0 % if the axis shows it."""
    steps = [step["id"] for step in panel_of(MEASURED)["transformations"]]
    assert "groupingToMatrix" not in steps
    assert steps.index("partitionByValues") < steps.index("joinByField")


def test_the_newest_score_of_a_network_ranks(recorded: Any) -> None:
    """With its own run and words beside it, and its ratio to the best of what is shown."""
    put(recorded, "later", "m", value=7.0)
    by_place = {(r["variant"], r["place"]): r for r in rows(recorded, RANKED)}
    assert by_place["m", "h1"]["score"] == 7.0
    assert by_place["m", "h1"]["run_id"] == "later"
    assert by_place["n", "h1"]["run_id"] == "run0"
    assert by_place["m", ON_GPU]["energy_text"] == "9.0 ± 0.1 J"
    assert {r["workload"]: r["best"] for r in rows(recorded, RANKED, 1)} == {"w": 7.0}


def test_another_framework_has_a_row_of_its_own(recorded: Any) -> None:
    """And so has another GPU: neither is a newer run of the same."""
    put(recorded, "of torch", "net", settings="backend=torch")
    put(recorded, "of the GPU", "net", gpu="GPU-12345678-1234")
    places = {(row["variant"], row["place"]) for row in rows(recorded, RANKED)}
    assert {("net backend=torch", "h1"), ("net", ON_GPU)} <= places


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_matrix_is_made_of_values_that_are_there(recorded: Any, formula: str) -> None:
    """The value is computed again before it becomes a cell, and null times 1 is 0: 0 J per
    inference where a formula has no energy. So no row has null; a cell without a row is a dash."""
    for panel in PANELS:
        for step in panel["transformations"]:
            if step["id"] == "groupingToMatrix":
                assert step["options"]["emptyValue"] == "null"
                name = panel["transformations"][0].get("options", {}).get("binary", {}).get("left")
                listed = rows(recorded, panel["title"], formula=formula)
                assert all(row[name] is not None for row in listed if name), panel["title"]
    assert {row["joules_per_inference"] for row in rows(recorded, ENERGIES, formula=formula)} == {
        9.0, 18.0,
    }  # fmt: skip


def test_scores_without_energy_stand_beside_the_others(recorded: Any) -> None:
    """They have no method, which is not unlike anything to InfluxQL."""
    listed = rows(recorded, "Every score on ${reference}")
    assert {row["formula"] for row in listed if row["variant"] == "n"} == {ENERGY_SCORE, NETSCORE}
    assert {row["score"] for row in rows(recorded, SCORES, formula=NETSCORE)} == {80.0}


def test_the_reference_is_not_compared_with_itself(recorded: Any) -> None:
    """It is what the others are divided by; a network that only one of them ran has no ratio."""
    own, reference = (rows(recorded, RATIOS, number) for number in (0, 1))
    assert {row["place"] for row in own} == {ON_GPU}
    by = {row["variant"]: row["reference_joules_per_inference"] for row in reference}
    ratios = {row["variant"]: row["joules_per_inference"] / by[row["variant"]]
              for row in own if row["variant"] in by}  # fmt: skip
    assert ratios["m"] == pytest.approx(2.0)
    filtered = next(t for t in panel_of(RATIOS)["transformations"] if t["id"] == "filterByValue")
    assert {f["fieldName"] for f in filtered["options"]["filters"]} == {
        "joules_per_inference", "reference_joules_per_inference",
    }  # fmt: skip


def test_no_panel_is_repeated_for_each_host() -> None:
    """Those without a score would be empty."""
    assert not [panel["title"] for panel in PANELS if "repeat" in panel]
    assert "barchart" not in {panel["type"] for panel in PANELS}


def test_table_one_is_one_pass(recorded: Any) -> None:
    """1,000 images at 33 a second and 9 J each; estimated energy is there, and called so."""
    put(recorded, "old", "old", method=Method.ESTIMATED, gpu_utilization_ratio=None)
    row = next(r for r in rows(recorded, "Time, power, energy and use of the machine")
               if r["variant"] == "old")  # fmt: skip
    assert row["one pass"] == pytest.approx(1000 / 33)
    assert row["energy of a pass"] == pytest.approx(9000.0)
    assert row["method"] == "estimated"
    assert row["cpu_utilization_ratio"] == 0.5
    assert row["gpu_utilization_ratio"] is None


def test_an_invalid_score_says_why(recorded: Any) -> None:
    """And has no value that could be taken for one."""
    listed = [row for row in rows(recorded, "Invalid scores") if row["run_id"] == "run2"]
    assert {row["variant"] for row in listed} == {"m", "n"}
    assert all(row["findings"] for row in listed)
    assert "value" not in listed[0]


@pytest.mark.parametrize("panel", TABLES)
def test_columns_have_names_for_people(recorded: Any, panel: Any) -> None:
    """No field's name, of which people would have to guess the unit, is the head of a column."""
    assert not [head for head in _heads(recorded, panel) if "_" in head]


@pytest.mark.parametrize("panel", TABLES)
def test_columns_fit_the_panel_at_1600_px(recorded: Any, panel: Any) -> None:
    """None is cut off."""
    widths = _rules(panel, "custom.width")
    names = _columns(recorded, panel)
    if "groupingToMatrix" not in {step["id"] for step in panel["transformations"]}:
        wide = sum(widths.get(name, PLAIN_PX) for name in names)
        assert wide <= COLUMN_PX * panel["gridPos"]["w"], sorted(names)


def _rules(panel: Any, name: str) -> dict[str, Any]:
    return {
        rule["matcher"]["options"]: option["value"]
        for rule in panel["fieldConfig"]["overrides"] for option in rule["properties"]
        if option["id"] == name
    }  # fmt: skip


def _columns(recorded: Any, panel: Any) -> set[str]:
    """Of the answers, with what is computed and without what is left out or hidden."""
    names: set[str] = set()
    for target in panel["targets"]:
        for series in recorded.ask(target["datasource"]["uid"], target["query"]):
            names |= {"Time" if name == "time" else name for name in series["columns"]}
    for step in panel["transformations"]:
        options = step["options"]
        if step["id"] == "calculateField":
            names.add(options["alias"])
        elif step["id"] == "groupingToMatrix":
            names = {f"{options['rowField']}\\{options['columnField']}"}
        elif step["id"] == "filterFieldsByName":
            names -= set(options["exclude"]["names"])
        elif step["id"] == "organize" and "filter" not in step:
            names -= {name for name, left_out in options["excludeByName"].items() if left_out}
    return names - {name for name, hidden in _rules(panel, "custom.hidden").items() if hidden}


def _heads(recorded: Any, panel: Any) -> list[str]:
    called = _rules(panel, "displayName")
    return [called.get(name, name) for name in _columns(recorded, panel)]


def test_no_link_is_to_a_variable_that_is_not_there() -> None:
    """A network's name opens its run at its own time, with the run's own id."""
    urls = re.findall(r'"/d/wattmark-run/([^"]+)"', json.dumps(PANELS))
    assert urls
    for url in urls:
        assert url.startswith("run?var-run_id=${__data.fields.run_id:percentencode}&from=")
