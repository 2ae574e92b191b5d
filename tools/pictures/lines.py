"""Lines over time: the panel ``timeseries``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tools.pictures import axes
from tools.pictures.drawing import (
    NAMED,
    Drawing,
    Entry,
    drawn,
    is_empty,
    message,
    number,
    rule,
    svg,
    text_at,
    with_legend,
)  # fmt: skip
from tools.pictures.library import Field

AXIS_PX: Final = 22
TOP_PX: Final = 8
"""Above the plot, for half the topmost number."""
Point = tuple[float, float, float]
"""Time in ms, value, and the value below it where areas are stacked, else 0."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series to be drawn: its times, and its values with those of the stack below added."""

    field: Field
    times: Sequence[float]
    values: Sequence[float | None]
    floor: Sequence[float]

    @property
    def axis(self) -> tuple[str, str]:
        """Series of one unit and side share an axis."""
        side = str(self.field.custom.get("axisPlacement", "auto"))
        return str(self.field.config.get("unit", "")), "right" if side == "right" else "left"


def draw(drawing: Drawing) -> str:
    """The whole panel."""
    if is_empty(drawing.shown):
        return message(drawing.empty, drawing.width, drawing.height)
    series = _series(drawing)
    if not series:
        return message("Data is missing a time field or a number field", drawing.width,
                       drawing.height)  # fmt: skip
    entries = [
        Entry(line.field.title, line.field.color, list(line.field.calcs.items()), _dashed(line))
        for line in series
        if not (line.field.custom.get("hideFrom") or {}).get("legend")
    ]
    return with_legend(drawing, entries, lambda w, h: _plot(drawing, series, w, h))


def _series(drawing: Drawing) -> list[Series]:
    made = []
    stacks: dict[tuple[Any, ...], dict[float, float]] = {}
    for frame in drawing.shown.frames:
        times = next((field.values for field in frame.fields if field.type == "time"), None)
        for field in frame.fields if times is not None else ():
            if field.type != "number" or not drawn(field) or times is None:
                continue
            stacking = field.custom.get("stacking") or {}
            values = [number(value) for value in field.values]
            floor = [0.0] * len(values)
            if stacking.get("mode") in {"normal", "percent"}:
                stack = stacks.setdefault((stacking.get("group"), field.config.get("unit")), {})
                for n, (at, value) in enumerate(zip(times, values, strict=True)):
                    if value is not None:
                        floor[n] = stack.get(at, 0.0)
                        values[n] = stack[at] = floor[n] + value
            made.append(Series(field, times, values, floor))
    return made


def _dashed(series: Series) -> bool:
    return (series.field.custom.get("lineStyle") or {}).get("fill") in {"dash", "dot"}


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    ticks: Sequence[float]
    texts: Sequence[str]
    log: bool = False

    @property
    def width(self) -> int:
        return int(max((len(text) for text in self.texts), default=0) * axes.LETTER_PX) + 12


def _plot(drawing: Drawing, series: Sequence[Series], width: int, height: int) -> str:
    tall = height - AXIS_PX
    by_axis: dict[tuple[str, str], list[Series]] = {}
    for line in series:
        by_axis.setdefault(line.axis, []).append(line)
    scales = {key: _axis(drawing, key[0], group, tall) for key, group in by_axis.items()}
    left = sum(scale.width for key, scale in scales.items() if key[1] == "left")
    right = sum(scale.width for key, scale in scales.items() if key[1] == "right")
    wide = max(width - left - right - 8, 10)
    parts = _grid(drawing, scales, left, wide, tall)
    parts += _regions(drawing, left, wide, tall)
    parts.append(f'<svg x="{left}" y="0" width="{wide}" height="{tall}">')
    for line in series:
        parts += _line(drawing, line, scales[line.axis], wide, tall)
    parts.append("</svg>")
    return svg(parts, width, height)


def _axis(drawing: Drawing, unit: str, group: Sequence[Series], tall: int) -> _Axis:
    values = [value for line in group for value in line.values if value is not None]
    values += [low for line in group for low in line.floor if line.field.custom.get("stacking")]
    config: Mapping[str, Any] = group[0].field.config
    custom = group[0].field.custom
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    if (custom.get("scaleDistribution") or {}).get("type") == "log" and high > 0:
        positive = [value for value in values if value > 0]
        bottom, top, at = axes.powers(min(positive), max(positive))
        return _Axis(bottom, top, at, drawing.library.texts(config, at, 0), log=True)
    bottom, top = axes.padded(low, high, config.get("min"), config.get("max"),
                              custom.get("axisSoftMin"), custom.get("axisSoftMax"))  # fmt: skip
    at, step = axes.ticks(bottom, top, tall - TOP_PX, unit=unit)
    return _Axis(bottom, top, at, drawing.library.texts(config, at, axes.decimals(step)))


