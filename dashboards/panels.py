"""Panels, of the kinds and options that Grafana 9.4 and later share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

TELEMETRY: Final = "datasource"
MINUTES: Final = "datasource_1m"
RESULTS: Final = "results"
WIDTH: Final = 24
GAP_MS: Final = 30_000
MINUTE_GAP_MS: Final = 180_000
EMPTY: Final = "no samples in this time: is the host a target of the collector? See Fleet"
UP: Final = [
    {"type": "value", "options": {
        "0": {"text": "failed", "color": "red", "index": 0},
        "1": {"text": "ok", "color": "green", "index": 1},
    }},
    # The mean of a minute, in the one-minute values.
    {"type": "range", "options": {
        "from": 0.0, "to": 1.0,
        "result": {"text": "failed at times", "color": "orange", "index": 2},
    }},
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
    """One query of a panel. A table's columns are called as in the query: 9.4 would put the
    measurement before them, but for the alias."""
    return {
        "refId": ref, "rawQuery": True, "query": query, "alias": "$col" if table else alias,
        "resultFormat": "table" if table else "time_series",
    }  # fmt: skip


def lines(title: str, description: str, unit: str, targets: Sequence[Json], **more: Any) -> Panel:
    """Lines over time, broken where nothing was; a sample on its own is a point."""
    gap_ms = MINUTE_GAP_MS if more.get("source") == MINUTES else GAP_MS
    custom = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "auto", "spanNulls": gap_ms}
    defaults = {"custom": {**custom, **more.pop("custom", {})}}
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
        "xField": x, "orientation": "auto", "showValue": "always", "barWidth": 0.8,
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
    more.setdefault("source", RESULTS)
    more.setdefault("width", WIDTH)
    more.setdefault("height", 3)
    return Panel("text", title, description, "none", [], options=options, **more)
