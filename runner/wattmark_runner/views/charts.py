"""Pictures for the page and for reports: power over time, and scores beside each other.

Each is a ``<figure>`` of HTML with an inline SVG, its title, a description and its legend. Colours
are classes of ``style_sheet``, so that they follow the viewer's scheme. All text is escaped here.
"""

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wattmark_core import colors, labels
from wattmark_core.catalogue import Method
from wattmark_core.figures import SECONDS, WATTS, exact, figure, moment
from wattmark_core.printable import printable
from wattmark_core.results import Phase, Score, Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.views.axis import Axis, axis_from_zero, axis_of
from wattmark_runner.views.power import Curve
from wattmark_runner.views.run_words import window_energy
from wattmark_scoring.score_words import score_texts

WIDTH: Final = 900
HEIGHT: Final = 240
LEFT: Final = 64
RIGHT: Final = 12
TOP: Final = 12
BOTTOM: Final = 26
ROW: Final = 40
LABEL: Final = 220
VALUE: Final = 190
LABEL_CHARACTERS: Final = 22
"""What fits into ``LABEL`` pixels also in the larger type of a narrow screen."""
DASHES: Final = ("none", "2 3", "9 3 2 3", "1 5")
"""Of the devices of one domain, which share its colour."""
ESTIMATED_DASH: Final = "8 6"
NO_SAMPLES: Final = "No samples of power are kept for this run."
NO_SAMPLES_YET: Final = "No power samples yet."
RULES: Final = """\
figure { margin: 0; }
svg.chart { width: 100%; min-width: 34rem; height: auto; display: block; margin: .6rem 0; }
svg.chart text { font-size: 12px; fill: var(--dim); } svg.chart text.name { fill: var(--fg); }
.gridline { stroke: var(--rule); } .dot { fill: var(--bar); }
.whisker { stroke: var(--fg); stroke-width: 1.5; fill: none; }
.curve { fill: none; stroke-width: 1.4; stroke: var(--fg); } .phase { opacity: .22; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none;
  font-size: .875rem; color: var(--dim); }
.key { display: inline-block; width: 1em; height: .8em; margin-right: .4em; opacity: .5;
  background: currentColor; }
.key.line { width: 1.8em; height: 0; border-top: 2px solid; vertical-align: middle; opacity: 1;
  background: none; }
.key.line.dashed { border-top-style: dashed; }
@media (max-width: 40rem) { svg.chart text { font-size: 16px; } }
"""
Scale = Callable[[float], float]
"""From a value to a pixel."""


def style_sheet() -> str:
    """CSS: the colours of page and reports as variables, and the classes of what is drawn here."""
    curves = [f".curve.{name} {{ stroke: var(--{name}); }}" for name in colors.DOMAINS]
    phases = [f".phase.{name} {{ fill: var(--{name}); }}" for name in colors.PHASES]
    keys = [
        f".key.{name} {{ color: var(--{name}); }}" for name in (*colors.DOMAINS, *colors.PHASES)
    ]
    return colors.css_variables() + RULES + "\n".join([*curves, *phases, *keys, ""])


def extent(curves: Sequence[Curve], windows: Sequence[Window]) -> tuple[int, int]:
    """First and last instant of a chart, Unix ns. Raises ``ValueError`` without any."""
    times = [w.start_ns for w in windows] + [w.end_ns for w in windows]
    times += [point[0] for curve in curves for point in curve.points if point is not None]
    return min(times), max(times)


