"""A counter's rise beside the integral of its power, in virtual time."""

import pytest

from wattmark_exporters.sensors.nvml.trust import CounterTrust

S = 1_000_000_000


def compare(counted_watts: float, shown_watts: float, seconds: int = 30) -> float | None:
    """The ratio after so long, with both read five times a second."""
    trust = CounterTrust()
    for step in range(5 * seconds + 1):
        trust.counter(7.0 + counted_watts * step / 5, step * S // 5)
        trust.power(shown_watts, step * S // 5)
    return trust.ratio(7.0 + counted_watts * seconds, seconds * S)


@pytest.mark.parametrize(
    ("counted", "shown", "ratio"),
    [(100, 100, 1.0), (0, 100, 0.0), (100, 0.5, 200.0), (100, 0, None), (-1, 100, None)],
)
def test_the_ratio_is_counted_over_shown(counted: float, shown: float, ratio: float | None) -> None:
    """Nothing can be said without power, nor of a counter that fell."""
    assert compare(counted, shown) == (None if ratio is None else pytest.approx(ratio))


def test_a_moment_says_nothing() -> None:
    """Under ten seconds, and before there was a counter."""
    assert compare(100, 100, seconds=9) is None
    assert CounterTrust().ratio(100.0, 30 * S) is None


def test_each_comparison_begins_where_the_last_one_ended() -> None:
    """And power is not stretched over a gap."""
    trust = CounterTrust()
    trust.counter(0.0, 0)
    for second in (0, 1, 2, 20, 21):
        trust.power(50.0, second * S)
    assert trust.ratio(150.0, 21 * S) == 1.0
    assert trust.ratio(150.0, 22 * S) is None
    trust.power(50.0, 22 * S)
    assert trust.ratio(150.0, 40 * S) == 0.0
