"""A whole dashboard, and windows as shaded regions in it."""

from collections.abc import Sequence

from dashboards.panels import RESULTS, WIDTH, Json, Panel


def annotation(name: str, color: str, query: str) -> Json:
    """Windows as shaded regions: from the row's time to ``window.end_ms``, an epoch in ms."""
    columns = {"textColumn": "run_id", "tagsColumn": "phase", "timeEndColumn": "window.end_ms"}
    return {
        "name": name, "enable": True, "hide": False, "iconColor": color, "type": "tags",
        "datasource": {"type": "influxdb", "uid": f"${{{RESULTS}}}"}, "query": query, **columns,
        "target": {"refId": "Anno", "query": query, "rawQuery": True, "fromAnnotations": True,
                   "resultFormat": "table", "name": name, **columns},
    }  # fmt: skip


def dashboard(
    uid: str, title: str, description: str, rows: Sequence[Sequence[Panel]],
    variables: Sequence[Json], annotations: Sequence[Json] = (), *, since: str = "now-1h",
    refresh: str = "10s",
) -> Json:  # fmt: skip
    """The whole, its panels laid out row by row."""
    panels: list[Json] = []
    y = 0
    for row in rows:
        x = 0
        for panel in row:
            panels.append(panel.json(len(panels) + 1, x, y))
            x += panel.width
        if x > WIDTH:
            raise ValueError(f"{title}: a row is {x} columns wide")
        y += max(panel.height for panel in row)
    return {
        "uid": uid, "title": title, "description": description, "tags": ["wattmark"],
        "schemaVersion": 37, "version": 1, "editable": False, "graphTooltip": 1,
        "timezone": "browser", "time": {"from": since, "to": "now"}, "refresh": refresh,
        "templating": {"list": list(variables)}, "annotations": {"list": list(annotations)},
        "links": [{
            "title": "Wattmark", "type": "dashboards", "tags": ["wattmark"], "asDropdown": True,
            "includeVars": False, "keepTime": True, "targetBlank": False, "icon": "external link",
            "tooltip": "", "url": "",
        }],
        "panels": panels,
    }  # fmt: skip
