"""Inline SVG: power over time with windows shaded, and scores as bars with intervals.

Colours are CSS classes of the page, so that they follow its light and dark modes. Numbers are
rounded to a tenth of a pixel. Text is set by the caller's template or escaped by markupsafe.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from wattmark_cli.display import between, si
from wattmark_core.results import Score, Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.views.power import Curve

WIDTH: Final = 900
LEFT: Final = 60
RIGHT: Final = 8
HEIGHT: Final = 220
BOTTOM: Final = 24
TOP: Final = 12
SERIES_CLASSES: Final = 6
LABEL: Final = 190
LABEL_CHARACTERS: Final = 22
"""What fits into ``LABEL`` pixels also in the larger type of a narrow screen."""
Scale = Callable[[Any], float]
"""From a value (Unix ns, W, 1/mWh) to a pixel."""


def extent(curves: Sequence[Curve], windows: Sequence[Window]) -> tuple[int, int]:
    """First and last instant of a chart, Unix ns. Raises ``ValueError`` without any."""
    times = [w.start_ns for w in windows] + [w.end_ns for w in windows]
    times += [point[0] for curve in curves for point in curve.points if point is not None]
    return min(times), max(times)


def power_chart(curves: Sequence[Curve], windows: Sequence[Window], title: str) -> Markup:
    """Power over time of one run with its windows shaded by phase."""
    seen = [point for curve in curves for point in curve.points if point is not None]
    if not seen:
        return Markup('<p class="empty">No samples of power are kept for this run.</p>')
    start, end = extent(curves, windows)
    top = _ceiling(max(watts for _, watts in seen))

    def x(time_ns: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (time_ns - start) / max(1, end - start)

    def y(watts: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - watts / top)

    parts = [*_shades(windows, x), *_grid(top, y), *_seconds_axis(start, end, x)]
    for number, curve in enumerate(curves):
        parts.append(
            Markup('<path class="line s{}" d="{}"/>').format(
                number % SERIES_CLASSES, _path(curve, x, y)
            )
        )
    return _svg(parts, HEIGHT, title)


def _shades(windows: Sequence[Window], x: Scale) -> Iterable[Markup]:
    for window in windows:
        left, right = x(window.start_ns), x(window.end_ns)
        label = f"{window.phase} {window.repeat + 1}: {window.seconds:.1f} s, " + si(
            window.joules, "J"
        )
        yield Markup(
            '<rect class="phase {}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}</title>'
            "</rect>"
        ).format(window.phase, left, TOP, max(0.5, right - left), HEIGHT - TOP - BOTTOM, label)


def _grid(top: float, y: Scale) -> Iterable[Markup]:
    for step in range(5):
        watts = top * step / 4
        yield Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
            '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, y(watts), y(watts), LEFT - 5, y(watts) + 4, si(watts, "W"))


def _seconds_axis(start: int, end: int, x: Scale) -> Iterable[Markup]:
    length = ns_to_seconds(end - start)
    step = _ceiling(length / 6)
    for number in range(int(length / step) + 1):
        at = start + round(number * step * 1e9)
        yield Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:g} s</text>').format(
            x(at), HEIGHT - 6, number * step
        )


def _path(curve: Curve, x: Scale, y: Scale) -> str:
    pieces, pen_down = [], False
    for point in curve.points:
        if point is None:
            pen_down = False
            continue
        pieces.append(f"{'L' if pen_down else 'M'}{x(point[0]):.1f} {y(max(0.0, point[1])):.1f}")
        pen_down = True
    return "".join(pieces)


def score_chart(scores: Sequence[Score], title: str) -> Markup:
    """Bars on a logarithmic axis with the 95 % interval as a whisker, best first.

    A score that has no interval, or none above 0, has no place on the axis: the table shows it.
    """
    drawn = [bar for bar in map(_bar_of, scores) if bar is not None]
    if not drawn:
        return Markup("")
    row = 30
    low = 10 ** math.floor(math.log10(min(bar.low for bar in drawn)))
    high = 10 ** math.ceil(math.log10(max(bar.high for bar in drawn)))
    decades = max(1, round(math.log10(high / low)))

    def x(value: float) -> float:
        return LABEL + (WIDTH - LABEL - 20) * math.log10(value / low) / decades

    height = row * len(drawn) + BOTTOM
    parts = []
    for decade in range(decades + 1):
        at = x(low * 10**decade)
        parts.append(
            Markup(
                '<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="0" y2="{}"/>'
                '<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
            ).format(at, at, height - BOTTOM, at, height - 7, si(low * 10**decade, ""))
        )
    parts += [_bar(bar, number * row, row, x) for number, bar in enumerate(drawn)]
    return _svg(parts, height, title)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A score that can be drawn, 1/mWh: 0 < low ≤ value ≤ high."""

    name: str
    value: float
    low: float
    high: float


def _bar_of(score: Score) -> _Bar | None:
    if score.value is None or score.low is None or score.high is None or score.low <= 0:
        return None
    return _Bar(score.variant, score.value, score.low, score.high)


def _bar(bar: _Bar, top: int, row: int, x: Scale) -> Markup:
    middle = top + row / 2
    said = f"{bar.name}: {si(bar.value, '')} /mWh, 95 % interval {between(bar.low, bar.high)}"
    fits = len(bar.name) <= LABEL_CHARACTERS
    name = bar.name if fits else bar.name[: LABEL_CHARACTERS - 1] + "…"
    return Markup(
        '<g><title>{}</title><text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        '<rect class="bar" x="{}" y="{:.1f}" width="{:.1f}" height="{}"/>'
        '<path class="whisker" d="M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}v10M{:.1f} {:.1f}v10"/></g>'
    ).format(
        said, LABEL - 8, middle + 4, name,
        LABEL, top + 6, max(0.0, x(bar.value) - LABEL), row - 12,
        x(bar.low), middle, x(bar.high), x(bar.low), middle - 5, x(bar.high), middle - 5,
    )  # fmt: skip


def _svg(parts: Iterable[Markup], height: int, title: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="xMinYMin meet">'
        "{}</svg>"
    ).format(WIDTH, height, title, Markup("").join(escape(part) for part in parts))


def _ceiling(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= value * (1 - 1e-9))
