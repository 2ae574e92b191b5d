"""Panels as they are drawn: what is there, and what is not."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tools.pictures.drawing import Drawing
from tools.pictures.library import Library, LibraryMissing, Question, Span
from tools.pictures.page import DRAW

NOW_MS = 1_764_000_000_000
SPAN = Span(NOW_MS - 600_000, NOW_MS)
LOG = {"scaleDistribution": {"type": "log", "log": 10}, "show": "points"}
MATCHED = [
    {"x": {"matcher": {"id": "byName", "options": "energy"}},
     "y": {"matcher": {"id": "byName", "options": "accuracy"}}},
]  # fmt: skip


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    """The library, started once."""
    try:
        with Library(SPAN) as started:
            yield started
    except LibraryMissing as error:
        pytest.skip(str(error))


def panel(kind: str, options: Any = None, table: bool = False, **defaults: Any) -> dict[str, Any]:
    target = {"refId": "A", "resultFormat": "table" if table else "time_series", "alias": "$col"}
    legend = {"showLegend": False}
    return {
        "type": kind, "options": {"legend": legend, **(options or {})}, "targets": [target],
        "fieldConfig": {"defaults": {"unit": "watt", "noValue": "nothing here", **defaults},
                        "overrides": []},
    }  # fmt: skip


def answer(columns: list[str], *rows: Sequence[Any]) -> dict[str, Any]:
    return {"series": [{"name": "m", "columns": columns, "values": [list(row) for row in rows]}]}


def draw(library: Library, made: Any, found: Any) -> str:
    shown = library.shown([Question(made, [found])])[0]
    assert not shown.error
    return DRAW[made["type"]](Drawing(made, shown, 600, 300, SPAN, library))


def series(*values: float | None) -> dict[str, Any]:
    start = NOW_MS - 1000 * len(values)
    return answer(["time", "w"], *([start + 1000 * n, value] for n, value in enumerate(values)))


@pytest.mark.parametrize("kind", ["timeseries", "state-timeline", "barchart", "xychart", "table"])
def test_an_empty_panel_has_its_words(library: Library, kind: str) -> None:
    """Those of ``noValue``, as in Grafana."""
    assert "nothing here" in draw(library, panel(kind), {})


def test_a_line_is_broken_at_a_gap(library: Library) -> None:
    """Over more than ``spanNulls``; a sample on its own is a point."""
    hidden = {"showPoints": "never"}
    whole = draw(library, panel("timeseries", custom=hidden), series(1.0, 2.0, 3.0))
    broken = draw(library, panel("timeseries", custom=hidden), series(1.0, 2.0, None, 3.0))
    spanned = draw(library, panel("timeseries", custom={**hidden, "spanNulls": 30_000}),
                   series(1.0, 2.0, None, 3.0, 4.0))  # fmt: skip
    assert [drawn.count("<path") for drawn in (whole, broken, spanned)] == [1, 1, 1]
    assert [drawn.count("<circle") for drawn in (whole, broken, spanned)] == [0, 1, 0]


def test_stacked_lines_stand_on_each_other(library: Library) -> None:
    """The axis reaches to their sum."""
    custom = {"stacking": {"mode": "normal", "group": "A"}}
    rows: list[list[float]] = [[NOW_MS - 1000 * n, 60.0, 60.0] for n in (3, 2, 1)]
    found = draw(library, panel("timeseries", custom=custom), answer(["time", "a", "b"], *rows))
    assert ">120 W<" in found


def test_a_missing_bar_is_not_drawn(library: Library) -> None:
    """Nor is a number beside it."""
    found = draw(library, panel("barchart", {"xField": "name"}, table=True),
                 answer(["name", "w"], ["a", 5.0], ["b", None]))  # fmt: skip
    assert found.count("<rect") == 1


def test_states_hold_until_the_next(library: Library) -> None:
    """Equal neighbours are one strip, and nothing is drawn where none is known."""
    found = draw(library, panel("state-timeline", {"showValue": "always"}),
                 series(1.0, 1.0, None, 2.0))  # fmt: skip
    assert re.findall(r">(\d W)<", found) == ["1 W", "2 W"]


@pytest.mark.parametrize("options", [
    {"seriesMapping": "auto", "dims": {"x": "energy"}},
    {"seriesMapping": "manual", "series": [{"x": "energy", "y": "accuracy"}]},
    {"mapping": "manual", "series": MATCHED},
], ids=["10.4 auto", "10.4 manual", "11.1 and later"])  # fmt: skip
def test_points_of_two_values(library: Library, options: Any) -> None:
    """By the options of either release; on a logarithmic axis a power of ten is a step."""
    made = panel("xychart", options, table=True, custom=LOG)
    found = draw(library, made, answer(["name", "energy", "accuracy"], ["a", 1e-4, 0.9],
                                       ["b", 1e-3, 0.95], ["c", None, 0.97]))  # fmt: skip
    assert found.count("<circle") == 2
    assert ">100 µW<" in found
    assert ">1 mW<" in found


def test_a_number_is_as_large_as_it_fits(library: Library) -> None:
    """The page's script gets the room."""
    found = draw(library, panel("stat", {"textMode": "value"}), series(1.0, 2.5))
    assert 'data-w="576.0"' in found
    assert ">2.50 W<" in found
