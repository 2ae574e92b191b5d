"""What holds for every panel of every dashboard, on the data of a lab, by Grafana's own library."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dashboards.generate import DASHBOARDS
from tools.pictures.asking import Asker, Server
from tools.pictures.browser import picture
from tools.pictures.demo.write import write
from tools.pictures.drawing import LEGEND_SHARE, Entry, drawn, legend_height
from tools.pictures.library import Library, LibraryMissing, Shown, Span, Variable
from tools.pictures.page import WIDTH_PX, AnsweredPanel, answered_panels, page
from tools.pictures.tables import widths

WITHOUT_DATA = {"row", "text", "alertlist", "dashlist"}
DASHES = {"–", "-", "—", ""}
SENTENCE = 20
"""Letters: an empty panel says why and what to do in more."""
every_board = pytest.mark.parametrize("name", list(DASHBOARDS))


class Boards:
    """Each dashboard as it opens, all rows open, asked once."""

    def __init__(self, server: Server, library: Library) -> None:
        self.library = library
        self._server = server
        self._found: dict[str, list[AnsweredPanel]] = {}

    def asker(self, name: str) -> Asker:
        """At the dashboard's own time."""
        self.library.span = self.library.spanned(DASHBOARDS[name]()["time"]["from"], "now")
        return Asker(self._server, self.library, self.library.span)

    def panels(self, name: str, *kinds: str) -> list[AnsweredPanel]:
        """Its panels of some kinds, or all that have data."""
        if name not in self._found:
            board, asker = DASHBOARDS[name](), self.asker(name)
            variables = asker.choose(board["templating"]["list"], {})
            self._found[name] = answered_panels(board, asker, variables, open_rows=True)
        return [
            panel for panel in self._found[name]
            if (kinds and panel.question.panel["type"] in kinds)
            or (not kinds and panel.question.panel["type"] not in WITHOUT_DATA)
        ]  # fmt: skip

    def asked_again(
        self, panel: AnsweredPanel, change: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], Shown]:
        """The panel's answers, changed, and what it shows of them."""
        answers = [change(answer) for answer in panel.question.answers]
        return answers, self.library.shown([replace(panel.question, answers=answers)])[0]


