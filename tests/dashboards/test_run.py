"""*Run*: what a run cost, whether that is sure, and power that outlives the samples."""

import json
import re
from typing import Any

import pytest

from dashboards import ranking, run
from tests.dashboards.panels import every_panel
from wattmark_core.results import Boundary

BOARD = run.make()
PANELS = list(every_panel(BOARD))


def panel_of(title: str) -> Any:
    """A panel by its title."""
    return next(panel for panel in PANELS if panel["title"] == title)


def rows(recorded: Any, title: str, **chosen: str) -> list[dict[str, Any]]:
    """What the first query of a panel answers."""
    target = panel_of(title)["targets"][0]
    answer = recorded.ask("results", target["query"], **chosen)
    return [dict(zip(s["columns"], row, strict=True)) for s in answer for row in s["values"]]


def test_it_begins_with_what_one_came_for() -> None:
    """Not with a table of one line."""
    first = [panel for panel in BOARD["panels"] if panel["gridPos"]["y"] == 0]
    assert [panel["type"] for panel in first] == ["stat"] * 5
    assert [panel["title"] for panel in first] == [
        "Energy per inference", "Accuracy", "Score, accuracy² / energy", "Mean power",
        "Verdict",
    ]  # fmt: skip
    below = next(panel for panel in BOARD["panels"] if panel["gridPos"]["y"] == 3)
    assert below["title"] == "What ran"


@pytest.mark.parametrize(("title", "expected"), [
    ("Energy per inference", "9.0 ± 0.1 J"), ("Accuracy", "90.0 ± 1.9 %"),
    ("Score, accuracy² / energy", "1.5 (1.0–2.0)"), ("Mean power", 300.0),
    ("Verdict", "valid"),
])  # fmt: skip
def test_each_number_has_its_interval(recorded: Any, title: str, expected: Any) -> None:
    """As the text that is stored with the score, of accuracy² / energy and no other formula."""
    panel = panel_of(title)
    name = panel["options"]["reduceOptions"]["fields"]
    assert {row[name] for row in rows(recorded, title)} == {expected}


def test_the_widest_boundary_of_a_run_opens(recorded: Any) -> None:
    """Of several the first: by the names in falling order, host before gpu before cpu."""
    variable = next(v for v in BOARD["templating"]["list"] if v["name"] == "boundary")
    assert variable["sort"] == 2
    assert sorted(map(str, Boundary), reverse=True)[0] == "host"
    answer = recorded.ask("results", variable["query"])
    assert [value for _, value in answer[0]["values"]] == ["host"]


def test_a_run_is_one_line_with_its_time(recorded: Any) -> None:
    """Also one that was never scored: its windows know where and when."""
    scored, timed = (
        recorded.ask("results", target["query"])[0] for target in panel_of("What ran")["targets"]
    )
    assert {"model", "workload", "settings", "gpu", "boundary"} <= set(scored["columns"])
    cells = dict(zip(timed["columns"], timed["values"][0], strict=True))
    assert (cells["run_id"], cells["host"]) == ("run0", "h1")
    assert cells["end_ms"] - cells["start_ms"] == 270_000


def test_what_did_not_pass_comes_first() -> None:
    """In words: what was found, what is allowed, what it means."""
    panel = panel_of("Checks")
    sort = next(t for t in panel["transformations"] if t["id"] == "sortBy")
    assert sort["options"]["sort"] == [{"field": "rank", "desc": False}]
    order = next(t["options"]["indexByName"] for t in reversed(panel["transformations"]))
    assert sorted(order, key=order.get)[:5] == ["verdict", "check", "found", "allowed", "meaning"]


def test_checks_are_sentences(recorded: Any) -> None:
    """With the words that are stored for them, each once."""
    listed = rows(recorded, "Checks")
    assert sorted((row["rank"], row["verdict"]) for row in listed) == [
        (0, "invalid"), (1, "warned"), (2, "valid"),
    ]  # fmt: skip
    assert {row["meaning"] for row in listed} == {"Other programs used the CPUs."}


