"""Numbers large: the panels ``stat``, ``gauge`` and ``bargauge``. The page's script sets the size
of type, by Grafana's rules."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from tools.pictures.drawing import TEXT, Drawing, box, message
from tools.pictures.library import Number

GAP_PX: Final = 8
WIDE: Final = 2.5
LONG_TITLE_SHARE: Final = 0.15


def stat(drawing: Drawing) -> str:
    """Each number in a box of its own, side by side or below each other."""
    numbers = drawing.shown.numbers
    if not numbers:
        return message(drawing.empty, drawing.width, drawing.height)
    across, down = _grid(drawing, len(numbers))
    wide = (drawing.width - GAP_PX * (across - 1)) / across
    high = (drawing.height - GAP_PX * (down - 1)) / down
    longest = max((shown.title for shown in numbers), key=len)
    widest = max((shown.text for shown in numbers), key=len)
    boxes = (_one(drawing, shown, (longest, widest), wide, high, several=len(numbers) > 1)
             for shown in numbers)  # fmt: skip
    style = f"display:grid;grid-template-columns:repeat({across},1fr);gap:{GAP_PX}px"
    return box("".join(boxes), drawing.width, drawing.height, style)


def _grid(drawing: Drawing, count: int) -> tuple[int, int]:
    """How many stand abreast, and how many lines there are."""
    way = drawing.options.get("orientation", "auto")
    if way == "horizontal":
        return 1, count
    if way == "vertical":
        return count, 1
    best = (1, count)
    largest = 0.0
    for across in range(1, count + 1):
        down = math.ceil(count / across)
        # Boxes nearest to twice as wide as high have the largest type.
        size = min(drawing.width / across / 2, drawing.height / down)
        if size > largest:
            best, largest = (across, down), size
    return best


def _one(
    drawing: Drawing, shown: Number, longest: tuple[str, str], wide: float, high: float, *,
    several: bool,
) -> str:  # fmt: skip
    """One number and its name: beside each other in a wide box, else below."""
    title, value = _words(drawing, shown, several=several)
    pad = 12 if high > 100 else 8
    flat = wide / high > WIDE
    room, tall = wide - 2 * pad, high - 2 * pad
    head, free, share = "", tall, 1.0
    if title:
        below = high * LONG_TITLE_SHARE
        head = _fit(title, longest[0], room * (0.6 if flat else 1), tall if flat else below, 30)
        free = tall if flat else tall - min(below, 36)
        share = 0.3 if flat else 1.0
    mode = str(drawing.options.get("colorMode", "value"))
    color = {"value": shown.color, "none": TEXT}.get(mode, "#ffffff")
    alike = value if drawing.options.get("textMode") == "name" else longest[1]
    large = _fit(value, alike, room * share, free, 0, f"color:{color};font-weight:500")
    center = not title or drawing.options.get("justifyMode") == "center"
    justify = "center" if center else "space-between" if flat else "flex-start"
    align = "center" if center or flat else "flex-start"
    style = (f"display:flex;flex-direction:{'row' if flat else 'column'};align-items:{align};"
             f"justify-content:{justify};width:100%;height:100%")  # fmt: skip
    back = f"background:{shown.color};" if mode.startswith("background") else ""
    inside = f'<div style="{style}">{head}{large}</div>{_line(drawing, shown, wide, high)}'
    return box(inside, wide, high, f"{back}padding:{pad}px;border-radius:3px;position:relative")


def _words(drawing: Drawing, shown: Number, *, several: bool) -> tuple[str, str]:
    """What stands small and what large."""
    mode = drawing.options.get("textMode", "auto")
    if mode == "name":
        return "", shown.title
    named = mode == "value_and_name" or (mode == "auto" and several)
    return (shown.title if named else ""), ("" if mode == "none" else shown.text)


def _fit(words: str, alike: str, width: float, height: float, most: float, style: str = "") -> str:
    """Words as large as ``alike``, the longest of them, fits into ``width`` px."""
    limit = f' data-max="{most:.0f}"' if most else ""
    return (
        f'<div class="fit" style="{style}" data-text="{escape(alike)}" data-w="{width:.1f}"'
        f' data-h="{height:.1f}"{limit}>{escape(words)}</div>'
    )


def _line(drawing: Drawing, shown: Number, wide: float, high: float) -> str:
    values = [value for value in shown.sparkline if value is not None]
    if drawing.options.get("graphMode", "area") == "none" or len(values) < 2 or high <= 50:
        return ""
    low, top = min(values), max(values)
    tall = high * 0.25
    step = wide / (len(values) - 1)
    path = " ".join(
        f"{n * step:.1f},{tall - (value - low) / ((top - low) or 1) * (tall - 4):.1f}"
        for n, value in enumerate(values)
    )
    return (
        f'<svg style="position:absolute;left:0;bottom:0" width="{wide:.0f}" height="{tall:.0f}">'
        f'<polyline points="{path}" fill="none" stroke="{shown.color}" stroke-width="1"/></svg>'
    )


def bar_gauge(drawing: Drawing) -> str:
    """A bar for each number, between its least and most."""
    numbers = drawing.shown.numbers
    if not numbers:
        return message(drawing.empty, drawing.width, drawing.height)
    high = max(drawing.height / len(numbers) - GAP_PX, 8)
    rows = "".join(
        f'<div class="bar" style="height:{high:.0f}px"><span>{escape(shown.title)}</span>'
        f'<div><b style="width:{100 * (shown.percent or 0):.1f}%;'
        f'background:{shown.color}"></b></div>'
        f'<em style="color:{shown.color}">{escape(shown.text)}</em></div>'
        for shown in numbers
    )
    return box(rows, drawing.width, drawing.height)


def gauge(drawing: Drawing) -> str:
    """An arc for each number."""
    numbers: Sequence[Number] = drawing.shown.numbers
    if not numbers:
        return message(drawing.empty, drawing.width, drawing.height)
    wide = drawing.width / len(numbers)
    return "".join(_arc(shown, wide, drawing.height) for shown in numbers)


def _arc(shown: Number, wide: float, high: float) -> str:
    radius = max(min(wide / 2, high) - 24, 10)
    x, y = wide / 2, min(high - 20, radius + 14)
    length = math.pi * radius
    path = f"M{x - radius} {y} A{radius} {radius} 0 0 1 {x + radius} {y}"
    part = length * max(0.0, min(1.0, shown.percent or 0.0))
    return (
        f'<svg width="{wide:.0f}" height="{high:.0f}" style="float:left">'
        f'<path d="{path}" fill="none" stroke="#2c3235" stroke-width="14"/>'
        f'<path d="{path}" fill="none" stroke="{shown.color}" stroke-width="14"'
        f' stroke-dasharray="{part:.1f} {length:.1f}"/>'
        f'<text x="{x}" y="{y - 8}" text-anchor="middle" font-size="22" fill="{shown.color}">'
        f"{escape(shown.text)}</text>"
        f'<text x="{x}" y="{y + 14}" text-anchor="middle" font-size="12" fill="#ccccdc">'
        f"{escape(shown.title)}</text></svg>"
    )
