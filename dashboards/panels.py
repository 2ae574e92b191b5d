"""Panels, variables and annotations, of the kinds and options that Grafana 9.4 and later share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

TELEMETRY: Final = "datasource"
MINUTES: Final = "datasource_1m"
RESULTS: Final = "results"
WIDTH: Final = 24
EMPTY: Final = "no data in this time: see README.md of grafana/"
UP: Final = [
    {"type": "value", "options": {
        "0": {"text": "failed", "color": "red", "index": 0},
        "1": {"text": "ok", "color": "green", "index": 1},
    }}
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``width`` of 24 columns, ``height`` in rows of 30 px."""

    kind: str
    title: str
    description: str
    unit: str
    targets: Sequence[Json]
    width: int = 12
    height: int = 8
    source: str = TELEMETRY
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    repeat: str = ""
    empty: str = EMPTY

    def json(self, number: int, x: int, y: int) -> Json:
        """As Grafana has it."""
        source = {"type": "influxdb", "uid": f"${{{self.source}}}"}
        made: Json = {
            "id": number, "type": self.kind, "title": self.title,
            "description": self.description, "datasource": source,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [{**target, "datasource": source} for target in self.targets],
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": self.empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": dict(self.options),
            "transformations": list(self.transformations),
        }  # fmt: skip
        if self.repeat:
            made |= {"repeat": self.repeat, "repeatDirection": "h", "maxPerRow": 2}
        return made


def target(query: str, alias: str = "", *, table: bool = False, ref: str = "A") -> Json:
    """One query of a panel."""
    return {
        "refId": ref, "rawQuery": True, "query": query, "alias": alias,
        "resultFormat": "table" if table else "time_series",
    }  # fmt: skip


def lines(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Lines over time."""
    defaults = {"custom": {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never",
                           "spanNulls": False}} | more.pop("defaults", {})  # fmt: skip
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True,
                   "calcs": ["mean", "max", "lastNotNull"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return Panel("timeseries", title, description, unit, targets, defaults=defaults,
                 options=options, **more)  # fmt: skip


def stat(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """One number per series."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value", "graphMode": "none", "textMode": "value_and_name",
        "orientation": "auto", "justifyMode": "auto",
    }  # fmt: skip
    return Panel("stat", title, description, unit, targets, options=options, **more)


def table(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Rows, with units of their columns as overrides."""
    options = {"showHeader": True, "footer": {"show": False, "reducer": ["sum"], "fields": ""}}
    more.setdefault("width", WIDTH)
    return Panel("table", title, description, unit, targets, options=options, **more)


def bars(
    title: str, description: str, unit: str, targets: Sequence[Json], x: str, **more: Any
) -> Panel:
    """A bar for each row."""
    options = {
        "xField": x, "orientation": "horizontal", "showValue": "always", "barWidth": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    return Panel("barchart", title, description, unit, targets, options=options, **more)


def states(title: str, description: str, targets: Sequence[Json], **more: Any) -> Panel:
    """What was up when."""
    options = {
        "mergeValues": True, "showValue": "never", "rowHeight": 0.8, "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    defaults = {"mappings": UP, "custom": {"lineWidth": 0, "fillOpacity": 80}}
    return Panel("state-timeline", title, description, "none", targets, options=options,
                 defaults=defaults, **more)  # fmt: skip


def text(title: str, description: str, content: str, **more: Any) -> Panel:
    """Words."""
    options = {"mode": "markdown", "content": content}
    more.setdefault("width", WIDTH)
    more.setdefault("height", 3)
    return Panel("text", title, description, "none", [], options=options, **more)


def column(name: str, **properties: Any) -> Json:
    """How one column of a table is shown."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def source_variable(name: str, label: str, ending: str) -> Json:
    """Which data source: one whose name ends so."""
    return {
        "name": name, "label": label, "type": "datasource", "query": "influxdb",
        "regex": f"/{ending}$/i", "refresh": 1, "hide": 0, "multi": False, "includeAll": False,
        "options": [], "current": {},
    }  # fmt: skip


def query_variable(
    name: str, label: str, source: str, query: str,
    *, multi: bool = False, everything: bool = False, hide: bool = False,
) -> Json:  # fmt: skip
    """Its values come from the database, anew when the time changes."""
    made: Json = {
        "name": name, "label": label, "type": "query", "query": query, "definition": query,
        "datasource": {"type": "influxdb", "uid": f"${{{source}}}"}, "refresh": 2, "sort": 1,
        "hide": 2 if hide else 0, "multi": multi, "includeAll": everything, "regex": "",
        "options": [], "current": {},
    }  # fmt: skip
    if everything:
        made |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return made


def interval_variable(least: str) -> Json:
    """Time between points: by the panel's width, or chosen."""
    return {
        "name": "interval", "label": "Interval", "type": "interval",
        "query": "1s,10s,1m,10m,1h,6h", "auto": True, "auto_count": 300, "auto_min": least,
        "refresh": 2, "hide": 0, "options": [],
        "current": {"text": "auto", "value": "$__auto_interval_interval"},
    }  # fmt: skip


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
