"""An interval is never narrower than the unevenness that was seen."""

import math
from functools import partial

import pytest

from tests.scoring.windows import measured
from wattmark_core.results import Verdict
from wattmark_scoring import checks
from wattmark_scoring.interval import Interval, repeated
from wattmark_scoring.unsteadiness import systematic, unsteadiness, widened


def swinging(phase: float, time: float) -> float:
    return 50.0 + 0.5 * math.sin(phase + time)


def test_a_steady_window_is_as_good_as_its_counter() -> None:
    """Nothing is added that was not seen."""
    assert unsteadiness(measured(lambda _: 50.0)) == pytest.approx(0.0, abs=1e-9)


def test_a_step_in_the_window_is_its_halves_difference() -> None:
    """50 W and then 150 W: the mean, 100 W, is that of neither."""
    window = measured(lambda time: 50.0 if time < 5.0 else 150.0)
    assert unsteadiness(window) == pytest.approx(1.0)


def test_a_stretch_in_the_middle_shows_in_the_tenths() -> None:
    """Idle from 1 to 9 s of 10: the halves are the same, the tenths are not."""
    window = measured(lambda time: 40.0 if 1.0 < time < 9.0 else 120.0)
    assert {c.verdict for c in checks.of_window(window) if c.name == "steady"} == {Verdict.VALID}
    ratio = unsteadiness(window)
    assert ratio is not None
    assert 0.3 < ratio < 0.6


def test_of_a_short_window_the_halves_speak() -> None:
    """2 s at 10 Hz hold no five parts of five reads."""
    window = measured(lambda time: 45.0 if time < 1.0 else 55.0, seconds=2.0)
    assert unsteadiness(window) == pytest.approx(0.2)


def test_repeats_that_differ_show_it_themselves() -> None:
    """What varies by chance within the windows varies between them, and is not counted twice."""
    windows = [measured(partial(swinging, 9.0 * number)) for number in range(5)]
    values = [window.energy.joules or 0.0 for window in windows]
    assert systematic(windows, values) == 0.0


def test_repeats_that_are_uneven_alike_hide_it() -> None:
    """Each window falls from 55 to 45 W: all agree, and none says what the work costs."""
    windows = [measured(lambda time: 55.0 - time) for _ in range(3)]
    values = [1.0, 1.0001, 0.9999]
    assert systematic(windows, values) == pytest.approx(0.1, rel=1e-3)
    assert systematic(windows[:1], values[:1]) == 0.0


def test_an_interval_is_widened_in_squares() -> None:
    """In ln, on both sides."""
    plain = repeated([2.0], [0.01])
    wide = widened(plain, 0.5)
    assert wide.value == plain.value
    half = math.hypot(math.log(plain.high / plain.value), 0.5)
    assert wide.low == pytest.approx(2.0 * math.exp(-half))
    assert wide.high == pytest.approx(2.0 * math.exp(half))
    same = widened(Interval(1.0, 0.9, 1.1), 0.0)
    assert (same.low, same.high) == pytest.approx((0.9, 1.1))
