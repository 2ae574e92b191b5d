"""Power over time from a counter."""

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_runner.views.power import power_curve
from wattmark_store import SeriesData

SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)


def test_power_is_not_drawn_across_epochs() -> None:
    """Between two epochs there is no power: the curve breaks."""
    data = SeriesData(
        "energy", (), [0, 10**9, 2 * 10**9, 3 * 10**9],
        {"joules": [0.0, 50.0, 0.0, 20.0], "epoch": [1, 1, 2, 2]},
    )  # fmt: skip
    curve = power_curve(SERIES, data)
    assert curve.points == ((10**9, 50.0), None, (3 * 10**9, 20.0))


def test_a_curve_has_a_name_for_programs_and_a_label_for_people() -> None:
    """The name is as 9ca66c9 gave it; the label is the counter's, as every surface calls it."""
    estimate = EnergySeries(Domain.PACKAGE, "cpu", "estimate", Method.ESTIMATED, 0.1)
    curve = power_curve(estimate, SeriesData("energy", (), [], {}))
    assert curve.name == "package cpu (estimated)"
    assert curve.label == "CPU package ≈ ESTIMATED"
