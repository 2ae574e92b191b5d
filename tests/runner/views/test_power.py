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
