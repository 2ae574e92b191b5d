"""The picture of the paper: accuracy against energy per inference, on a logarithmic axis.

The options are those of Grafana 10.4's xychart, "auto" mapping: one frame, of whose number columns
one is x and each other a series, called by its column. 11.1 and later migrate them when the panel
has no ``pluginVersion`` (grafana/grafana, ``public/app/plugins/panel/xychart/migrations.ts``), 10.4
and 11.0 read them as they are (``scatter.ts``: ``dims.x``). All read a column's axis from its own
field configuration: ``custom.scaleDistribution`` and ``custom.axisLabel`` of x and of y.

The one frame is made by splitting rows by series and joining them by x. A matrix would be simpler,
but has null where a series has no point, and every release compares ``null >= lower edge`` as 0: a
mark of 0 % where the axis shows 0. Joined frames have undefined there, which is drawn nowhere.
"""

from collections.abc import Sequence
from typing import Any, Final

from dashboards.colors import GREY
from dashboards.panels import EMPTY_CELL, RESULTS, Json, Panel, exclude, tables

X: Final = "energy per inference"
Y: Final = "accuracy of"
SERIES: Final = "series"
POINT_PX: Final = 9


def accuracy_against_energy(
    title: str, description: str, marks: str, lines: str = "", **more: Any
) -> Panel:
    """Marks of the query ``marks``, a series for each place, and lines of the query ``lines``."""
    options = {
        "seriesMapping": "auto", "dims": {"frame": 0, "x": X}, "series": [],
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    defaults = {
        "max": 1, "color": {"mode": "palette-classic"},
        "custom": {"show": "points", "pointSize": {"fixed": POINT_PX}, "axisLabel": "accuracy",
                   "axisPlacement": "auto", "scaleDistribution": {"type": "linear"}},
    }  # fmt: skip
    return Panel(
        "xychart", title, description, "percentunit", tables([marks, *([lines] if lines else [])]),
        source=RESULTS, defaults=defaults, options=options, transformations=_one_frame(),
        overrides=[EMPTY_CELL, _energy_axis(), _equal_scores()], **more,
    )  # fmt: skip


def _one_frame() -> Sequence[Json]:
    """The accuracy is computed again, because a column keeps the name that the data source gave it:
    each series would be called so. Its name stands before or behind the series', by release."""
    again = {"left": "accuracy", "operator": "*", "right": "1", "reducer": "sum"}
    return [
        exclude("Time"),
        {"id": "merge", "options": {}},
        {"id": "calculateField", "options": {"mode": "binary", "alias": Y, "binary": again}},
        exclude("accuracy"),
        {"id": "partitionByValues", "options": {
            "fields": [SERIES], "keepFields": False, "naming": {"asLabels": False}}},
        {"id": "joinByField", "options": {"byField": X, "mode": "outer"}},
        {"id": "renameByRegex", "options": {
            "regex": f"/^(?:{Y} )?(.*?)(?: {Y})?$/", "renamePattern": "$1"}},
    ]  # fmt: skip


def _energy_axis() -> Json:
    properties = {
        "displayName": X, "unit": "joule", "max": None, "custom.axisLabel": f"{X}, logarithmic",
        "custom.scaleDistribution": {"type": "log", "log": 10},
    }  # fmt: skip
    return _override("byName", X, properties)


def _equal_scores() -> Json:
    properties = {
        "custom.show": "lines", "custom.lineWidth": 1, "custom.pointSize.fixed": 1,
        "custom.lineStyle": {"fill": "dash", "dash": [4, 4]},
        "color": {"mode": "fixed", "fixedColor": GREY},
    }  # fmt: skip
    return _override("byRegexp", "/mWh$/", properties)


def _override(matcher: str, options: str, properties: Json) -> Json:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
