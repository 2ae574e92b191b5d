"""Panels, of the kinds and options that Grafana 9.4 to 13 share (xychart: 10.4 and later)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.colors import TEXT

Json = dict[str, Any]

TELEMETRY: Final = "datasource"
RESULTS: Final = "results"
WIDTH: Final = 24
GAP_MS: Final = 30_000
DASH: Final = "–"
EMPTY: Final = (
    "Nothing was measured in this time: is the host a target of the collector? See Fleet."
)
FAILED: Final = "(With a red corner: the query failed, click it.)"
"""Grafana shows a panel's empty text also where its query failed."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``width`` of 24 columns, ``height`` in rows of 30 px.

    ``empty``: what stands there when nothing was found, with what to do. ``least``: the shortest
    time between two points, as in ``1s``. ``source``: the variable that names a data source, which
    is of the type ``server``.
    """

    kind: str
    title: str
    description: str
    unit: str
    targets: Sequence[Json]
    width: int = 12
    height: int = 8
    source: str = TELEMETRY
    server: str = "influxdb"
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    links: Sequence[Json] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    empty: str = EMPTY
    least: str = ""

    def json(self, number: int, x: int, y: int) -> Json:
        """As Grafana has it."""
        source = {"type": self.server, "uid": f"${{{self.source}}}"}
        description, empty = self.description, self.empty
        if self.kind == "stat":  # it would make the letters as small as a sentence needs them
            description, empty = f"{description} Nothing there: {empty}", DASH
        elif self.targets:
            empty = f"{empty} {FAILED}"
        made: Json = {
            "id": number, "type": self.kind, "title": self.title,
            "description": description, "datasource": source,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [{"refId": chr(ord("A") + n), **target, "datasource": source}
                        for n, target in enumerate(self.targets)],
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": dict(self.options),
            "transformations": list(self.transformations),
            **self.more,
        }  # fmt: skip
        if self.links:
            made["links"] = list(self.links)
        if self.least:
            made["interval"] = self.least
        return made


Row = Sequence[Panel | Sequence[Panel]]
"""Panels side by side, of which some may stand on one another."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Rows of panels behind a title: nothing is asked before somebody opens it."""

    title: str
    rows: Sequence[Row]


def target(query: str, alias: str = "", *, table: bool = False) -> Json:
    """One query of a panel. A table's columns are called as in the query."""
    return {
        "rawQuery": True, "query": query, "alias": "$col" if table else alias,
        "resultFormat": "table" if table else "time_series",
    }  # fmt: skip


def tables(queries: Sequence[str]) -> list[Json]:
    """Queries of which each answers with a table."""
    return [target(query, table=True) for query in queries]


