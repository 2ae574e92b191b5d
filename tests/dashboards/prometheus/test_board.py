"""The dashboard over Prometheus as JSON: whole, in words, of what Grafana 9.4 knows."""

import json
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import promql
from dashboards.generate import PROMETHEUS_DASHBOARDS, RULES
from dashboards.prometheus_sensors import ABSENT, MEASURES
from tests.dashboards.panels import every_panel
from wattmark_core.catalogue import BY_NAME, SOURCE_ORDER
from wattmark_exporters.choice import built_in

README = Path(__file__).parents[3] / "grafana/README.md"
KINDS = {"timeseries", "stat", "table", "state-timeline", "bargauge"}
UIDS = {"prometheus-host": "wattmark-prometheus-host"}
BOARDS: dict[str, Any] = {name: make() for name, make in PROMETHEUS_DASHBOARDS.items()}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in every_panel(board)
]  # fmt: skip
FIRST_SCREEN_ROWS = 20
"""Of 38 px each: what a screen of 900 px shows."""


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_is_described(panel: Any) -> None:
    """Title, description, unit, and a sentence for the empty state; no query without a name for
    its series; 0 is the foot of every axis and of every bar."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    if panel["type"] == "stat":  # it would write a sentence in letters of 4 px
        assert defaults["noValue"] == "–"
        assert re.search(r" Nothing there: .*[.?]$", panel["description"])
    else:
        red_corner = r"\w[.?] \(With a red corner: the query failed, click it\.\)$"
        assert re.search(red_corner, defaults["noValue"])
    assert panel["type"] in KINDS
    if panel["type"] in {"timeseries", "bargauge"}:
        assert defaults["min"] == 0
    if panel["type"] != "table":
        assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("panel", PANELS)
def test_every_query_asks_the_chosen_prometheus(panel: Any) -> None:
    """Which is a variable, about the chosen exporter; each query has a letter of its own."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == source
    for target in panel["targets"]:
        assert target["datasource"] == source
        assert target["instant"] is not target["range"]
        selectors = re.findall(r"\b(?:wattmark[\w:]+|up)(?!\w)(.?)", target["expr"])
        assert set(selectors) == {"{"}
        assert target["expr"].count("{") == target["expr"].count('{instance="$instance"')
    letters = [target["refId"] for target in panel["targets"]]
    assert len(set(letters)) == len(letters) > 0


def test_every_name_is_in_the_catalogue_or_recorded() -> None:
    """In the queries, and in what the rules are made from."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    recorded = {rule["record"] for rule in rules}
    texts = [rule["expr"] for rule in rules]
    texts += [target["expr"] for panel in PANELS for target in panel.values[0]["targets"]]  # type: ignore[index]
    used = set(re.findall(r"\bwattmark[:_]\w+", " ".join(texts)))
    assert used <= set(BY_NAME) | recorded
    assert recorded <= used


def test_a_name_that_the_catalogue_lacks_is_refused() -> None:
    """So a dashboard cannot be made of it."""
    with pytest.raises(KeyError, match="power has no volts"):
        promql.name("power", "volts")
    with pytest.raises(KeyError):
        promql.gauge("fan", "speed_hertz")
    with pytest.raises(ValueError, match="no rate"):
        promql.rate("memory", "used_bytes")


@pytest.mark.parametrize("panel", PANELS)
def test_a_share_ends_at_all_of_it(panel: Any) -> None:
    """An axis of per cent goes to 100 %, also where all is 0."""
    defaults = panel["fieldConfig"]["defaults"]
    if (panel["type"], defaults["unit"]) == ("timeseries", "percentunit"):
        assert defaults["max"] == 1


@pytest.mark.parametrize("panel", PANELS)
def test_a_table_has_columns_for_people(panel: Any) -> None:
    """No name of a field or label is a column's, and an empty cell is a dash."""
    if panel["type"] != "table":
        return
    dash, *columns = panel["fieldConfig"]["overrides"]
    assert dash["properties"] == [{"id": "noValue", "value": "–"}]
    called: dict[str, dict[str, Any]] = {
        column["matcher"]["options"]: {
            option["id"]: option["value"] for option in column["properties"]
        }
        for column in columns
    }
    assert called["Time"] == {"custom.hidden": True}
    for target in panel["targets"]:
        assert re.fullmatch(r"[a-z]+", called[f"Value #{target['refId']}"]["displayName"])


@pytest.mark.parametrize("name", PROMETHEUS_DASHBOARDS)
def test_a_dashboard_keeps_its_address(name: str) -> None:
    """Bookmarks hold its uid; nobody edits it in the browser."""
    assert BOARDS[name]["uid"] == UIDS[name]
    assert BOARDS[name]["editable"] is False
    assert "wattmark" in BOARDS[name]["tags"]


@pytest.mark.parametrize("name", PROMETHEUS_DASHBOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    """They have numbers of their own and stay within 24 columns; a closed row takes one line, and
    its panels lie below it."""
    board = BOARDS[name]
    panels = [panel for row in board["panels"] for panel in [row, *row.get("panels", [])]]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for shown in [board["panels"], *(row["panels"] for row in board["panels"] if "panels" in row)]:
        taken: set[tuple[int, int]] = set()
        for panel in shown:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
            assert not cells & taken
            assert at["x"] + at["w"] <= 24
            taken |= cells
    for row in board["panels"]:
        for panel in row.get("panels", []):
            assert panel["gridPos"]["y"] == row["gridPos"]["y"] + 1


@pytest.mark.parametrize("name", PROMETHEUS_DASHBOARDS)
def test_every_variable_in_use_is_there(name: str) -> None:
    """Beside Grafana's own."""
    names = {variable["name"] for variable in BOARDS[name]["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(BOARDS[name])))
    assert used == {*names, "__range", "__rate_interval"}


def test_the_first_screen_shows_where_the_power_goes() -> None:
    """Power now, its parts over time, energy by part, and whether the sensors are to be trusted."""
    shown = {
        row["title"] for board in BOARDS.values() for row in board["panels"]
        if row["gridPos"]["y"] + row["gridPos"]["h"] <= FIRST_SCREEN_ROWS
    }  # fmt: skip
    assert shown == {"Power now", "Mean power", "Energy in the shown time", "In use", "Power",
                     "Energy by part", "Sensors"}  # fmt: skip


def test_every_sensor_has_words() -> None:
    """Those of the exporter that say more here than their name, and no others; one that is added
    shows under its own name without a change of the dashboard."""
    sensors = {kind.name for kind in built_in()}
    assert set(ABSENT) == set(MEASURES) <= sensors
    assert set(ABSENT) >= {"rapl", "nvml", "host", "estimate"}
    assert set(MEASURES) - {"host"} <= set(SOURCE_ORDER)


def test_the_readmes_configuration_is_sound(tmp_path: Path) -> None:
    """``promtool check config`` passes it, the rules beside it."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: apt install prometheus")
    readme = README.read_text(encoding="utf-8")
    match = re.search(r"```yaml\n(.*?)```", readme.partition("## Without InfluxDB")[2], re.DOTALL)
    assert match is not None
    (tmp_path / "prometheus.yml").write_text(textwrap.dedent(match[1]))
    (tmp_path / RULES.name).write_bytes(RULES.read_bytes())
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "SUCCESS: 6 rules found" in done.stdout
