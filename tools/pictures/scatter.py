"""Values against values: the panel ``xychart``, with options of Grafana 10.4 or 11.1 on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.pictures import axes
from tools.pictures.drawing import (
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
from tools.pictures.library import DataFrame, Field, Json

AXIS_PX: Final = 22
LABEL_PX: Final = 20


@dataclass(frozen=True, slots=True)
class Marks:
    """One series of points."""

    name: str
    x: Field
    y: Field

    def points(self) -> list[tuple[float, float]]:
        """Those that have both values; where y is null, Grafana draws it at 0."""
        both = (
            (number(x), 0.0 if row in self.y.nulls else number(y))
            for row, (x, y) in enumerate(zip(self.x.values, self.y.values, strict=True))
        )
        return [(x, y) for x, y in both if x is not None and y is not None]

    @property
    def known(self) -> list[float]:
        """What the axis has to hold."""
        return [value for text in self.y.values if (value := number(text)) is not None]


def draw(drawing: Drawing) -> str:
    """The whole panel."""
    if is_empty(drawing.shown):
        return message(drawing.empty, drawing.width, drawing.height)
    marks = [mark for mark in _marks(drawing) if mark.points()]
    if not marks:
        return message("Unable to render data: no pair of number fields", drawing.width,
                       drawing.height)  # fmt: skip
    entries = [Entry(mark.name, mark.y.color) for mark in marks
               if not (mark.y.custom.get("hideFrom") or {}).get("legend")]  # fmt: skip
    return with_legend(drawing, entries, lambda w, h: _plot(drawing, marks, w, h))


def _marks(drawing: Drawing) -> Iterator[Marks]:
    options = drawing.options
    manual = "manual" in (options.get("mapping"), options.get("seriesMapping"))
    listed: Sequence[Json] = options.get("series") or [{}]
    for series in listed if manual else listed[:1]:
        for n, frame in enumerate(drawing.shown.frames):
            if _has(series.get("frame"), frame, n, drawing.shown.frames):
                yield from _of_frame(series, frame, options.get("dims") or {})


def _of_frame(series: Json, frame: DataFrame, dims: Json) -> Iterator[Marks]:
    numbers = [field for field in frame.fields if field.type == "number"]
    x = _named(series.get("x") or dims.get("x"), frame, numbers) or (
        numbers[0] if numbers else None
    )
    named = _named(series.get("y"), frame, numbers)
    for y in [named] if named else [field for field in numbers if field is not x]:
        if x is not None and drawn(y):
            name = series.get("name")
            fixed = name.get("fixed") if isinstance(name, Mapping) else name
            yield Marks(str(fixed or y.title), x, y)


def _named(matching: Any, frame: DataFrame, numbers: Sequence[Field]) -> Field | None:
    """The field of a name, or of a matcher by name, by expression or by type."""
    if not matching:
        return None
    if isinstance(matching, str):
        matcher, option = "byName", matching
    else:
        matcher, option = matching["matcher"]["id"], matching["matcher"].get("options", "")
    if matcher == "byRegexp":
        pattern = re.compile(str(option).strip("/"))
        return next((field for field in frame.fields if pattern.search(field.title)), None)
    if matcher == "byType":
        return numbers[0] if numbers else None
    return next((field for field in frame.fields if option in (field.name, field.title)), None)


def _has(matching: Any, frame: DataFrame, index: int, frames: Sequence[DataFrame]) -> bool:
    """Whether a series is of this frame: named by its place, or by its query."""
    if matching is None:
        return True
    if isinstance(matching, int):
        return matching == index
    matcher, option = matching["matcher"]["id"], matching["matcher"].get("options")
    if matcher == "byIndex":
        return bool(option == index)
    if matcher in {"byRefId", "byFrameRefID"}:
        return bool(option == frame.ref)
    return bool(option == frame.name) or len(frames) == 1


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    ticks: Sequence[float]
    texts: Sequence[str]
    log: bool
    label: str

    def share(self, value: float) -> float:
        if self.log:
            return axes.log_share(value, self.low, self.high)
        return (value - self.low) / (self.high - self.low)


def _scale(drawing: Drawing, field: Field, values: Sequence[float], pixels: float) -> _Scale:
    config, custom = field.config, field.custom
    label = str(custom.get("axisLabel") or field.title)
    log = (custom.get("scaleDistribution") or {}).get("type") == "log"
    positive = [value for value in values if value > 0]
    if log and positive:
        low, high, at = axes.powers(min(positive), max(positive))
        return _Scale(low, high, at, drawing.library.texts(config, at, 0), True, label)
    low, high = axes.padded(min(values), max(values), config.get("min"), config.get("max"))
    at, step = axes.ticks(low, high, pixels, unit=str(config.get("unit", "")))
    texts = drawing.library.texts(config, at, axes.decimals(step))
    return _Scale(low, high, at, texts, False, label)


def _plot(drawing: Drawing, marks: Sequence[Marks], width: int, height: int) -> str:
    tall = height - AXIS_PX - LABEL_PX
    points = [point for mark in marks for point in mark.points()]
    across = _scale(drawing, marks[0].x, [x for x, _ in points], width / 2.5)
    up = _scale(drawing, marks[0].y, [y for mark in marks for y in mark.known], tall)
    left = LABEL_PX + int(max(len(text) for text in up.texts) * axes.LETTER_PX) + 12
    wide = width - left - 12
    parts = []
    for value, words in zip(up.ticks, up.texts, strict=True):
        y = (1 - up.share(value)) * (tall - 8) + 8
        parts += [rule(left, y, left + wide, y), text_at(left - 6, y, words, "end")]
    for value, words in zip(across.ticks, across.texts, strict=True):
        x = left + across.share(value) * wide
        parts += [rule(x, 0, x, tall), text_at(x, tall + 12, words)]
    parts.append(text_at(left + wide / 2, height - LABEL_PX / 2, across.label))
    turned = text_at(0, 0, up.label)
    parts.append(f'<g transform="translate(10 {tall / 2:.0f}) rotate(-90)">{turned}</g>')
    for mark in marks:
        place = [(left + across.share(x) * wide, (1 - up.share(y)) * (tall - 8) + 8)
                 for x, y in mark.points()]  # fmt: skip
        parts += _drawn(mark.y, place)
    return svg(parts, width, height)


def _drawn(field: Field, place: Sequence[tuple[float, float]]) -> list[str]:
    show = str(field.custom.get("show", "points"))
    size = field.custom.get("pointSize") or 5
    across = float(size.get("fixed", 5) if isinstance(size, Mapping) else size)
    parts = []
    if "lines" in show:
        path = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(place))
        dashes = (field.custom.get("lineStyle") or {}).get("fill") in {"dash", "dot"}
        parts.append(
            f'<path d="{path}" fill="none" stroke="{field.color}"'
            f' stroke-width="{field.custom.get("lineWidth", 1)}"'
            + (' stroke-dasharray="8 6"/>' if dashes else "/>")
        )
    if "points" in show:
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{across / 2:.1f}" fill="{field.color}"'
            f' fill-opacity="0.5" stroke="{field.color}"/>'
            for x, y in place
        ]
    return parts