def lines(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Lines over time from zero, broken where nothing was; a sample on its own is a point."""
    custom = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "auto", "spanNulls": GAP_MS}
    defaults = {
        "min": 0,
        "custom": {**custom, **more.pop("custom", {})},
        **more.pop("defaults", {}),
    }
    placement = more.pop("legend", "bottom")
    calcs = ["lastNotNull", "mean", "max"] if placement == "right" else []
    options = {
        "legend": {"displayMode": "table" if calcs else "list", "placement": placement,
                   "showLegend": True, "calcs": calcs},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return Panel("timeseries", title, description, unit, targets, defaults=defaults,
                 options=options, **more)  # fmt: skip


def shares(title: str, description: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Lines of shares of a whole: the axis ends at 100 %, whatever the values are."""
    return lines(title, description, "percentunit", targets, defaults={"max": 1}, **more)


def stat(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """One number, large, of the first row that was found."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": more.pop("field", ""),
                          "values": False},
        "colorMode": "value", "graphMode": "none", "textMode": "value",
        "orientation": "auto", "justifyMode": "auto",
    }  # fmt: skip
    more.setdefault("width", 4)
    more.setdefault("height", 4)
    defaults = {"color": {"mode": "fixed", "fixedColor": TEXT}, **more.pop("defaults", {})}
    return Panel("stat", title, description, unit, targets, options=options, defaults=defaults,
                 **more)  # fmt: skip


def bar_gauge(
    title: str, description: str, unit: str, targets: Sequence[Json], **more: Any
) -> Panel:
    """A bar from zero for each series, as long as its value."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True,
    }  # fmt: skip
    more.setdefault("height", 4)
    return Panel("bargauge", title, description, unit, targets, options=options,
                 defaults={"min": 0}, **more)  # fmt: skip


EMPTY_CELL: Final = {
    "matcher": {"id": "byRegexp", "options": "/.*/"},
    "properties": [{"id": "noValue", "value": DASH}],
}
"""The text of an empty panel is for the panel, not for each value that is missing."""


def table(title: str, description: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Rows. Units, names and links of its columns are overrides; an empty cell is a dash."""
    options = {"showHeader": True, "cellHeight": "sm",
               "footer": {"show": False, "reducer": ["sum"], "fields": ""}}  # fmt: skip
    more.setdefault("width", WIDTH)
    overrides = [EMPTY_CELL, *more.pop("overrides", ())]
    unit = more.pop("unit", "none")
    return Panel("table", title, description, unit, targets, options=options, overrides=overrides,
                 **more)  # fmt: skip


def states(
    title: str, description: str, targets: Sequence[Json], mappings: Sequence[Json], **more: Any
) -> Panel:
    """What was when, in colours that ``mappings`` name."""
    options = {
        "mergeValues": True, "showValue": more.pop("words", "never"), "rowHeight": 0.8,
        "alignValue": "left", "tooltip": {"mode": "single", "sort": "none"},
        "legend": {"displayMode": "list", "placement": "bottom",
                   "showLegend": more.pop("legend", False)},
    }  # fmt: skip
    defaults = {"mappings": list(mappings), "color": {"mode": "fixed", "fixedColor": TEXT},
                "custom": {"lineWidth": 0, "fillOpacity": 80}}  # fmt: skip
    return Panel("state-timeline", title, description, "none", targets, options=options,
                 defaults=defaults, **more)  # fmt: skip


def text(title: str, description: str, content: str, **more: Any) -> Panel:
    """Words."""
    options = {"mode": "markdown", "content": content}
    more.setdefault("source", RESULTS)
    more.setdefault("width", WIDTH)
    more.setdefault("height", 3)
    return Panel("text", title, description, "none", [], options=options, empty=DASH, **more)


def words(meanings: Mapping[str, tuple[str, str]]) -> Json:
    """A mapping from stored values to words and colours."""
    options = {
        value: {"text": word, "color": color, "index": n}
        for n, (value, (word, color)) in enumerate(meanings.items())
    }
    return {"type": "value", "options": options}


def alarm(above: float) -> Json:
    """Defaults of a panel: red from a value on."""
    steps = [{"color": TEXT, "value": None}, {"color": "red", "value": above}]
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def exclude(*names: str) -> Json:
    """A transformation that leaves columns out."""
    return {"id": "organize", "options": {"excludeByName": dict.fromkeys(names, True),
                                          "indexByName": {}, "renameByName": {}}}  # fmt: skip


def ordered(*names: str) -> Json:
    """A transformation that puts columns into this order."""
    places = {name: place for place, name in enumerate(names)}
    return {"id": "organize", "options": {"excludeByName": {}, "renameByName": {},
                                          "indexByName": places}}  # fmt: skip


def sorted_by(name: str, *, down: bool = True) -> Json:
    """A transformation that sorts rows by a column."""
    return {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": name, "desc": down}]}}


def joined(by: str) -> list[Json]:
    """Transformations that make one row of the rows of several queries that agree in a column."""
    return [
        {"id": "filterFieldsByName", "options": {"exclude": {"names": ["Time"]}}},
        {"id": "joinByField", "options": {"byField": by, "mode": "outer"}},
    ]
