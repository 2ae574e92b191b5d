"""Intervals over repeats."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from wattmark_scoring.interval import repeated


@pytest.mark.parametrize("count", [3, 5, 10])
def test_the_interval_covers_the_truth_as_often_as_it_says(count: int) -> None:
    """Of 2,000 sets of repeats with 3 % noise about 95 % have the true value inside."""
    random = np.random.default_rng(7)
    noise = random.normal(0.0, 0.03, (2000, count))
    covered = 0
    for repeats in 5.0 * np.exp(noise):
        interval = repeated(repeats.tolist())
        covered += interval.low <= 5.0 <= interval.high
    assert 0.93 <= covered / 2000 <= 0.97


def test_the_instrument_widens_equal_repeats() -> None:
    """Five equal repeats are as uncertain as the instrument, its random part over √5."""
    interval = repeated([2.0] * 5, [0.01] * 5)
    assert interval.high / 2.0 == pytest.approx(np.exp(1.96 * 0.01 / np.sqrt(5)))


def test_what_is_in_the_scatter_is_not_added_to_it() -> None:
    """Repeats that scatter as the instrument makes them have Student's interval, no wider."""
    values = [1.98, 2.0, 2.02, 2.01, 1.99]
    assert repeated(values, [0.008] * 5) == repeated(values)
    assert repeated(values, [0.5] * 5).high > repeated(values).high


def test_alias_does_not_shrink_over_repeats() -> None:
    """What errs the same way in every repeat stays."""
    interval = repeated([2.0] * 5, [], [0.01] * 5)
    assert interval.high / 2.0 == pytest.approx(np.exp(1.96 * 0.01))


def test_an_estimate_is_uncertain_by_a_factor_of_two() -> None:
    """Repeats that agree do not make an estimate certain."""
    interval = repeated([2.0, 2.0, 2.0], estimated_share=1.0)
    assert (interval.low, interval.high) == pytest.approx((1.0, 4.0))


def test_one_window_has_the_instruments_interval() -> None:
    """With one repeat nothing is known of the spread of repeats."""
    interval = repeated([2.0], [0.01])
    assert interval.low == pytest.approx(2.0 * np.exp(-0.0196))


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, float("nan")]])
def test_unusable_values_are_refused(values: list[float]) -> None:
    """No interval is made of nothing, of zero or of NaN."""
    with pytest.raises(ValueError, match="positive"), np.errstate(divide="ignore"):
        repeated(values)


def test_students_t_is_that_of_scipy_stats_to_the_last_digit() -> None:
    """Without importing it, which takes 46 MiB and 0.35 s of CPU time more than the function."""
    for count in range(2, 400):
        values = [1.0] * (count - 1) + [2.0]
        half = float(stats.t.ppf(0.975, count - 1)) * np.std(np.log(values), ddof=1)
        expected = float(np.exp(np.mean(np.log(values)))) * float(np.exp(half / np.sqrt(count)))
        assert repeated(values).high == expected
    code = "import sys, wattmark_scoring.interval; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
