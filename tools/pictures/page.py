"""A dashboard as one HTML page of a fixed width, as Grafana would lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from tools.pictures import lines, marks, numbers, scatter, tables
from tools.pictures.asking import Asker, database_of
from tools.pictures.drawing import Draw, Drawing, Region
from tools.pictures.layout import Placed, opened, placed
from tools.pictures.library import Json, Question, Shown, Span, Variable

WIDTH_PX: Final = 1600
MARGIN_PX: Final = 16
HEAD_PX: Final = 96
"""Title, links and variables."""
TITLE_PX: Final = 32
PAD_PX: Final = 8
OTHER_PANEL: Final = "-- Dashboard --"
FONT: Final = Path(__file__).parent / "node/node_modules/@fontsource-variable/inter/files"
LETTERS: Final = {
    "latin": "U+0000-00FF,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212",
    "latin-ext": "U+0100-02BA,U+1E00-1E9F",
}
DRAW: Final[Mapping[str, Draw]] = {
    "timeseries": lines.draw, "table": tables.table, "text": tables.text, "stat": numbers.stat,
    "gauge": numbers.gauge, "bargauge": numbers.bar_gauge, "barchart": marks.bars,
    "state-timeline": marks.states, "xychart": scatter.draw,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BoardPage:
    """What was made: HTML, its height in px, and what went wrong by the panel's title."""

    html: str
    height: int
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AnsweredPanel:
    """A panel at its place, with what was asked for it, and what it shows."""

    place: Placed
    question: Question
    shown: Shown
    title: str

    @property
    def error(self) -> str:
        """What went wrong, of the queries or of the transformations."""
        wrong = [str(answer["error"]) for answer in self.question.answers if "error" in answer]
        return "; ".join([*wrong, *([self.shown.error] if self.shown.error else [])])

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height of what is inside the panel's frame and title, px."""
        head = TITLE_PX if self.title else 0
        return self.place.width - 2 * PAD_PX - 2, self.place.height - head - 2 * PAD_PX - 2


def answered_panels(
    board: Json, asker: Asker, variables: Mapping[str, Variable], *, open_rows: bool = False
) -> list[AnsweredPanel]:
    """Every panel of a dashboard that is seen, with its answers."""
    panels = opened(board["panels"]) if open_rows else board["panels"]
    places = placed(panels, variables, WIDTH_PX - 2 * MARGIN_PX)
    questions = [_question(place, board, asker, _span(place.panel, asker)) for place in places]
    all_shown = asker.library.shown(questions)
    return [
        AnsweredPanel(place, question, shown, asker.library.filled(
            [str(question.panel.get("title", ""))], place.variables)[0])
        for place, question, shown in zip(places, questions, all_shown, strict=True)
    ]  # fmt: skip


def page(
    board: Json, asker: Asker, chosen: Mapping[str, str], *, open_rows: bool = False
) -> BoardPage:
    """The dashboard at its asker's time. ``chosen``: values of variables."""
    variables = asker.choose(board["templating"]["list"], chosen)
    panels = answered_panels(board, asker, variables, open_rows=open_rows)
    regions = _regions(board, asker, variables)
    boxes = "".join(_panel(panel, asker, regions) for panel in panels)
    bottom = max((panel.place.top + panel.place.height for panel in panels), default=0)
    height = HEAD_PX + bottom + MARGIN_PX
    html = _document(board, variables, asker.span, boxes, height)
    return BoardPage(html, height, {panel.title: panel.error for panel in panels if panel.error})


def _span(panel: Json, asker: Asker) -> Span:
    """The panel's own time, where it has one."""
    since = panel.get("timeFrom")
    if not since:
        return asker.span
    text = str(since)
    return asker.library.spanned(text if text.startswith("now") else f"now-{text}", "now")


def _question(place: Placed, board: Json, asker: Asker, span: Span) -> Question:
    panel = place.panel
    targets = panel.get("targets") or []
    if targets and database_of(panel.get("datasource"), {}) == OTHER_PANEL.replace("-", "_"):
        panel_id = targets[0].get("panelId")
        other = next((listed for listed in board["panels"] if listed["id"] == panel_id), panel)
        panel = {**panel, "targets": other["targets"], "datasource": other["datasource"]}
        targets = panel["targets"]
    points = max(place.width - 2 * PAD_PX, 1)
    answers = [
        asker.result(panel, target, place.variables, span, panel.get("maxDataPoints") or points)
        for target in targets
    ]
    content = str((panel.get("options") or {}).get("content", ""))
    if content:
        filled = asker.library.filled([content], place.variables)[0]
        panel = {**panel, "options": {**panel["options"], "content": filled}}
    return Question(panel, answers, place.variables, span)


