"""The paper's scores, checked against its published tables."""

import pytest

from wattmark_scoring.interval import Interval
from wattmark_scoring.scores import (
    accuracy_per_parameter,
    energy_score,
    energy_score_interval,
    netscore,
    population_interval,
)

MICRO_WH = 0.0036  # joules


@pytest.mark.parametrize(
    ("accuracy", "micro_wh", "published"),
    [
        (0.803, 89, 7.2),  # Inception ResNet V2, A100
        (0.825, 299, 2.3),  # NASNet Large, A100
        (0.681, 9, 51.5),  # MobileNetV3 Small, A100
        (0.744, 580, 0.95),  # NASNet Mobile, i7
        (0.681, 143, 3.24),  # MobileNetV3 Small, Bi-Xeon
    ],
)
def test_energy_score_is_the_papers(accuracy: float, micro_wh: float, published: float) -> None:
    """Eq. 3 with energy in mWh gives Table III (arXiv 2310.09554) at print precision."""
    digits = len(str(published).split(".")[1])
    assert round(energy_score(accuracy, micro_wh * MICRO_WH), digits) == published


def test_accuracy_per_parameter_is_the_papers() -> None:
    """Eq. 1 of Inception ResNet V2 (80.3 %, 55.9 M) is printed as 1.44."""
    assert round(accuracy_per_parameter(0.803, 55_900_000), 2) == 1.44


def test_netscore_is_the_formulas() -> None:
    """Eq. 2 of NASNet Mobile (74.4 %, 5.3 M, 0.564 G) is printed as 70.1."""
    assert round(netscore(0.744, 5_300_000, 564_000_000), 1) == 70.1


def test_netscore_of_nothing_right_does_not_exist() -> None:
    """An accuracy of 0 has no logarithm: an error, not minus infinity."""
    with pytest.raises(ValueError, match="above 0"):
        netscore(0.0, 1, 1)


def test_more_energy_is_a_lower_score() -> None:
    """The interval of the score turns that of the energy around."""
    score = energy_score_interval(0.9, Interval(3.6, 3.0, 4.0))
    assert score.low < score.value < score.high
    assert score.value == pytest.approx(0.81)
    assert score.low == pytest.approx(0.81 * 3.6 / 4.0)


def test_the_population_interval_is_wider() -> None:
    """100 images at 90 %: the accuracy alone is uncertain by 2·√(0.1/90), twice 1.96 of it."""
    score = Interval(1.0, 0.99, 1.01)
    population = population_interval(score, 0.9, 100)
    assert population.low == pytest.approx(0.878, abs=0.002)
    assert population.high > score.high
