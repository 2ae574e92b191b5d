"""States over time and bars by name: the panels ``state-timeline`` and ``barchart``."""

from collections.abc import Sequence
from html import escape
from typing import Final

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
from tools.pictures.library import Field

AXIS_PX: Final = 22
Row = tuple[Field, Sequence[float]]


def states(drawing: Drawing) -> str:
    """Strips: each value holds until the next, the last to the end of the time shown."""
    if is_empty(drawing.shown):
        return message(drawing.empty, drawing.width, drawing.height)
    rows: list[Row] = []
    for frame in drawing.shown.frames:
        times = next((field.values for field in frame.fields if field.type == "time"), None)
        rows += [(field, times) for field in frame.fields
                 if times is not None and field.type != "time" and drawn(field)]  # fmt: skip
    if not rows:
        return message("Data does not have a time field", drawing.width, drawing.height)
    texts = {
        field.texts[n]: field.colors[n]
        for field, _ in rows
        for n, value in enumerate(field.values)
        if value is not None
    }
    entries = [Entry(text, color) for text, color in texts.items()]
    return with_legend(drawing, entries, lambda w, h: _strips(drawing, rows, w, h))


def _strips(drawing: Drawing, rows: Sequence[Row], width: int, height: int) -> str:
    names = max(len(field.title) for field, _ in rows) * axes.LETTER_PX + 10
    left = min(names, width * 0.4)
    wide, tall = width - left - 8, height - AXIS_PX
    each_px = tall / len(rows)
    strip = each_px * float(drawing.options.get("rowHeight", 0.9))
    parts = []
    for at, words in axes.times(drawing.span, wide):
        x = left + _share(drawing, at) * wide
        parts += [rule(x, 0, x, tall), text_at(x, tall + 12, words)]
    for n, (field, times) in enumerate(rows):
        middle = (n + 0.5) * each_px
        parts.append(text_at(left - 8, middle, field.title, "end"))
        for start_ms, end_ms, at in _held(drawing, field, times):
            x = left + max(0.0, _share(drawing, start_ms)) * wide
            end = left + min(1.0, _share(drawing, end_ms)) * wide
            parts += _strip(drawing, field, at, (x, middle - strip / 2, end - x, strip))
    return svg(parts, width, height)


def _strip(
    drawing: Drawing, field: Field, at: int, place: tuple[float, float, float, float]
) -> list[str]:
    x, y, wide, tall = place
    if wide <= 0:
        return []
    fill = float(field.custom.get("fillOpacity", 70)) / 100
    parts = [f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
             f' fill="{field.colors[at]}" fill-opacity="{fill}"/>']  # fmt: skip
    show = drawing.options.get("showValue", "auto")
    words = field.texts[at]
    fits = len(words) * axes.LETTER_PX + 6 < wide
    if show == "always" or (show == "auto" and fits):
        align = drawing.options.get("alignValue", "left")
        where = {"left": (x + 4, "start"), "right": (x + wide - 4, "end")}
        spot, anchor = where.get(str(align), (x + wide / 2, "middle"))
        parts.append(text_at(spot, y + tall / 2, words, anchor, "#ffffff"))
    return parts


def _held(drawing: Drawing, field: Field, times: Sequence[float]) -> list[tuple[float, float, int]]:
    """From when to when each value held, equal neighbours as one; nothing where it is missing."""
    merge = drawing.options.get("mergeValues", True)
    spans: list[tuple[float, float, int]] = []
    for n, value in enumerate(field.values):
        end = times[n + 1] if n + 1 < len(times) else float(drawing.span.end_ms)
        if value is None:
            continue
        if merge and n and spans and field.values[n - 1] == value and spans[-1][1] == times[n]:
            spans[-1] = (spans[-1][0], end, spans[-1][2])
        else:
            spans.append((times[n], end, n))
    return spans


def _share(drawing: Drawing, at_ms: float) -> float:
    span = drawing.span
    return (at_ms - span.start_ms) / max(span.end_ms - span.start_ms, 1)


def bars(drawing: Drawing) -> str:
    """A group of bars for each row, a bar for each number in it; none where it is missing."""
    if is_empty(drawing.shown):
        return message(drawing.empty, drawing.width, drawing.height)
    frame = drawing.shown.frames[0]
    name = drawing.options.get("xField")
    names = next((field for field in frame.fields if name in (field.name, field.title)), None)
    names = names or next(
        (field for field in frame.fields if field.type in {"string", "time"}), None
    )
    fields = [field for field in frame.fields if field.type == "number" and drawn(field)]
    if names is None or not fields:
        return message("Bar charts require a string or time field and a number field",
                       drawing.width, drawing.height)  # fmt: skip
    entries = [Entry(field.title, field.color) for field in fields]
    return with_legend(drawing, entries, lambda w, h: _bars(drawing, names, fields, w, h))


def _bars(drawing: Drawing, names: Field, fields: Sequence[Field], width: int, height: int) -> str:
    values = [number(value) for field in fields for value in field.values]
    known = [value for value in values if value is not None] or [0.0]
    config = fields[0].config
    low, high = axes.padded(min(0.0, *known, 0.0), max(known), config.get("min"), config.get("max"))
    tall = height - AXIS_PX
    at, step = axes.ticks(low, high, tall, unit=str(config.get("unit", "")))
    texts = drawing.library.texts(config, at, axes.decimals(step))
    left = int(max(len(text) for text in texts) * axes.LETTER_PX) + 12
    group = (width - left - 8) / max(len(names.values), 1)
    bar = group * 0.7 * float(drawing.options.get("barWidth", 0.97)) / len(fields)
    parts = []
    for value, words in zip(at, texts, strict=True):
        y = (1 - (value - low) / (high - low)) * (tall - 8) + 8
        parts += [rule(left, y, width - 8, y), text_at(left - 6, y, words, "end")]
    for n, name in enumerate(names.texts):
        start = left + group * (n + 0.15)
        room = int(group / axes.LETTER_PX)
        parts.append(text_at(left + group * (n + 0.5), tall + 12, _cut(name, room)))
        for k, field in enumerate(fields):
            bar_value = number(field.values[n])
            if bar_value is None:
                continue
            y = (1 - (bar_value - low) / (high - low)) * (tall - 8) + 8
            x = start + k * group * 0.7 / len(fields)
            size = f'width="{bar:.1f}" height="{tall - y:.1f}"'
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{field.color}" fill-opacity="0.8"/>'
            )
            if drawing.options.get("showValue", "auto") != "never":
                parts.append(text_at(x + bar / 2, y - 8, field.texts[n]))
    return svg(parts, width, height)


def _cut(words: str, letters: int) -> str:
    return words if len(words) <= letters else f"{escape(words[: max(letters - 1, 1)])}…"
