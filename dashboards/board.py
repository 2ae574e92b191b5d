"""A whole dashboard, and measured windows as regions in it."""

from collections.abc import Sequence
from typing import Final

from dashboards.colors import TEXT
from dashboards.panels import RESULTS, WIDTH, Closed, Json, Panel, Row
from dashboards.variables import runner_variable


def measured(query: str) -> Json:
    """Measured windows as regions: from the row's time to ``window.end_ms``, an epoch in ms."""
    columns = {"textColumn": "run_id", "tagsColumn": "phase", "timeEndColumn": "window.end_ms"}
    return {
        "name": "measured", "enable": True, "hide": False, "iconColor": TEXT, "type": "tags",
        "datasource": {"type": "influxdb", "uid": f"${{{RESULTS}}}"}, "query": query, **columns,
        "target": {"refId": "Anno", "query": query, "rawQuery": True, "fromAnnotations": True,
                   "resultFormat": "table", "name": "measured", **columns},
    }  # fmt: skip


def link_to(uid: str, title: str, variables: str = "") -> Json:
    """A link at the top, with the time that is shown. ``variables``: as in ``var-host=${host}``."""
    return {
        "title": title, "type": "link", "url": f"/d/wattmark-{uid}?{variables}".rstrip("?"),
        "icon": "external link", "keepTime": uid != "run", "includeVars": False, "tags": [],
        "asDropdown": False, "targetBlank": False, "tooltip": "",
    }  # fmt: skip


RUNNER: Final[Json] = {
    "title": "Runner's page", "type": "link", "url": "${runner}", "icon": "external link",
    "keepTime": False, "includeVars": False, "tags": [], "asDropdown": False, "targetBlank": True,
    "tooltip": "Start runs, read their checks",
}  # fmt: skip


def dashboard(
    uid: str, title: str, description: str, rows: Sequence[Row | Closed],
    variables: Sequence[Json], annotations: Sequence[Json] = (), *, links: Sequence[Json] = (),
    since: str = "now-1h", refresh: str = "30s", runner: bool = True,
) -> Json:  # fmt: skip
    """The whole, its panels laid out row by row; ``uid`` without its ``wattmark-``. ``runner``:
    there is one, whose page is linked to."""
    if runner:
        variables, links = [*variables, runner_variable()], [*links, RUNNER]
    panels: list[Json] = []
    number, y = 1, 0
    for row in rows:
        if isinstance(row, Closed):
            header = _closed(row.title, number, y)
            panels.append(header)
            number, y = number + 1, y + 1
            below = y
            for inside in row.rows:
                number, below = _lay_out(inside, header["panels"], number, below)
        else:
            number, y = _lay_out(row, panels, number, y)
    return {
        "uid": f"wattmark-{uid}", "title": title, "description": description,
        "tags": ["wattmark"], "schemaVersion": 37, "version": 1, "editable": False,
        "graphTooltip": 1, "timezone": "browser", "time": {"from": since, "to": "now"},
        "refresh": refresh, "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)}, "links": list(links), "panels": panels,
    }  # fmt: skip


def _lay_out(row: Row, held: list[Json], number: int, y: int) -> tuple[int, int]:
    """Put panels side by side; the next number and row."""
    x, end = 0, y
    for part in row:
        column = [part] if isinstance(part, Panel) else part
        below = y
        for panel in column:
            held.append(panel.json(number, x, below))
            number, below = number + 1, below + panel.height
        x, end = x + max(panel.width for panel in column), max(end, below)
    if x > WIDTH:
        raise ValueError(f"the row that ends with {held[-1]['title']!r} is {x} columns wide")
    return number, end


def _closed(title: str, number: int, y: int) -> Json:
    return {
        "id": number, "type": "row", "title": title, "collapsed": True, "panels": [],
        "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
    }  # fmt: skip
