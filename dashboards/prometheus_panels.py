"""Panels over Prometheus, of the kinds and options that Grafana 9.4 and later share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.panels import WIDTH, Json

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
DASH: Final = "–"
NO_ANSWER: Final = (
    "no samples in this time: choose another exporter at the top, or add this one to Prometheus's"
    " scrape_configs"
)
RED, ORANGE, GREEN, GREY = "#C4314B", "#B8860B", "#2E8B57", "#8A94A3"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. ``legend``: the series' name, ``{{label}}`` of its labels.
    ``now``: only at the end of the shown time; ``table``: labels as columns."""

    expression: str
    legend: str = ""
    now: bool = False
    table: bool = False

    def json(self, ref: str) -> Json:
        """As Grafana has it."""
        return {
            "refId": ref, "datasource": SOURCE, "expr": self.expression, "editorMode": "code",
            "legendFormat": self.legend or "__auto", "instant": self.now, "range": not self.now,
            "format": "table" if self.table else "time_series",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``width`` of 24 columns, ``height`` in rows of 30 px."""

    kind: str
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int = 12
    height: int = 8
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    empty: str = NO_ANSWER

    def json(self, number: int, x: int, y: int) -> Json:
        """As Grafana has it."""
        targets = [query.json(chr(ord("A") + n)) for n, query in enumerate(self.queries)]
        return {
            "id": number, "type": self.kind, "title": self.title,
            "description": self.description, "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height}, "targets": targets,
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": self.empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": dict(self.options), "transformations": list(self.transformations),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading that is closed until someone opens it."""

    title: str
    panels: Sequence[Panel]


def override(pattern: str, **properties: Any) -> Json:
    """How the series or columns whose name matches are shown."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def fixed(color: str) -> Json:
    """One color, whatever the value."""
    return {"mode": "fixed", "fixedColor": color}


def lines(
    title: str, description: str, unit: str, queries: Sequence[Query], *, right: bool = False,
    custom: Mapping[str, Any] | None = None, most: float | None = None, **more: Any,
) -> Panel:  # fmt: skip
    """Lines over time from 0, broken where nothing was. ``most``: the top of the axis; ``right``:
    where the names stand, with room for a dozen."""
    drawn = {"lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": False}
    defaults = {"min": 0, "custom": {**drawn, **(custom or {})}}
    if most is not None:
        defaults["max"] = most
    options = {
        "legend": {
            "displayMode": "table" if right else "list", "showLegend": True,
            "placement": "right" if right else "bottom",
            "calcs": ["lastNotNull", "mean"] if right else [],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return Panel(
        "timeseries", title, description, unit, queries, defaults=defaults, options=options, **more
    )


def stat(
    title: str, description: str, unit: str, queries: Sequence[Query], **more: Any
) -> Panel:  # fmt: skip
    """A number with its name for each query that has one."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value", "graphMode": "none", "textMode": "value_and_name",
        "orientation": "auto", "justifyMode": "center",
    }  # fmt: skip
    defaults = {"color": fixed("text")}
    return Panel("stat", title, description, unit, queries, 6, 4, defaults, options, **more)


def bars(
    title: str, description: str, unit: str, queries: Sequence[Query], **more: Any
) -> Panel:  # fmt: skip
    """Lying bars from 0, each with its name before it."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "displayMode": "basic", "orientation": "horizontal", "showUnfilled": False,
        "minVizHeight": 16, "minVizWidth": 0,
    }  # fmt: skip
    return Panel("bargauge", title, description, unit, queries, defaults={"min": 0},
                 options=options, **more)  # fmt: skip


def table(
    title: str, description: str, queries: Sequence[Query], columns: Mapping[str, str],
    overrides: Sequence[Json], **more: Any,
) -> Panel:  # fmt: skip
    """A row for each set of labels that the queries share; an empty cell is a dash. ``columns``:
    what the queries' columns are called."""
    organize = {
        "excludeByName": {"Time": True}, "renameByName": dict(columns),
        "indexByName": {old: n for n, old in enumerate(columns)},
    }  # fmt: skip
    return Panel(
        "table", title, description, "none", queries,
        options={"showHeader": True, "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
        transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
        overrides=[override(".*", noValue=DASH), *overrides], **more,
    )  # fmt: skip


def states(
    title: str, description: str, queries: Sequence[Query], mappings: Sequence[Json], **more: Any
) -> Panel:  # fmt: skip
    """What was in which state when."""
    options = {
        "mergeValues": True, "showValue": "auto", "rowHeight": 0.8, "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    defaults = {"mappings": list(mappings), "custom": {"lineWidth": 0, "fillOpacity": 80}}
    return Panel("state-timeline", title, description, "none", queries, options=options,
                 defaults=defaults, **more)  # fmt: skip


def mapping(texts: Mapping[str, tuple[str, str]]) -> Json:
    """Words and color for values."""
    return {
        "type": "value",
        "options": {
            value: {"text": text, "color": color, "index": n}
            for n, (value, (text, color)) in enumerate(texts.items())
        },
    }


def dashboard(
    uid: str, title: str, description: str, rows: Sequence[Sequence[Panel] | Row],
    variables: Sequence[Json],
) -> Json:  # fmt: skip
    """The whole: rows of panels, then those that are closed."""
    made: list[Json] = []
    number = y = 0
    for row in rows:
        shown = row.panels if isinstance(row, Row) else row
        top = y + isinstance(row, Row)
        x = 0
        panels = []
        for panel in shown:
            number += 1
            panels.append(panel.json(number, x, top))
            x += panel.width
        if x > WIDTH:
            raise ValueError(f"{title}: a row is {x} columns wide")
        if isinstance(row, Row):
            number += 1
            made.append({
                "id": number, "type": "row", "title": row.title, "collapsed": True,
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}, "panels": panels,
            })  # fmt: skip
            y += 1
        else:
            made += panels
            y += max(panel.height for panel in shown)
    return {
        "uid": uid, "title": title, "description": description, "tags": ["wattmark"],
        "schemaVersion": 37, "version": 1, "editable": False, "graphTooltip": 1,
        "timezone": "browser", "time": {"from": "now-1h", "to": "now"}, "refresh": "10s",
        "templating": {"list": list(variables)}, "annotations": {"list": []}, "links": [],
        "panels": made,
    }  # fmt: skip
