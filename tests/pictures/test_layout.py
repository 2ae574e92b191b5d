"""Places of panels and ticks of axes."""

import pytest

from tools.pictures import axes
from tools.pictures.layout import opened, placed
from tools.pictures.library import Json, Span, Variable


def panel(x: int, y: int, width: int, height: int, **more: object) -> Json:
    return {"type": "stat", "gridPos": {"x": x, "y": y, "w": width, "h": height}, **more}


def test_panels_lie_on_the_grid() -> None:
    """24 columns with gaps of 8 px, rows of 30 px."""
    half, other = placed([panel(0, 0, 12, 4), panel(12, 0, 12, 4)], {}, 24 * 50 + 23 * 8)
    assert (half.left, half.top, half.width, half.height) == (0, 0, 12 * 50 + 11 * 8, 4 * 38 - 8)
    assert other.left == 12 * 58


def test_a_repeated_panel_pushes_others_down() -> None:
    """Three values, two abreast: two lines."""
    hosts = Variable(("a", "b", "c"), several=True)
    repeated = panel(0, 0, 24, 4, repeat="host", maxPerRow=2)
    found = placed([repeated, panel(0, 4, 24, 2)], {"host": hosts}, 1000)
    assert [place.top // 38 for place in found] == [0, 0, 4, 8]
    assert [place.variables["host"].values for place in found[:3]] == [("a",), ("b",), ("c",)]


def test_an_open_row_shows_its_panels() -> None:
    """And what is below it lies below them."""
    row = panel(0, 0, 24, 1) | {"type": "row", "collapsed": True, "panels": [panel(0, 1, 12, 5)]}
    found = opened([row, panel(0, 1, 24, 3)])
    assert [placed_panel["gridPos"]["y"] for placed_panel in found] == [0, 1, 6]


@pytest.mark.parametrize(("values", "ends"), [
    ((0.0, 0.0), (0.0, 100.0)), ((10.0, 100.0), (1.0, 109.0)), ((5.0, 5.0), (0.0, 10.0)),
    ((0.0, 1.0), (0.0, 1.1)),
])  # fmt: skip
def test_an_axis_ends_beyond_its_values(
    values: tuple[float, float], ends: tuple[float, float]
) -> None:
    """Zero alone is drawn up to 100, which is 10,000 % of a share."""
    assert axes.padded(*values) == pytest.approx(ends)


def test_the_ends_can_be_set() -> None:
    """A share ends at 1, power begins at 0."""
    assert axes.padded(0.0, 0.0, None, 1.0) == (0.0, 1.0)
    assert axes.padded(50.0, 90.0, 0.0)[0] == 0.0


def test_ticks_are_round() -> None:
    """One in 30 px at most; of bytes, powers of two."""
    assert axes.ticks(0.0, 109.0, 200) == ([0, 20, 40, 60, 80, 100], 20)
    assert axes.ticks(0.0, 5e9, 200, unit="bytes")[1] == 2.0**30
    assert axes.powers(2e-5, 4e-3)[2] == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2])


def test_times_are_round() -> None:
    """As many as have room."""
    found = axes.times(Span(1_764_000_000_000, 1_764_003_600_000), 800)
    assert [words for _, words in found][:3] == ["16:00", "16:05", "16:10"]