def power_chart(
    curves: Sequence[Curve], windows: Sequence[Window], *, empty: str = NO_SAMPLES
) -> str:
    """Power over time from 0 W, with windows shaded by phase; ``empty``: what is shown without
    samples.

    A point holds back to the one before, so that the area is the energy; where nothing is known,
    nothing is drawn.
    """
    watts = [point[1] for curve in curves for point in curve.points if point is not None]
    if not watts:
        return _figure([f'<p class="dim">{_escaped(empty)}</p>'])
    start, end = extent(curves, windows)
    seconds = ns_to_seconds(max(1, end - start))
    power, time = axis_from_zero(max(watts)), axis_from_zero(seconds, room=1.0)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time.share(at)

    def y(height: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * power.share(max(0.0, height))

    def since(time_ns: int) -> float:
        return x(ns_to_seconds(time_ns - start))

    dashes = _dashes(curves)
    shown = [
        *_shades(windows, since),
        *(_line_across(y(tick), exact(tick, WATTS)) for tick in power.ticks),
        *(_below(x(tick), HEIGHT - 8, exact(tick, SECONDS)) for tick in time.ticks),
        *(f'<path class="curve {_domain(curve)}" stroke-dasharray="{dash}"'
          f' d="{_steps(curve, since, y)}"/>'
          for curve, dash in zip(curves, dashes, strict=True)),
    ]  # fmt: skip
    phases = [phase for phase in Phase if any(w.phase is phase for w in windows)]
    most, length = figure(max(watts), unit=WATTS), figure(seconds, unit=SECONDS)
    shaded = ", ".join(labels.PHASES[phase] for phase in phases) or "nothing"
    about = f"Up to {most} over {length} from {moment(start)}; shaded: {shaded}."
    return _figure([
        _svg(shown, HEIGHT, "power over time", about),
        _legend([*_curve_keys(curves, dashes),
                 *((f"key {phase}", labels.PHASES[phase]) for phase in phases)]),
    ])  # fmt: skip


def _domain(curve: Curve) -> str:
    return _escaped(str(curve.series.domain))


def _dashes(curves: Sequence[Curve]) -> list[str]:
    """Of each curve: an estimate's, else by its number among those of its domain."""
    seen: dict[str, int] = {}
    made = []
    for curve in curves:
        number = seen.setdefault(curve.series.domain, 0)
        seen[curve.series.domain] += 1
        estimated = curve.series.method is Method.ESTIMATED
        made.append(ESTIMATED_DASH if estimated else DASHES[number % len(DASHES)])
    return made


def _curve_keys(curves: Sequence[Curve], dashes: Sequence[str]) -> Iterable[tuple[str, str]]:
    for curve, dash in zip(curves, dashes, strict=True):
        dashed = "" if dash == "none" else " dashed"
        yield f"key line {_domain(curve)}{dashed}", curve.label


def _shades(windows: Sequence[Window], since: Callable[[int], float]) -> Iterable[str]:
    for window in windows:
        left, right = since(window.start_ns), since(window.end_ns)
        name = labels.window(window.phase, window.repeat)
        length = figure(window.seconds, unit=SECONDS)
        energy = "" if window.joules is None else f", {window_energy(window)}"
        yield (
            f'<rect class="phase {window.phase}" x="{left:.1f}" y="{TOP}"'
            f' width="{max(0.5, right - left):.1f}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{_escaped(f'{name}: {length}{energy}')}</title></rect>"
        )


def _steps(curve: Curve, since: Callable[[int], float], y: Scale) -> str:
    pieces, pen_down = [], False
    for point in curve.points:
        if point is None:
            pen_down = False
            continue
        at, height = since(point[0]), y(point[1])
        pieces.append(f"V{height:.1f}H{at:.1f}" if pen_down else f"M{at:.1f} {height:.1f}")
        pen_down = True
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A score that can be drawn: low ≤ value ≤ high."""

    name: str
    place: str
    text: str
    value: float
    low: float
    high: float
    estimated: bool


def score_chart(scores: Sequence[Score], title: str) -> str:
    """A dot with its 95 % interval for each score, in the order given; empty if none can be drawn.

    A score that has no interval, or none above 0, has no place on the axis: the table shows it.
    """
    marks = [mark for mark in map(_mark_of, scores) if mark is not None]
    if not marks:
        return ""
    axis = axis_of([end for mark in marks for end in (mark.low, mark.high)])
    places = {mark.place for mark in marks}

    def x(value: float) -> float:
        return LABEL + (WIDTH - LABEL - VALUE) * axis.share(value)

    height = ROW * len(marks) + BOTTOM
    shown = [*_lines_down(axis, x, height)]
    for number, mark in enumerate(marks):
        shown += _mark(mark, ROW * number + ROW // 2, x, place=len(places) > 1)
    kind = "logarithmic axis" if axis.logarithmic else "linear axis from 0"
    estimated = f", {labels.ESTIMATED}" if any(mark.estimated for mark in marks) else ""
    about = f"Dots: score per mWh{estimated}, {kind}; whiskers: 95 % interval; best first."
    return _figure(
        [_svg(shown, height, title, about), f'<p class="dim small">{_escaped(about)}</p>']
    )


def _mark_of(score: Score) -> _Mark | None:
    if score.value is None or score.low is None or score.high is None or score.low <= 0:
        return None
    text = score_texts(score).score
    estimated = score.method is Method.ESTIMATED
    return _Mark(score.variant, score.place, text, score.value, score.low, score.high, estimated)


def _lines_down(axis: Axis, x: Scale, height: int) -> Iterable[str]:
    for tick in axis.ticks:
        yield (
            f'<line class="gridline" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="0"'
            f' y2="{height - BOTTOM}"/>'
        )
        yield _below(x(tick), height - 8, exact(tick))


def _mark(mark: _Mark, middle: int, x: Scale, *, place: bool) -> Iterable[str]:
    fits = len(mark.name) <= LABEL_CHARACTERS
    name = mark.name if fits else mark.name[: LABEL_CHARACTERS - 1] + "…"
    full = f"{mark.name} on {mark.place}" if place else mark.name
    yield f"<g><title>{_escaped(f'{full}: {mark.text}')}</title>"
    yield (
        f'<text class="name" x="{LABEL - 10}" y="{middle + (0 if place else 4)}"'
        f' text-anchor="end">{_escaped(name)}</text>'
    )
    if place:
        yield (
            f'<text x="{LABEL - 10}" y="{middle + 15}" text-anchor="end">'
            f"{_escaped(mark.place)}</text>"
        )
    low, high, at = x(mark.low), x(mark.high), x(mark.value)
    yield (
        f'<path class="whisker" d="M{low:.1f} {middle - 5}v10M{low:.1f} {middle}H{high:.1f}'
        f'M{high:.1f} {middle - 5}v10"/>'
        f'<circle class="dot" cx="{at:.1f}" cy="{middle}" r="4.5"/>'
        f'<text class="name" x="{WIDTH - VALUE + 14}" y="{middle + 4}">'
        f"{_escaped(mark.text)}</text></g>"
    )


def _line_across(y: float, label: str) -> str:
    return (
        f'<line class="gridline" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_escaped(label)}</text>'
    )


def _below(x: float, y: int, label: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{_escaped(label)}</text>'


def _legend(keys: Iterable[tuple[str, str]]) -> str:
    entries = [
        f'<li><span class="{kind}"></span>{_escaped(name)}</li>' for kind, name in keys
    ]  # fmt: skip
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _svg(shown: Iterable[str], height: int, title: str, description: str) -> str:
    """In a box of its own that scrolls where the screen is narrow."""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_escaped(title)}">'
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}"'
        f' role="img"><title>{_escaped(title)}</title><desc>{_escaped(description)}</desc>'
        f"{''.join(shown)}</svg></div>"
    )


def _figure(parts: Iterable[str]) -> str:
    return f"<figure>{''.join(parts)}</figure>"


def _escaped(text: str) -> str:
    """As a page may hold it."""
    return html.escape(printable(text))
