"""Where a dashboard's panels lie, on Grafana's grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.pictures.library import Json, Variable

COLUMNS: Final = 24
ROW_PX: Final = 30
GAP_PX: Final = 8


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel at its place, in px. ``variables``: its own, where it is repeated."""

    panel: Json
    left: int
    top: int
    width: int
    height: int
    variables: Mapping[str, Variable]


def placed(panels: Sequence[Json], variables: Mapping[str, Variable], width: int) -> list[Placed]:
    """All that is shown: repeated panels once for each value, those of closed rows not at all."""
    made: list[Placed] = []
    added = 0
    for panel in sorted(panels, key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"])):
        rows = 0
        for copy, own, down in _repeated(panel, variables):
            made.append(_placed(copy, own, added + down, width))
            rows = down
        added += rows
    return made


def opened(panels: Sequence[Json]) -> list[Json]:
    """The panels as if somebody had opened all rows."""
    made: list[Json] = []
    down = 0
    for panel in sorted(panels, key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"])):
        made.append(_lower(panel, down))
        inside = panel.get("panels") or []
        if panel["type"] == "row" and panel.get("collapsed") and inside:
            top = panel["gridPos"]["y"] + 1
            first = min(panel["gridPos"]["y"] for panel in inside)
            last = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in inside)
            made[-1] = {**made[-1], "collapsed": False, "panels": []}
            made += [_lower(panel, down + top - first) for panel in inside]
            down += last - first
    return made


def _lower(panel: Json, rows: int) -> Json:
    place = panel["gridPos"]
    return {**panel, "gridPos": {**place, "y": place["y"] + rows}}


def _repeated(
    panel: Json, variables: Mapping[str, Variable]
) -> Iterator[tuple[Json, Mapping[str, Variable], int]]:
    """Each copy with its variables, and by how many rows it lies below the first."""
    name = panel.get("repeat")
    if not name or name not in variables:
        yield panel, variables, 0
        return
    values = variables[name].values
    sideways = panel.get("repeatDirection", "h") == "h"
    abreast = min(len(values), panel.get("maxPerRow") or 4) if sideways else 1
    place = panel["gridPos"]
    wide = COLUMNS // abreast if sideways and abreast else place["w"]
    for n, value in enumerate(values):
        grid = {**place, "w": wide, "x": (n % abreast) * wide if sideways else place["x"]}
        own = {**variables, name: Variable((value,), variables[name].several)}
        yield {**panel, "gridPos": grid}, own, (n // abreast) * place["h"]


def _placed(panel: Json, variables: Mapping[str, Variable], down: int, width: int) -> Placed:
    grid = panel["gridPos"]
    column = (width - (COLUMNS - 1) * GAP_PX) / COLUMNS
    high = 1 if panel["type"] == "row" else grid["h"]
    return Placed(
        panel, round(grid["x"] * (column + GAP_PX)), (grid["y"] + down) * (ROW_PX + GAP_PX),
        round(grid["w"] * column + (grid["w"] - 1) * GAP_PX),
        high * ROW_PX + (high - 1) * GAP_PX, variables,
    )  # fmt: skip
