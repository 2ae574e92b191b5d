"""The dashboards as JSON: fresh, whole, laid out, of what Grafana 10.4 knows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboards.colors import DOMAINS, PHASES
from dashboards.generate import DASHBOARDS, files
from tests.dashboards.panels import every_panel
from wattmark_runner.views.charts import style_sheet

ROOT = Path(__file__).parents[2]
KINDS = {
    "timeseries", "stat", "table", "bargauge", "state-timeline", "text", "alertlist", "xychart",
}  # fmt: skip
TRANSFORMATIONS = {
    "sortBy", "organize", "groupingToMatrix", "joinByField", "filterFieldsByName", "renameByRegex",
    "filterByValue", "partitionByValues", "merge", "convertFieldType", "calculateField",
}  # fmt: skip
UIDS = {"home": "wattmark-home", "live-host": "wattmark-live", "run": "wattmark-run",
        "ranking": "wattmark-ranking", "fleet": "wattmark-fleet"}  # fmt: skip
BOARDS: dict[str, Any] = {name: make() for name, make in DASHBOARDS.items()}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in every_panel(board)
]  # fmt: skip


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_files_are_fresh(path: Path) -> None:
    """What is committed is what the catalogue makes: if not, `make dashboards`."""
    assert path.read_text(encoding="utf-8") == files()[path]


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_is_described(panel: Any) -> None:
    """Title, description, unit, a word for the empty state, and a kind that Grafana has."""
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert panel["type"] in KINDS
    assert {step["id"] for step in panel["transformations"]} <= TRANSFORMATIONS


@pytest.mark.parametrize("panel", PANELS)
def test_every_query_asks_the_panels_data_source(panel: Any) -> None:
    """Which is a variable, and each query has a letter of its own."""
    uid = panel["datasource"]["uid"]
    assert re.fullmatch(r"\$\{\w+\}", uid)
    assert all(target["datasource"]["uid"] == uid for target in panel["targets"])
    letters = [target["refId"] for target in panel["targets"]]
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_keeps_its_address(name: str) -> None:
    """Links and bookmarks hold its uid; nobody edits it in the browser."""
    assert BOARDS[name]["uid"] == UIDS[name]
    assert BOARDS[name]["editable"] is False
    assert "wattmark" in BOARDS[name]["tags"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    """They have numbers of their own and stay within 24 columns, in closed rows as well."""
    board = BOARDS[name]
    everything = [*board["panels"], *(p for row in board["panels"] for p in row.get("panels", []))]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for panels in (board["panels"], *(row["panels"] for row in board["panels"] if "panels" in row)):
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}  # fmt: skip
            assert not cells & taken
            assert at["x"] + at["w"] <= 24
            taken |= cells


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_in_use_is_there(name: str) -> None:
    """In queries, titles and links; and a variable stands after those that it is made of."""
    variables = BOARDS[name]["templating"]["list"]
    names = [variable["name"] for variable in variables]
    text = json.dumps(BOARDS[name])
    used = {found.split(":")[0] for found in re.findall(r"\$\{([\w:]+)\}", text)}
    assert used - {"__from", "__to", "__url_time_range"} <= set(names)
    assert "$interval" not in text
    for variable in variables:
        needed = re.findall(r"\$\{(\w+)", f"{variable.get('query')}{variable.get('datasource')}")
        assert all(names.index(used_name) < names.index(variable["name"]) for used_name in needed)


def test_links_lead_to_dashboards_and_variables_that_exist() -> None:
    """And to a run at its time, in ms as a number: as it is shown, it would be a date."""
    links = re.findall(r'"/d/([^"]+)"', json.dumps(BOARDS))
    assert links
    for link in links:
        uid, _, query = link.partition("?")
        board = next(
            candidate for candidate in BOARDS.values() if candidate["uid"] == uid.split("/")[0]
        )
        variables = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) <= variables
        if board["uid"] == "wattmark-run" and query:
            assert re.search(
                r"&(from|time)=\$\{__data\.fields\.\w+\.numeric\}&(to|time\.window)=", link
            )


@pytest.mark.parametrize("name", DASHBOARDS)
def test_at_most_four_pickers(name: str) -> None:
    """Data sources and what follows from another choice are hidden."""
    shown = [variable for variable in BOARDS[name]["templating"]["list"] if variable["hide"] == 0]
    assert len(shown) <= 4
    assert not [variable for variable in shown if variable["type"] == "datasource"]


@pytest.mark.parametrize("panel", PANELS)
def test_an_empty_panel_says_what_to_do_and_an_empty_cell_is_a_dash(panel: Any) -> None:
    """A table's default is the text of an empty table; every cell's own is the dash."""
    if panel["type"] in {"text", "alertlist"}:
        return
    text = panel["fieldConfig"]["defaults"]["noValue"]
    if panel["type"] == "stat":  # it would write a sentence in letters of 4 px
        assert text == "–"
        assert re.search(r" Nothing there: .*[.?!]$", panel["description"])
    else:
        assert re.search(r"[.?!] \(With a red corner: the query failed, click it\.\)$", text)
    if panel["type"] in {"table", "xychart"}:
        first = panel["fieldConfig"]["overrides"][0]
        assert first["matcher"] == {"id": "byRegexp", "options": "/.*/"}
        assert first["properties"] == [{"id": "noValue", "value": "–"}]


@pytest.mark.parametrize("panel", PANELS)
def test_a_share_ends_at_the_whole(panel: Any) -> None:
    """Without a largest value an axis of shares goes on to 10,000 % around a flat zero."""
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] == "timeseries" and defaults["unit"] == "percentunit":
        assert defaults["max"] == 1


@pytest.mark.parametrize("panel", PANELS)
def test_what_a_table_shows_is_asked_for(panel: Any) -> None:
    """Columns with a unit or a link, and what links and transformations name, are in the query."""
    if panel["type"] != "table" or not panel["targets"]:
        return
    rules = json.dumps([panel["fieldConfig"]["overrides"], panel["transformations"]])
    made = {"Time", *re.findall(r'"alias": "([^"]+)"', rules)}
    named = set(re.findall(r'"(\w+)"', " ".join(target["query"] for target in panel["targets"])))
    names = {
        *re.findall(r"__data\.fields\.(\w+)", rules),
        *re.findall(r'"(?:byField|columnField|rowField|valueField|left)": "(\w+)"', rules),
    }
    assert names <= named | made


def test_a_colour_looks_the_same_wherever_a_person_sees_it() -> None:
    """On the page and in reports as in Grafana, in light and dark; no file has one of its own."""
    style = style_sheet()
    marks = [*PHASES.items(), *DOMAINS.items()]
    for name, (_, color) in marks:
        assert re.findall(rf"--{name}: (#\w+);", style) == [color]
    for file in (
        "runner/wattmark_runner/service/page/style.css", "cli/wattmark_cli/report.html.j2",
    ):  # fmt: skip
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r"(?<!&)#(?:[0-9a-fA-F]{3}){1,2}\b", text) == []
    drawn = set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(BOARDS)))
    assert {color for _, (_, color) in marks} & drawn
