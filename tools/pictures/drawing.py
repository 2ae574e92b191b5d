"""What all kinds of panels are drawn with: boxes, SVG, legends."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from tools.pictures.library import Field, Json, Library, Shown, Span

GRID: Final = "rgba(204,204,220,0.12)"
TEXT: Final = "#ccccdc"
NAMED: Final = {
    "text": TEXT, "blue": "#5794F2", "green": "#73BF69", "orange": "#FF9830", "red": "#F2495C",
    "purple": "#B877D9", "yellow": "#FADE2A",
}  # fmt: skip
"""Grafana's names of colours, on dark ground."""
LEGEND_ROW_PX: Final = 24
LEGEND_SHARE: Final = 0.35
"""Of a panel's height, at most, below the plot."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the time that an annotation marks."""

    start_ms: float
    end_ms: float
    color: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A panel to be drawn into a box of ``width`` by ``height`` px."""

    panel: Json
    shown: Shown
    width: int
    height: int
    span: Span
    library: Library
    regions: Sequence[Region] = ()

    @property
    def options(self) -> Json:
        """The panel's own, by its kind."""
        options: Json = self.panel.get("options") or {}
        return options

    @property
    def empty(self) -> str:
        """What stands in a panel without data."""
        defaults = (self.panel.get("fieldConfig") or {}).get("defaults") or {}
        return str(defaults.get("noValue") or "No data")


Draw = Callable[[Drawing], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a legend."""

    name: str
    color: str
    calcs: Sequence[tuple[str, str]] = ()
    dashed: bool = False


def box(content: str, width: float, height: float, style: str = "") -> str:
    """Cuts off what does not fit."""
    size = f"width:{width:.0f}px;height:{height:.0f}px"
    return f'<div class="box" style="{size};{style}">{content}</div>'


def message(words: str, width: int, height: int) -> str:
    """Words in the middle, as where there are no data."""
    inside = f'<div class="message">{escape(words)}</div>'
    return box(inside, width, height, "display:flex;align-items:center;justify-content:center")


def is_empty(shown: Shown) -> bool:
    """No frame, or none with a row."""
    return all(frame.length == 0 or not frame.fields for frame in shown.frames)


def text_at(x: float, y: float, words: str, anchor: str = "middle", color: str = TEXT) -> str:
    """A word in an SVG; ``y`` is its middle."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" dominant-baseline="central"'
        f' font-size="12" fill="{color}">{escape(words)}</text>'
    )


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A thin line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"'
        ' stroke-width="1" shape-rendering="crispEdges"/>'
    )


def svg(parts: Iterable[str], width: float, height: float) -> str:
    """An SVG of ``width`` by ``height`` px."""
    return (
        f'<svg width="{width:.0f}" height="{height:.0f}" style="display:block">'
        f"{''.join(parts)}</svg>"
    )


def drawn(field: Field) -> bool:
    """Whether a chart draws the series."""
    return not (field.custom.get("hideFrom") or {}).get("viz")


def number(value: object) -> float | None:
    """A value as a number, if it is one."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def with_legend(drawing: Drawing, entries: Sequence[Entry], plot: Callable[[int, int], str]) -> str:
    """A plot with its legend, which gets its room first and is cut off where it has too little."""
    options = drawing.options.get("legend") or {}
    mode = options.get("displayMode", "list")
    if not options.get("showLegend", True) or mode == "hidden" or not entries:
        return plot(drawing.width, drawing.height)
    table = mode == "table"
    if options.get("placement") == "right":
        taken = _wide(entries, options.get("width"), drawing.width, table=table)
        legend = box(_legend(entries, table=table, right=True), taken, drawing.height)
        drawn_plot = plot(drawing.width - taken, drawing.height)
        return f'<div style="display:flex">{drawn_plot}{legend}</div>'
    taken = legend_height(entries, drawing.width, table=table)
    taken = min(taken, int(drawing.height * LEGEND_SHARE))
    legend = box(_legend(entries, table=table, right=False), drawing.width, taken)
    return plot(drawing.width, drawing.height - taken) + legend


def _wide(entries: Sequence[Entry], set_width: Any, width: int, *, table: bool) -> int:
    longest = max(len(entry.name) for entry in entries) * 6.6 + 40
    calcs = max(len(entry.calcs) for entry in entries) * 75 if table else 0
    return int(min(set_width or longest + calcs, width * (0.9 if set_width else 0.6)))


def legend_height(entries: Sequence[Entry], width: int, *, table: bool) -> int:
    """What a legend below a plot wants, px."""
    if table:
        return (len(entries) + 1) * LEGEND_ROW_PX + 4
    lines, x = 1, 0.0
    for entry in entries:
        wide = len(entry.name) * 6.6 + 30 + sum(len(a) + len(b) + 3 for a, b in entry.calcs) * 6.6
        if x and x + wide > width:
            lines, x = lines + 1, 0.0
        x += wide
    return lines * LEGEND_ROW_PX + 4


def _legend(entries: Sequence[Entry], *, table: bool, right: bool) -> str:
    if not table:
        listed = "".join(
            f'<span class="entry">{_mark(entry)}{escape(entry.name)}'
            + "".join(f" <i>{escape(name)}: {escape(text)}</i>" for name, text in entry.calcs)
            + "</span>"
            for entry in entries
        )
        return f'<div class="legend {"right" if right else ""}">{listed}</div>'
    heads = "".join(f"<th>{escape(name)}</th>" for name, _ in entries[0].calcs)
    rows = "".join(
        f"<tr><td>{_mark(entry)}{escape(entry.name)}</td>"
        + "".join(f"<td>{escape(text)}</td>" for _, text in entry.calcs)
        + "</tr>"
        for entry in entries
    )
    return f'<table class="legend"><tr><th>Name</th>{heads}</tr>{rows}</table>'


def _mark(entry: Entry) -> str:
    style = "dashed" if entry.dashed else "solid"
    return f'<b style="border-top:4px {style} {entry.color}"></b>'
