"""What Grafana asks for when a dashboard opens: which queries, with macros and variables filled in.

For tests and benchmarks, which ask a server of their own instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dashboards.panels import WIDTH, Json
from wattmark_store.influx_lines import literal

SCREEN_PIXELS: Final = 1600
_MACRO: Final = re.compile(r"\$\{(\w+(?::\w+)?)\}|\$(\w+)")
_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ROUNDED_MS: Final = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1500, 1000),
    (3500, 2000), (7500, 5000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000),
    (45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000), (750_000, 600_000),
    (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000),
    (9_000_000, 7_200_000), (16_200_000, 10_800_000), (32_400_000, 21_600_000),
    (86_400_000, 43_200_000), (604_800_000, 86_400_000),
)  # fmt: skip
"""Upper bound of ms between points → what it takes (roundInterval in @grafana/data)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The time that is shown, Unix ms, and what variables stand for: by ``name:format`` as it is in
    queries, or by ``name`` for any format."""

    start_ms: int
    end_ms: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """A query before its macros are filled in; ``interval`` between its points."""

    title: str
    source: str
    query: str
    interval: str


def expand(query: str, shown: Shown, interval: str) -> str:
    """The query as the server gets it. Raises ``KeyError`` for a variable that has no value."""
    known = {
        "timeFilter": f"time >= {shown.start_ms}ms and time <= {shown.end_ms}ms",
        "__from": str(shown.start_ms), "__to": str(shown.end_ms),
        "__interval": interval, "__interval_ms": str(milliseconds(interval)),
        **shown.variables,
    }  # fmt: skip

    def value(match: re.Match[str]) -> str:
        name, _, how = (match[1] or match[2]).partition(":")
        if f"{name}:{how}" in known:
            return known[f"{name}:{how}"]
        return literal(known[name]) if how == "singlequote" else known[name]

    return _MACRO.sub(value, query)


def milliseconds(interval: str) -> int:
    """Of ``10s`` and the like."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", interval).groups()  # type: ignore[union-attr]
    return int(number) * _MS[unit]


def interval_of(shown_ms: int, points: int, least: str) -> str:
    """The time between points that it takes for ``points`` of them."""
    exact = max(shown_ms / points, milliseconds(least))
    rounded = next((ms for below, ms in _ROUNDED_MS if exact < below), _ROUNDED_MS[-1][1])
    unit, size = max(
        ((unit, size) for unit, size in _MS.items() if rounded % size == 0),
        key=lambda step: step[1],
    )
    return f"{rounded // size}{unit}"


def queries(board: Json, shown_ms: int, least: Mapping[str, str]) -> Iterator[PanelQuery]:
    """What panels and annotations ask for at first; those in collapsed rows wait to be opened.

    ``least``: the shortest time between points of a data source, by its ``uid``.
    """
    for panel in _open_panels(board):
        source = panel.get("datasource", {}).get("uid", "")
        points = panel.get("maxDataPoints") or SCREEN_PIXELS * panel["gridPos"]["w"] // WIDTH
        shortest = panel.get("interval") or least.get(source, "1s")
        own = interval_of(shown_ms, points, shortest)
        for target in panel.get("targets", ()):
            if not target.get("hide"):
                uid = target.get("datasource", {}).get("uid", source)
                yield PanelQuery(panel["title"], uid, target["query"], own)
    for note in board["annotations"]["list"]:
        if note.get("enable") and "query" in note:
            title, uid = f"annotation {note['name']}", note["datasource"]["uid"]
            yield PanelQuery(title, uid, note["query"], interval_of(shown_ms, SCREEN_PIXELS, "1s"))


def _open_panels(board: Json) -> Iterator[Json]:
    for panel in board["panels"]:
        yield panel
        if not panel.get("collapsed"):
            yield from panel.get("panels", ())