def test_an_outlier_stands_out(recorded: Any) -> None:
    """In red, with how far it is off; the other repeats have a dash there in the text's colour."""
    outliers = {row["repeat"]: row["outlier"] for row in rows(recorded, "Repeats")}
    assert sorted(outliers.values(), key=str) == [None, "outlier: 38 % above the median"]
    rules = panel_of("Repeats")["fieldConfig"]["overrides"]
    rule = next(r for r in rules if r["matcher"]["options"] == "outlier")
    properties = {option["id"]: option["value"] for option in rule["properties"]}
    (mapping,) = properties["mappings"]
    assert mapping["options"]["result"]["color"] == "red"
    assert re.search(mapping["options"]["pattern"].strip("/"), "outlier: 38 % above the median")
    assert properties["color"] == {"mode": "fixed", "fixedColor": "text"}


def test_power_is_there_when_the_samples_are_gone(recorded: Any) -> None:
    """After 14 days: from what is stored with the results, by counter, the cores left out."""
    panel = panel_of("Power")
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${results}"}
    found = recorded.shown(panel, interval="1s")
    assert {s["tags"]["domain"] for s in found} == {"gpu", "package"}
    for series in found:
        watts = [row[1] for row in series["values"] if row[1] is not None]
        assert watts == pytest.approx([300.0] * len(watts))
        assert len(watts) == 5 * 31
        assert any(row[1] is None for row in series["values"])  # between windows nothing is known
    assert panel["fieldConfig"]["defaults"]["custom"]["lineInterpolation"] == "stepBefore"


def test_phases_share_the_axis_of_power() -> None:
    """A strip above it, and one cross-hair."""
    titles = [panel["title"] for panel in BOARD["panels"]]
    assert titles.index("Power") == titles.index("Phases") + 1
    assert panel_of("Phases")["gridPos"]["w"] == panel_of("Power")["gridPos"]["w"] == 24
    assert BOARD["graphTooltip"] == 1
    assert [annotation["name"] for annotation in BOARD["annotations"]["list"]] == ["measured"]


@pytest.mark.parametrize(("domain", "name"), [
    ("package socket0 counter", "CPU package socket0"), ("gpu GPU-12345678-90ab counter",
     "GPU 12345678"), ("package cpu estimated", "CPU package ≈ ESTIMATED"),
    ("dram socket1 integrated", "memory socket1"),
])  # fmt: skip
def test_a_counter_has_a_name_for_people(domain: str, name: str) -> None:
    """Not the tags of its series; an estimate says so."""
    for step in panel_of("Power")["transformations"]:
        regex, pattern = step["options"]["regex"].strip("/"), step["options"]["renamePattern"]
        domain = re.sub(regex, pattern.replace("$1", r"\1"), domain)
    assert domain == name


def test_a_run_is_compared_with_those_before_it(recorded: Any) -> None:
    """Of the same network, settings, place and boundary, newest first, each against the last."""
    listed = rows(recorded, "Runs of the same network")
    assert [row["run_id"] for row in listed] == ["run2", "run1", "run0"]
    assert {row["previous_text"] for row in listed} == {"×1.02 (0.98–1.06): no difference seen"}
    (sure,) = {row["findings"] for row in rows(recorded, "Is it sure?")}
    assert sure == "every check passed"


def test_every_link_carries_a_time() -> None:
    """Else power and phases would not be those of the run that it opens."""
    urls = re.findall(r'"/d/wattmark-run/([^"]+)"', json.dumps(PANELS))
    assert len(urls) >= 4
    assert all(re.search(r"&(from|time)=", url) for url in urls)


def test_everything_but_lines_is_shown_at_any_time() -> None:
    """A run of last year that is chosen from the list has its numbers, checks and repeats."""
    for panel in PANELS:
        if panel["title"] not in {"Power", "Phases", "Use"}:
            for target in panel["targets"]:
                assert "$timeFilter" not in target["query"], panel["title"]


ODD = "it's \"o'w\" /^.*$/ , a=b"


def test_a_name_may_hold_quotes(recorded: Any) -> None:
    """Of runs, workloads, networks and places: every query of *Run* and *Ranking* answers."""
    names = ("run_id", "workload", "variant", "place", "reference", "formula")
    chosen = dict.fromkeys(names, ODD)
    for board in (BOARD, ranking.make()):
        queries = [(p["title"], t["query"]) for p in every_panel(board) for t in p["targets"]
                 if t["datasource"]["uid"] == "${results}"]  # fmt: skip
        queries += [(v["name"], v["query"]) for v in board["templating"]["list"]
                  if v["type"] == "query" and v["datasource"]["uid"] == "${results}"]  # fmt: skip
        for title, query in queries:
            text = recorded.expand(query, **chosen)
            answer = recorded.influxd.query("results", text, user="grafana")
            assert "error" not in answer, (title, answer)
