"""``python -m tools.house``: draws ``docs/images/house.svg``, the house in one picture.

A box stands on what it imports. Places come from the imports themselves, so that the picture cannot
say anything else than the code; ``MEANINGS`` says what is in each box. A test draws it again.
"""

import html
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs/images/house.svg"
MEANINGS: Final = {
    "wattmark_cli": ("cli", "the command, starts the rooms"),
    "wattmark_client": ("client", "the REST API, typed"),
    "wattmark_exporters": ("exporters", "sensors → samples over HTTP"),
    "wattmark_collector": ("collector", "polls, checks, spools, writes"),
    "wattmark_scoring": ("scoring", "energy, checks, scores: pure"),
    "wattmark_store": ("store", "SQLite or InfluxDB"),
    "wattmark_core": ("core", "units, samples, contracts"),
    "wattmark_runner": ("runner", "the service as a program"),
    "wattmark_runner.service": ("runner/service", "the application, its page"),
    "wattmark_runner.service.access": ("service/access", "who may call what"),
    "wattmark_runner.service.api": ("service/api", "REST calls, schemas, problems"),
    "wattmark_runner.service.services": ("service/services", "the running parts, for the calls"),
    "wattmark_runner.service.jobs": ("service/jobs", "queue, scoring, foreign windows"),
    "wattmark_runner.service.context": ("service/context", "store, run database, exporter"),
    "wattmark_runner.execution": ("runner/execution", "carries out a run"),
    "wattmark_runner.scoring": ("runner/scoring", "reads windows, scores runs"),
    "wattmark_runner.views": ("runner/views", "tables, charts, texts"),
    "wattmark_runner.windows": ("runner/windows", "edges and their samples"),
    "wattmark_runner.records": ("runner/records", "what is kept of a run"),
    "wattmark_runner.worker": ("runner/worker", "the child that infers"),
    "wattmark_runner.workloads": ("runner/workloads", "what may run"),
    "wattmark_runner.errors": ("runner/errors", "what a caller may do wrong"),
}  # fmt: skip
"""Package → name in the picture and what it holds. A module belongs to the longest that fits."""

COLUMNS: Final = {
    "wattmark_collector": 0, "wattmark_exporters": 1, "wattmark_scoring": 2, "wattmark_store": 2,
    "wattmark_client": 4, "wattmark_runner.service.context": 2, "wattmark_runner.windows": 2,
    "wattmark_runner.views": 4, "wattmark_runner.worker": 5, "wattmark_runner.workloads": 4,
    "wattmark_runner.errors": 4,
}  # fmt: skip
"""Where a box stands from left to right; all others in the middle."""
MIDDLE: Final = 3
FAKES: Final = "wattmark_core.testing"
"""It hands out fakes of the store, too, which stands on core: no part of the house."""
WIDTH, HEIGHT, GAP, ROW, MARGIN, BEND = 200, 52, 28, 92, 24, 40
Place = tuple[int, int]
"""The middle of a box."""
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}"
    ".of{font-size:10.5px;fill:#555}"
    "rect{fill:#f4f6f8;stroke:#5b6770;rx:6}"
    ".runner{fill:#e7f0f7;stroke:#2f6690}"
    "polyline{fill:none;stroke:#8a949b;stroke-width:1.2;marker-end:url(#a)}"
)


def imports() -> dict[str, set[str]]:
    """Which boxes each box imports."""
    roots = [name for name in MEANINGS if "." not in name]
    graph = grimp.build_graph(*roots)
    arrows: dict[str, set[str]] = {name: set() for name in MEANINGS}
    for module in graph.modules - {FAKES}:
        for imported in graph.find_modules_directly_imported_by(module):
            if (box := _box(module)) != _box(imported):
                arrows[box].add(_box(imported))
    return arrows


def _box(module: str) -> str:
    return max((name for name in MEANINGS if f"{module}.".startswith(f"{name}.")), key=len)


def floors(arrows: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each box: above all that it imports, rooms as high as they can be. Raises
    ``ValueError`` where boxes import one another in a circle."""
    level: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise ValueError("a circle of imports: " + " → ".join((*path, name)))
        if name not in level:
            level[name] = max((visit(to, (*path, name)) + 1 for to in arrows[name]), default=0)
        return level[name]

    for name in arrows:
        visit(name, ())
    top = max(level.values())
    for name in sorted(arrows, key=lambda name: -level[name]):
        users = [level[user] for user, to in arrows.items() if name in to]
        if not name.startswith("wattmark_runner."):  # a room hangs below what imports it
            level[name] = min(users, default=top + 1) - 1
    return level


def reduced(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The arrows without those that a way over other boxes implies."""

    def reach(name: str) -> set[str]:
        return arrows[name].union(*(reach(to) for to in arrows[name]))

    return {
        name: to - set[str]().union(*(reach(over) for over in to)) for name, to in arrows.items()
    }


def draw(arrows: Mapping[str, set[str]]) -> str:
    """The picture, SVG."""
    level = floors(arrows)
    columns = {name: COLUMNS.get(name, MIDDLE) for name in arrows}
    width = 2 * MARGIN + (max(columns.values()) + 1) * (WIDTH + GAP) - GAP
    height = 2 * MARGIN + max(level.values()) * ROW + HEIGHT
    place = {
        name: (
            MARGIN + WIDTH // 2 + columns[name] * (WIDTH + GAP),
            height - MARGIN - HEIGHT // 2 - level[name] * ROW,
        )
        for name in arrows
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>Rooms of Wattmark: each stands on what it imports</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0 8 4 0 8z" fill="#8a949b"/></marker></defs>',
        f'<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
    ]
    parts += [
        _arrow(place[name], place[other], place.values())
        for name, to in reduced(arrows).items()
        for other in sorted(to)
    ]
    parts += [_box_svg(name, *place[name]) for name in MEANINGS]
    return "\n".join([*parts, "</svg>", ""])


def _arrow(start: Place, end: Place, boxes: Iterable[Place]) -> str:
    """From box to box; a long one goes down in the column of one of the two that is free."""
    (x1, y1), (x2, y2) = (start[0], start[1] + HEIGHT // 2), (end[0], end[1] - HEIGHT // 2)
    between = {x for x, y in boxes if start[1] < y < end[1]}
    points = [(x1, y1), (x2, y2)]
    if x1 != x2 and end[1] - start[1] > ROW and x1 not in between:
        points.insert(1, (x1, y2 - BEND))
    elif x1 != x2 and end[1] - start[1] > ROW and x2 not in between:
        points.insert(1, (x2, y1 + BEND))
    return f'<polyline points="{" ".join(f"{x},{y}" for x, y in points)}"/>'


def _box_svg(name: str, x: int, y: int) -> str:
    title, text = map(html.escape, MEANINGS[name])
    kind = ' class="runner"' if name.startswith("wattmark_runner") else ""
    left, top = x - WIDTH // 2, y - HEIGHT // 2
    return (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}"{kind}/>'
        f'<text x="{x}" y="{y - 4}" text-anchor="middle">{title}</text>'
        f'<text x="{x}" y="{y + 14}" text-anchor="middle" class="of">{text}</text>'
    )


def main() -> int:
    """Draw it."""
    try:
        PICTURE.write_text(draw(imports()), encoding="utf-8")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
