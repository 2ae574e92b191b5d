"""Foreign counters: epochs and uncertainties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_collector.foreign import ForeignCounter, Tick

SECOND = 1_000_000_000


def ticks(counter: ForeignCounter, values: list[tuple[float, float]]) -> list[Tick | None]:
    """Read (seconds, joules) one after the other."""
    return [counter.read(joules, round(t * SECOND)) for t, joules in values]


def test_the_epoch_opens_at_the_first_change() -> None:
    """The first value is of unknown age; joules begin at 0."""
    counted = ticks(ForeignCounter(cached=False), [(1, 500.0), (2, 510.0), (3, 525.0)])
    assert counted == [None, Tick(2 * SECOND, 0.0, 2000, 0.5), Tick(3 * SECOND, 15.0, 2000, 0.5)]


def test_a_repeated_value_is_no_tick() -> None:
    """And the uncertainty of the next one grows with the wait."""
    counted = ticks(
        ForeignCounter(cached=False), [(0, 1.0), (1, 2.0), (2, 2.0), (3, 2.0), (5, 9.0)]
    )
    assert counted[2] is None
    assert counted[3] is None
    assert counted[4] == Tick(5 * SECOND, 7.0, 1000, 2.0)


def test_a_cached_value_is_stamped_between_the_scrapes_around_it() -> None:
    """It appeared after the one and before the other."""
    counted = ticks(ForeignCounter(cached=True), [(0, 1.0), (10, 2.0), (11, 2.0), (12, 5.0)])
    assert counted[3] == Tick(round(11.5 * SECOND), 3.0, 5000, 1.0)


def test_a_fall_that_is_borne_out_opens_an_epoch() -> None:
    """Wrap or reset, that is not known: nothing is added across it."""
    counted = ticks(
        ForeignCounter(cached=False), [(0, 1.0), (1, 9.0), (2, 3.0), (3, 5.0), (4, 6.0)]
    )
    assert counted[2:] == [
        None, Tick(3 * SECOND, 0.0, 3000, 0.5), Tick(4 * SECOND, 1.0, 3000, 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize("gap", [61.0, 3600.0, -5.0])
def test_a_long_gap_or_a_clock_set_back_opens_an_epoch(gap: float) -> None:
    """A counter may have wrapped unseen."""
    counted = ticks(
        ForeignCounter(cached=False), [(100, 1.0), (101, 2.0), (101 + gap, 9.0), (102 + gap, 11.0)]
    )
    assert counted[2] is None
    assert counted[3] == Tick(round((102 + gap) * SECOND), 0.0, round((102 + gap) * 1000), 0.5)


@given(st.lists(st.tuples(st.floats(0.1, 100.0), st.floats(0.0, 1e4)), min_size=2, max_size=40))
def test_within_an_epoch_energy_is_the_difference(steps: list[tuple[float, float]]) -> None:
    """Joules never fall in an epoch, times always rise, and every tick lies in its uncertainty."""
    counter, time_ns, raw = ForeignCounter(cached=True), 0, 0.0
    last: Tick | None = None
    for seconds, value in steps:
        time_ns += round(seconds * SECOND)
        raw = value if value < 10 else raw + value
        tick = counter.read(raw, time_ns)
        if tick is None:
            continue
        assert tick.time_ns <= time_ns <= tick.time_ns + tick.uncertainty_seconds * SECOND + 2
        if last is not None:
            assert tick.time_ns > last.time_ns
            assert tick.joules >= last.joules if tick.epoch == last.epoch else tick.joules == 0.0
        last = tick