def _regions(board: Json, asker: Asker, variables: Mapping[str, Variable]) -> list[Region]:
    """Regions of the dashboard's annotations."""
    made = []
    for annotation in (board.get("annotations") or {}).get("list", []):
        target = {"query": annotation.get("query"), **(annotation.get("target") or {})}
        if not annotation.get("enable", True) or not target.get("query"):
            continue
        answer = asker.result(annotation, target, variables, asker.span, WIDTH_PX)
        for series in answer.get("series", []):
            ends = str(annotation.get("timeEndColumn", "")).removeprefix(f"{series['name']}.")
            at = series["columns"].index(ends) if ends in series["columns"] else 0
            made += [Region(row[0], row[at] or row[0], str(annotation.get("iconColor", "text")))
                     for row in series["values"]]  # fmt: skip
    return made


def _panel(answered: AnsweredPanel, asker: Asker, regions: Sequence[Region]) -> str:
    place, panel, title = answered.place, answered.question.panel, answered.title
    where = f"left:{place.left}px;top:{place.top}px;width:{place.width}px;height:{place.height}px"
    if panel["type"] == "row":
        mark = "▸" if panel.get("collapsed") else "▾"
        count = f" <i>({len(panel['panels'])} panels)</i>" if panel.get("panels") else ""
        return f'<div class="row" style="{where}">{mark} {escape(title)}{count}</div>'
    span = answered.question.span or asker.span
    drawing = Drawing(panel, answered.shown, *answered.inner, span, asker.library, tuple(regions))
    content = DRAW.get(panel["type"], tables.elsewhere)(drawing)
    error = escape(answered.error)
    corner = f'<div class="wrong" title="{error}">⚠</div>' if error else ""
    info = '<i class="info">i</i>' if panel.get("description") else ""
    own = f'<i class="own">{escape(str(panel["timeFrom"]))}</i>' if panel.get("timeFrom") else ""
    clear = " clear" if panel.get("transparent") else ""
    head = f"<h2>{escape(title)} {info}{own}</h2>" if title else ""
    return (
        f'<div class="panel{clear}" style="{where}">{head}{corner}'
        f'<div class="inside">{content}</div></div>'
    )


def _document(
    board: Json, variables: Mapping[str, Variable], span: Span, boxes: str, height: int
) -> str:
    links = "".join(f"<span>{escape(str(link['title']))} ↗</span>" for link in board["links"])
    pickers = "".join(
        f"<label>{escape(str(variable.get('label') or variable['name']))}</label>"
        f"<span>{escape(_picked(variables[variable['name']]))} ▾</span>"
        for variable in board["templating"]["list"]
        if not variable.get("hide")
    )
    script, style = (
        (Path(__file__).parent / name).read_text(encoding="utf-8")
        for name in ("page.js", "page.css")
    )
    faces = "".join(
        f"@font-face{{font-family:Inter;font-weight:100 900;unicode-range:{letters};"
        f"src:url('{(FONT / f'inter-{name}-wght-normal.woff2').as_uri()}') format('woff2')}}"
        for name, letters in LETTERS.items()
    )
    hours = (span.end_ms - span.start_ms) / 3_600_000
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(board["title"])}</title>'
        f"<style>{faces}{style}</style></head>"
        f'<body style="width:{WIDTH_PX}px;height:{height}px"><header><h1>{escape(board["title"])}'
        f"</h1><nav>{links}</nav><em>{hours:g} h, {escape(str(board.get('refresh') or 'off'))}</em>"
        f'</header><div class="pickers">{pickers}</div>'
        f'<main style="left:{MARGIN_PX}px;top:{HEAD_PX}px">{boxes}</main>'
        f"<script>{script}</script></body></html>"
    )


def _picked(variable: Variable) -> str:
    return "All" if variable.every else " + ".join(variable.values)
