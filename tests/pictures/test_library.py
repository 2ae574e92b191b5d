"""What a panel shows of InfluxDB's answers, by Grafana's own library."""

from collections.abc import Iterator
from typing import Any

import pytest

from tools.pictures.library import Library, LibraryMissing, Question, Shown, Span, Variable

NOW_MS = 1_764_000_000_000
SPAN = Span(NOW_MS - 3_600_000, NOW_MS)
TABLE: dict[str, Any] = {
    "type": "table", "fieldConfig": {"defaults": {"unit": "none", "noValue": "–"}, "overrides": []},
    "targets": [{"refId": "A", "resultFormat": "table", "alias": "$col"}], "transformations": [],
}  # fmt: skip
STAT: dict[str, Any] = {
    "type": "stat", "fieldConfig": {"defaults": {"unit": "watt"}, "overrides": []},
    "targets": [{"refId": "A", "resultFormat": "time_series", "alias": "$tag_host [[tag_domain]]"}],
}  # fmt: skip
RUNS = {"series": [{
    "name": "window", "columns": ["time", "run_id", "joules", "verdict"],
    "values": [[NOW_MS, "r1", 0.0123, "valid"], [NOW_MS + 1000, "r 2", None, "invalid"]],
}]}  # fmt: skip
WATTS = {"series": [{
    "name": "power", "tags": {"host": "a", "domain": "gpu"}, "columns": ["time", "watts"],
    "values": [[NOW_MS, 1.5], [NOW_MS + 1, 250.123], [NOW_MS + 2, None]],
}]}  # fmt: skip


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    """The library, started once."""
    try:
        with Library(SPAN) as started:
            yield started
    except LibraryMissing as error:
        pytest.skip(str(error))


def ask(library: Library, panel: Any, *answers: Any, **variables: Variable) -> Shown:
    found = library.shown([Question(panel, answers, variables)])[0]
    assert not found.error
    return found


def with_override(name: str, **properties: Any) -> dict[str, Any]:
    made = [{"id": key, "value": value} for key, value in properties.items()]
    override = {"matcher": {"id": "byName", "options": name}, "properties": made}
    return {**TABLE, "fieldConfig": {**TABLE["fieldConfig"], "overrides": [override]}}


def test_a_table_shows_units_and_dashes(library: Library) -> None:
    """An override's unit and name reach the column; an empty cell has the dash of ``noValue``."""
    found = ask(library, with_override("joules", unit="joule", displayName="energy"), RUNS)
    assert found.heads == ["Time", "run_id", "energy", "verdict"]
    assert [row["energy"] for row in found.rows] == ["12.3 mJ", "–"]


def test_a_hidden_column_is_left_out(library: Library) -> None:
    """As tables do with ``custom.hidden``; it is still there for links."""
    found = ask(library, with_override("joules", **{"custom.hidden": True}), RUNS)
    assert found.heads == ["Time", "run_id", "verdict"]
    assert found.frames[0].fields[2].name == "joules"


def test_a_link_carries_the_row(library: Library) -> None:
    """Values of other columns, as they are and as they are shown, the time and a variable."""
    url = "/d/x?var-run_id=${__data.fields.run_id}&from=${__data.fields.Time.numeric}&w=${w}"
    panel = with_override("run_id", links=[{"title": "Open ${__value.text}", "url": url}])
    found = ask(library, panel, RUNS, w=Variable(("digits",)))
    link = found.frames[0].fields[1].links[0][0]
    assert link.title == "Open r1"
    assert link.href == f"/d/x?var-run_id=r1&from={NOW_MS}&w=digits"


def test_a_mapping_colors_its_value(library: Library) -> None:
    """By Grafana's dark theme."""
    mapping = {"type": "value", "options": {"invalid": {"color": "red", "text": "✗", "index": 0}}}
    field = ask(library, with_override("verdict", mappings=[mapping]), RUNS).frames[0].fields[3]
    assert list(field.texts) == ["valid", "✗"]
    assert field.colors[1] == "#F2495C"


def test_transformations_run_before_overrides(library: Library) -> None:
    """Sorted, and renamed columns are met by their new names."""
    panel = with_override("energy", unit="joule") | {"transformations": [
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "run_id", "desc": False}]}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {},
                                       "renameByName": {"joules": "energy", "run_id": "run"}}},
    ]}  # fmt: skip
    assert ask(library, panel, RUNS).rows == [
        {"run": "r 2", "energy": "–", "verdict": "invalid"},
        {"run": "r1", "energy": "12.3 mJ", "verdict": "valid"},
    ]


def test_an_empty_cell_of_a_matrix_is_a_dash(library: Library) -> None:
    """A missing energy is not 0 J."""
    matrix = {"columnField": "run_id", "rowField": "verdict", "valueField": "joules",
              "emptyValue": "null"}  # fmt: skip
    panel = {**TABLE, "transformations": [{"id": "groupingToMatrix", "options": matrix}]}
    fields = ask(library, panel, RUNS).frames[0].fields
    assert [(field.name, list(field.texts)) for field in fields] == [
        ("verdict\\run_id", ["valid", "invalid"]), ("r1", ["0.0123", "–"]), ("r 2", ["–", "–"]),
    ]  # fmt: skip


@pytest.mark.parametrize(("naming", "titles"), [
    ({"asLabels": False}, ["valid joules", "invalid joules"]),
    ({"asLabels": True}, ["joules valid", "joules invalid"]),
])  # fmt: skip
def test_rows_are_split_by_a_column(library: Library, naming: object, titles: list[str]) -> None:
    """As by "Partition by values", which Grafana's application has and the library lacks."""
    split = {"id": "partitionByValues", "options": {"fields": ["verdict"], "naming": naming}}
    found = ask(library, {**TABLE, "transformations": [split]}, RUNS)
    assert [len(frame.rows()) for frame in found.frames] == [1, 1]
    assert [frame.heads[2] for frame in found.frames] == titles


def test_a_series_is_called_by_its_alias(library: Library) -> None:
    """With both ways to name a tag; a stat shows its last value that is not missing."""
    found = ask(library, STAT, WATTS)
    assert [(number.title, number.text) for number in found.numbers] == [("a gpu", "250 W")]


def test_an_empty_answer_has_no_frames(library: Library) -> None:
    """As from Grafana's InfluxDB source."""
    assert ask(library, TABLE, {"statement_id": 0}).frames == []


def test_a_transformation_that_is_not_there_is_an_error(library: Library) -> None:
    """Grafana would pass over it in silence."""
    panel = {**TABLE, "transformations": [{"id": "noSuchThing", "options": {}}]}
    found = library.shown([Question(panel, [RUNS])])[0]
    assert found.error == "no transformation is called noSuchThing"


def test_variables_in_queries(library: Library) -> None:
    """In the formats that the dashboards use; what is no variable stays."""
    variables = {"host": Variable(("a.b", "c"), several=True), "w": Variable(("x",)),
                 "all": Variable(("a",), several=True, every=".*")}  # fmt: skip
    query = "${host:regex} $host '${w:raw}' /^${all:regex}$/ $timeFilter"
    filled = library.filled([query], variables, queries=True)
    assert filled == [r"(a\.b|c) (a\.b|c) 'x' /^.*$/ $timeFilter"]


def test_an_axis_has_units(library: Library) -> None:
    """By the unit, with an SI prefix."""
    assert library.texts({"unit": "watt"}, [0.0, 0.5, 1.0], 1) == ["0 W", "500 mW", "1 W"]