def _grid(
    drawing: Drawing, scales: Mapping[tuple[str, str], _Axis], left: int, wide: int, tall: int
) -> list[str]:
    parts = []
    outer = {"left": float(left), "right": float(left + wide)}
    for (_, side), scale in scales.items():
        edge = outer[side]
        for value, words in zip(scale.ticks, scale.texts, strict=True):
            y = _y(scale, value, tall)
            if side == "left":
                parts.append(rule(left, y, left + wide, y))
            x, anchor = (edge - 6, "end") if side == "left" else (edge + 6, "start")
            parts.append(text_at(x, y, words, anchor))
        outer[side] += -scale.width if side == "left" else scale.width
    for at, words in axes.times(drawing.span, wide):
        x = left + _share(drawing, at) * wide
        parts += [rule(x, 0, x, tall), text_at(x, tall + 12, words)]
    return parts


def _regions(drawing: Drawing, left: int, wide: int, tall: int) -> list[str]:
    parts = []
    for region in drawing.regions:
        start, end = (min(max(_share(drawing, at), 0.0), 1.0)
                      for at in (region.start_ms, region.end_ms))  # fmt: skip
        color = NAMED.get(region.color, region.color)
        if end > start:
            parts.append(f'<rect x="{left + start * wide:.1f}" y="0" height="{tall}" fill="{color}"'
                         f' width="{(end - start) * wide:.1f}" fill-opacity="0.1"/>')  # fmt: skip
    return parts


def _share(drawing: Drawing, at_ms: float) -> float:
    span = drawing.span
    return (at_ms - span.start_ms) / max(span.end_ms - span.start_ms, 1)


def _y(scale: _Axis, value: float, tall: int) -> float:
    low, high = scale.low, scale.high
    share = axes.log_share(value, low, high) if scale.log else (value - low) / (high - low)
    return max(-1e4, min(1e4, (1 - share) * (tall - TOP_PX) + TOP_PX))


def _line(drawing: Drawing, series: Series, scale: _Axis, wide: int, tall: int) -> list[str]:
    custom = series.field.custom
    style = str(custom.get("drawStyle", "line"))
    parts = []
    count = sum(value is not None for value in series.values)
    points = str(custom.get("showPoints", "auto"))
    dense = count * 2 * 5 > wide
    for run in _runs(series):
        place = [(_share(drawing, at) * wide, _y(scale, value, tall),
                  _y(scale, max(low, scale.low), tall)) for at, value, low in run]  # fmt: skip
        if style == "bars":
            parts += _columns(series, place, max(wide / max(len(series.values), 1) * 0.6, 1))
            continue
        alone = len(place) == 1
        if style == "line" and not alone:
            parts += _path(series, place)
        if style == "points" or points == "always" or alone or (points == "auto" and not dense):
            size = float(custom.get("pointSize", 5)) / 2
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{series.field.color}"/>'
                      for x, y, _ in place]  # fmt: skip
    return parts


def _path(series: Series, place: Sequence[Point]) -> list[str]:
    """A line, and the area below it."""
    custom, color = series.field.custom, series.field.color
    stepped = _stepped(place, str(custom.get("lineInterpolation", "linear")))
    path = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y, _) in enumerate(stepped))
    dashes = ' stroke-dasharray="8 6"' if _dashed(series) else ""
    thick = float(custom.get("lineWidth", 1))
    made = [f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{thick}"{dashes}/>']
    fill = float(custom.get("fillOpacity", 0)) / 100
    if fill:
        below = " ".join(f"L{x:.1f} {low:.1f}" for x, _, low in reversed(stepped))
        made.append(f'<path d="{path} {below} Z" fill="{color}" fill-opacity="{fill}"/>')
    return made


def _runs(series: Series) -> list[list[Point]]:
    """Parts of a series between gaps. ``spanNulls``: over which gaps, in ms, a line goes on."""
    spanned = series.field.custom.get("spanNulls", False)
    most = float("inf") if spanned is True else float(spanned or 0)
    runs: list[list[Point]] = [[]]
    missing = False
    for at, value, low in zip(series.times, series.values, series.floor, strict=True):
        if value is None:
            missing = True
            continue
        if missing and runs[-1] and at - runs[-1][-1][0] > most:
            runs.append([])
        missing = False
        runs[-1].append((at, value, low))
    return [run for run in runs if run]


def _stepped(place: Sequence[Point], how: str) -> list[Point]:
    if how not in {"stepAfter", "stepBefore"}:
        return list(place)
    made = list(place[:1])
    for before, after in pairwise(place):
        if how == "stepAfter":
            made.append((after[0], before[1], before[2]))
        else:
            made.append((before[0], after[1], after[2]))
        made.append(after)
    return made


def _columns(series: Series, place: Sequence[Point], wide: float) -> list[str]:
    color = series.field.color
    fill = float(series.field.custom.get("fillOpacity", 0)) / 100 or 0.5
    return [
        f'<rect x="{x - wide / 2:.1f}" y="{min(y, low):.1f}" width="{wide:.1f}"'
        f' height="{abs(low - y):.1f}" fill="{color}" fill-opacity="{fill}" stroke="{color}"/>'
        for x, y, low in place
    ]
