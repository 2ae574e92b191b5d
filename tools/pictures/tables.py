"""Rows and words: the panels ``table`` and ``text``, and boxes for what Grafana alone can fill."""

from html import escape
from typing import Final

from tools.pictures.drawing import Drawing, box, is_empty, message
from tools.pictures.library import Field, Json

ROW_PX: Final = {"sm": 36, "md": 48, "lg": 64}
LEAST_PX: Final = 150
"""Of a column, where it does not say (``custom.minWidth``)."""


def table(drawing: Drawing) -> str:
    """As wide as its columns want, cut off at the panel's edge, where Grafana scrolls."""
    if is_empty(drawing.shown):
        return message(drawing.empty, drawing.width, drawing.height)
    frame = drawing.shown.frames[0]
    columns = frame.columns
    wide = widths(columns, drawing.width)
    high = ROW_PX.get(str(drawing.options.get("cellHeight", "sm")), 36)
    group = "".join(f'<col style="width:{width:.0f}px">' for width in wide)
    heads = "".join(
        f'<th style="text-align:{_side(field)}">{escape(field.title)}</th>' for field in columns
    )
    head = f"<tr>{heads}</tr>" if drawing.options.get("showHeader", True) else ""
    room = max(int((drawing.height - 36) / high) + 1, 1)
    rows = "".join(
        f'<tr style="height:{high}px">{"".join(_cell(field, n) for field in columns)}</tr>'
        for n in range(min(frame.length, room))
    )
    note = _beyond(drawing, wide, frame.length - int((drawing.height - 28) / high))
    made = f'<table class="rows" style="width:{sum(wide):.0f}px"><colgroup>{group}</colgroup>'
    return box(f"{made}{head}{rows}</table>{note}", drawing.width, drawing.height)


def _beyond(drawing: Drawing, wide: list[float], rows: int) -> str:
    """What one has to scroll to see."""
    edges = [sum(wide[: n + 1]) for n in range(len(wide))]
    columns = sum(edge > drawing.width + 1 for edge in edges)
    notes = [*([f"rows cut off: {rows}"] if rows > 0 else []),
             *([f"columns cut off: {columns}"] if columns else [])]  # fmt: skip
    return f'<div class="below">{", ".join(notes)}</div>' if notes else ""


def widths(columns: list[Field], width: int) -> list[float]:
    """A column's own width; the others share the rest, none narrower than its least."""
    own = [field.custom.get("width") for field in columns]
    free = max(width - sum(width for width in own if width), 0)
    shared = free / max(sum(not width for width in own), 1)
    return [
        float(mine) if mine else max(shared, float(field.custom.get("minWidth") or LEAST_PX))
        for mine, field in zip(own, columns, strict=True)
    ]


def _side(field: Field) -> str:
    align = str(field.custom.get("align") or "auto")
    if align != "auto":
        return align
    return "right" if field.type == "number" else "left"


def _cell(field: Field, row: int) -> str:
    kind = _cell_type(field.custom)
    words, color = escape(field.texts[row]), field.colors[row]
    style = f"text-align:{_side(field)};"
    if kind == "color-text":
        style += f"color:{color};"
    elif kind in {"color-background", "color-background-solid"}:
        style += f"background:{color};color:#fff;"
    elif kind in {"gauge", "basic", "gradient-gauge", "lcd-gauge"}:
        words = f'<b style="color:{color}">▮</b> {words}'
    links = field.links[row] if field.links else ()
    if links:
        words = f'<a title="{escape(links[0].title)}">{words}</a>'
    return f'<td style="{style}">{words}</td>'


def _cell_type(custom: Json | object) -> str:
    options = custom.get("cellOptions") if isinstance(custom, dict) else None
    if isinstance(options, dict) and options.get("type"):
        return str(options["type"])
    return str(custom.get("displayMode", "auto")) if isinstance(custom, dict) else "auto"


def text(drawing: Drawing) -> str:
    """Markdown, or HTML."""
    content = str(drawing.options.get("content", ""))
    if drawing.options.get("mode", "markdown") == "markdown":
        content = drawing.library.html(content)
    return box(f'<div class="markdown">{content}</div>', drawing.width, drawing.height)


def elsewhere(drawing: Drawing) -> str:
    """A box for what comes from Grafana itself: alerts, dashboards."""
    kind = {"alertlist": "Grafana's alerts", "dashlist": "Grafana's list of dashboards"}
    words = kind.get(str(drawing.panel["type"]), f"a {drawing.panel['type']} is not drawn here")
    return message(words, drawing.width, drawing.height)
