"""The dashboards as JSON: fresh, whole, laid out, of what Grafana 9.4 knows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboards.generate import DASHBOARDS, files

KINDS = {"timeseries", "stat", "table", "barchart", "state-timeline", "text"}
TRANSFORMATIONS = {"sortBy", "organize", "groupingToMatrix", "joinByField", "calculateField"}
UIDS = {"live-host": "wattmark-live", "run": "wattmark-run", "ranking": "wattmark-ranking",
        "fleet": "wattmark-fleet"}  # fmt: skip
BOARDS: dict[str, Any] = {name: make() for name, make in DASHBOARDS.items()}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items() for panel in board["panels"]
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
    assert {each["id"] for each in panel["transformations"]} <= TRANSFORMATIONS


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
    """They have numbers of their own and stay within 24 columns."""
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
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
    assert used <= set(names)
    assert "$interval" not in text or "interval" in names
    for variable in variables:
        asked = re.findall(r"\$\{(\w+)", f"{variable.get('query')}{variable.get('datasource')}")
        assert all(names.index(each) < names.index(variable["name"]) for each in asked)


def test_links_lead_to_a_run_at_its_time() -> None:
    """They name a dashboard and a variable that exist, and times in ms as numbers: as they are
    shown, they would be dates."""
    links = re.findall(r'"/d/([^"]+)"', json.dumps(BOARDS))
    assert links
    for link in links:
        uid, variable = re.match(r"([\w-]+)/\w+\?var-(\w+)=", link).groups()  # type: ignore[union-attr]
        board = next(each for each in BOARDS.values() if each["uid"] == uid)
        assert variable in {each["name"] for each in board["templating"]["list"]}
        assert re.search(
            r"&(from|time)=\$\{__data\.fields\.\w+\.numeric\}&(to|time\.window)=", link
        )


@pytest.mark.parametrize("panel", PANELS)
def test_what_a_table_shows_is_asked_for(panel: Any) -> None:
    """Columns with a unit or a link, and what links and transformations name, are in the query."""
    if panel["type"] != "table" or not panel["targets"]:
        return
    rules = json.dumps([panel["fieldConfig"]["overrides"], panel["transformations"]])
    made = {"Time", *re.findall(r'"alias": "([^"]+)"', rules)}
    asked = set(re.findall(r'"(\w+)"', " ".join(target["query"] for target in panel["targets"])))
    names = {
        *re.findall(r"__data\.fields\.(\w+)", rules),
        *re.findall(r'"(?:byField|columnField|rowField|valueField|left)": "(\w+)"', rules),
    }
    assert names <= asked | made