def _emptied(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Each row without all but its time and its first column."""
    emptied = []
    for series in answer.get("series", []):
        fixed = 2 if series["columns"][0] == "time" else 1
        rows = [row[:fixed] + [None] * (len(row) - fixed) for row in series["values"]]
        emptied.append({**series, "values": rows})
    return {**answer, "series": emptied} if emptied else dict(answer)


@pytest.fixture(scope="module")
def boards(influxd: Any) -> Iterator[Boards]:
    """All dashboards on the lab's data."""
    influxd.make_databases()
    server = Server(influxd.address, "admin", influxd.password_file("admin").read_text())
    write(server, int(time.time()), step_s=5, days=1)
    try:
        with Library(Span(0, 1)) as library:
            yield Boards(server, library)
    except LibraryMissing as error:
        pytest.skip(str(error))
    finally:
        influxd.make_databases()


def _all_panels() -> Iterator[Any]:
    for name, make in DASHBOARDS.items():
        for panel in make()["panels"]:
            for each in (panel, *(panel.get("panels") or ())):
                if each["type"] != "row":
                    yield pytest.param(each, id=f"{name}: {each['title']}")


every_panel = pytest.mark.parametrize("panel", list(_all_panels()))


@every_panel
def test_a_panel_says_what_it_shows(panel: Any) -> None:
    """In its title and, at more length, in its description."""
    assert panel["title"]
    assert len(panel["description"]) > len(panel["title"]) / 2


@every_panel
def test_a_panel_has_a_unit_and_an_empty_text(panel: Any) -> None:
    """The text says why there is nothing and what to do, and is not that of a query that failed."""
    if panel["type"] in WITHOUT_DATA:
        return
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    if panel["type"] == "stat":  # it writes a sentence in letters of 4 px
        assert defaults["noValue"] == "–"
        assert "Nothing there: " in panel["description"]
    else:
        assert len(defaults["noValue"]) >= SENTENCE
        assert "red corner" in defaults["noValue"]


@every_board
def test_nothing_fails(boards: Boards, name: str) -> None:
    """Neither a query nor a transformation."""
    failed = {panel.title: panel.error for panel in boards.panels(name) if panel.error}
    assert failed == {}


@every_board
def test_an_empty_cell_of_a_table_is_a_dash(boards: Boards, name: str) -> None:
    """No sentence, whatever the panel says when all of it is empty."""
    wrong = {}
    for panel in boards.panels(name, "table"):
        _, shown = boards.asked_again(panel, _emptied)
        texts = {
            field.texts[row]
            for frame in shown.frames for field in frame.columns
            for row, value in enumerate(field.values) if value is None
        }  # fmt: skip
        if texts - DASHES:
            wrong[panel.title] = texts - DASHES
    assert wrong == {}


@every_board
def test_no_head_of_a_table_is_a_field_name(boards: Boards, name: str) -> None:
    """``joules_per_inference_low`` is nobody's word."""
    wrong = {
        panel.title: found
        for panel in boards.panels(name, "table")
        if (found := [head for head in panel.shown.heads if re.search(r"[_\\]", head) or not head])
    }
    assert wrong == {}


@every_board
def test_what_is_missing_stays_missing(boards: Boards, name: str) -> None:
    """No zero is shown that was not measured, where runs have no energy or no accuracy, and where
    every other row is missing."""
    wrong = {}
    for panel in boards.panels(name):
        thinner = boards.asked_again(panel, _thinned)
        for answers, shown in ((panel.question.answers, panel.shown), thinner):
            zeros = {
                (field.title, field.texts[row])
                for frame in shown.frames for field in frame.fields if field.type == "number"
                for row, value in enumerate(field.values) if value == 0
            }  # fmt: skip
            if zeros and not _has_zero(answers):
                wrong[panel.title] = zeros
    assert wrong == {}


def _thinned(answer: Mapping[str, Any]) -> dict[str, Any]:
    series = [{**one, "values": one["values"][::2]} for one in answer.get("series", [])]
    return {**answer, "series": series} if series else dict(answer)


def _has_zero(answers: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        value == 0
        for answer in answers for series in answer.get("series", ())
        for row in series["values"] for value in row if not isinstance(value, bool)
    )  # fmt: skip


@every_board
def test_no_column_is_cut_off(boards: Boards, name: str) -> None:
    """Each table fits into its panel on a screen of 1,600 px."""
    wrong = {}
    for panel in boards.panels(name, "table"):
        for frame in panel.shown.frames[:1]:
            room, needed = panel.inner[0], sum(widths(frame.columns, panel.inner[0]))
            if needed > room + 1:
                wrong[panel.title] = f"{needed:.0f} px of columns in {room} px"
    assert wrong == {}


@every_board
def test_no_legend_below_a_chart_is_cut_off(boards: Boards, name: str) -> None:
    """Each line has its name, on a screen of 1,600 px."""
    wrong = {}
    for panel in boards.panels(name, "timeseries"):
        legend = panel.question.panel["options"]["legend"]
        if not legend["showLegend"] or legend["placement"] != "bottom":
            continue
        entries = [
            Entry(field.title, field.color, list(field.calcs.items()))
            for frame in panel.shown.frames for field in frame.fields
            if field.type == "number" and drawn(field)
        ]  # fmt: skip
        width, height = panel.inner
        needed = legend_height(entries, width, table=legend["displayMode"] == "table")
        if entries and needed > height * LEGEND_SHARE + 24:
            wrong[panel.title] = f"{len(entries)} names want {needed} px of {height}"
    assert wrong == {}


@every_board
def test_every_link_is_whole(boards: Boards, name: str) -> None:
    """No variable and no field of a link is left as it was written."""
    wrong = {
        panel.title: link.href
        for panel in boards.panels(name)
        for frame in panel.shown.frames for field in frame.fields
        for links in field.links for link in links if re.search(r"\$|=(&|$)", link.href)
    }  # fmt: skip
    assert wrong == {}


@every_board
def test_a_dashboard_can_be_drawn(boards: Boards, name: str) -> None:
    """All its panels, each in its kind's way."""
    made = page(DASHBOARDS[name](), boards.asker(name), {}, open_rows=True)
    assert made.errors == {}
    assert made.html.count('class="panel') == len(boards.panels(name)) + len(
        boards.panels(name, *(WITHOUT_DATA - {"row"}))
    )
    assert "is not drawn here" not in made.html


def test_a_picture_is_made(boards: Boards, tmp_path: Any) -> None:
    """By chromium, as wide as a screen."""
    name = next(iter(DASHBOARDS))
    made = page(DASHBOARDS[name](), boards.asker(name), {})
    path = tmp_path / "board.png"
    picture(made.html, path, WIDTH_PX, made.height)
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_a_variable_stands_for_all(boards: Boards) -> None:
    """A variable that opens on all of its values asks for any of them."""
    asker = boards.asker(next(iter(DASHBOARDS)))
    listed = [{
        "name": "host", "type": "query", "multi": True, "includeAll": True, "allValue": ".*",
        "query": 'SHOW TAG VALUES FROM "energy" WITH KEY = "host"', "sort": 1,
        "datasource": {"uid": "wattmark-telemetry"}, "current": {"value": "$__all"},
    }]  # fmt: skip
    found = asker.choose(listed, {})["host"]
    assert found == Variable(("lab-a100", "node03", "vm"), several=True, every=".*")
