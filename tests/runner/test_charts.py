"""Charts: one axis for one curve, drawn once for page and report."""

import re
from dataclasses import replace
from typing import Any

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Phase, Score, Verdict, Window
from wattmark_runner.views.axis import axis_from_zero, axis_of
from wattmark_runner.views.charts import power_chart, score_chart
from wattmark_runner.views.power import Curve

S = 1_000_000_000
SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
SCORE = Score("r", "h", "net", "w", Boundary.CPU, "accuracy^2/energy", 0, Method.COUNTER,
              Verdict.VALID, 50.0, 45.0, 55.0)  # fmt: skip
POINTS = ((S, 50.0), (2 * S, 60.0), None, (4 * S, 40.0))


def curve(**changes: Any) -> Curve:
    """Of one counter, with a gap."""
    return Curve(replace(SERIES, **changes), POINTS)


def test_a_linear_axis_begins_at_zero_and_has_round_ticks() -> None:
    """A tenth beyond the largest value, not up to the next power: 10.3 W ends at 11.3 W."""
    axis = axis_from_zero(10.3)
    assert (axis.low, axis.share(0.0)) == (0.0, 0.0)
    assert axis.share(10.3) == pytest.approx(1 / 1.1)
    assert axis.ticks == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)


@pytest.mark.parametrize("most", [0.003, 0.1, 1.0, 3.0, 4.2, 9.99, 10.3, 61.4, 100.0, 613.0, 1e6])
def test_a_linear_axis_has_four_to_six_ticks(most: float) -> None:
    """Each a multiple of 1, 2 or 5 times a power of ten, none beyond the end."""
    axis = axis_from_zero(most)
    assert 4 <= len(axis.ticks) <= 6
    assert axis.ticks[-1] <= axis.high


def test_the_data_choose_the_axis() -> None:
    """Logarithmic from a span of five on, else linear from 0."""
    assert not axis_of([45.0, 55.0]).logarithmic
    assert axis_of([10.0, 50.0]).logarithmic
    wide = axis_of([6.6e3, 93e3])
    assert (wide.low, wide.high) == (5e3, 100e3)
    assert wide.share(5e3) == 0.0
    assert wide.share(100e3) == pytest.approx(1.0)
    assert len(axis_of([1.0, 1e12]).ticks) <= 9


def test_power_is_drawn_as_steps_and_a_gap_as_nothing() -> None:
    """The area is the energy: each point holds back to the one before it."""
    chart = power_chart([curve()], [])
    (path,) = re.findall(r'<path class="curve package" stroke-dasharray="none" d="([^"]+)"', chart)
    assert re.fullmatch(r"M\S+ [\d.]+V[\d.]+H[\d.]+M\S+ [\d.]+", path)


def test_windows_are_shaded_and_said() -> None:
    """With phase, number, length and energy; each phase is in the legend once."""
    window = Window("w", "h", Phase.INFERENCE, S, 3 * S, repeat=1, joules=200.0, joules_low=197.0,
                    joules_high=203.0)  # fmt: skip
    chart = power_chart([curve()], [window, replace(window, phase=Phase.WARMUP, joules=None)])
    assert "<title>inference 2: 2.00 s, 200 ± 3 J</title>" in chart
    assert "<title>warm-up: 2.00 s</title>" in chart
    assert re.findall(r'<span class="key (\w+)"></span>([^<]+)', chart) == [
        ("warmup", "warm-up"), ("inference", "inference"),
    ]  # fmt: skip
    assert "<desc>Up to 60.0 W over 3.00 s from 1970-01-01 00:00:01 UTC; shaded:" in chart


def test_devices_of_one_domain_and_estimates_differ_by_their_dashes() -> None:
    """One domain, one colour: an estimate is dashed everywhere."""
    curves = [curve(), curve(device="socket1"), curve(method=Method.ESTIMATED)]
    dashes = re.findall(
        r'class="curve package" stroke-dasharray="([^"]+)"', power_chart(curves, [])
    )
    assert dashes == ["none", "2 3", "8 6"]


def test_names_are_text_in_a_chart() -> None:
    """Wherever they stand."""
    nasty = '<b>&"'
    power = power_chart([curve(device=nasty)], [])
    scores = score_chart([replace(SCORE, model=nasty)], nasty)
    assert "<b>" not in power + scores
    assert "&lt;b&gt;&amp;&quot;" in power
    assert "&lt;b&gt;&amp;&quot;" in scores


def test_without_samples_it_says_so() -> None:
    """And draws no axis."""
    assert power_chart([], []) == (
        '<figure><p class="dim">No samples of power are kept for this run.</p></figure>'
    )


def test_a_score_is_a_dot_with_its_interval() -> None:
    """On an axis that its own note names; hosts are named where there are several."""
    alone = score_chart([SCORE], "one")
    assert "linear axis from 0" in alone
    assert " on h" not in alone
    both = score_chart(
        [replace(SCORE, value=5e3, low=4e3, high=6e3), replace(SCORE, host="k")], "two"
    )
    assert "logarithmic axis" in both
    assert "<title>net on k: 50 ± 5 /mWh</title>" in both
    assert both.count('class="dot"') == both.count('class="whisker"') == 2
