"""Foreign counters: epochs and uncertainties."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_collector.foreign import ForeignCounter, Problem, Tick

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


@pytest.mark.parametrize("gap", [76.0, 3600.0, -5.0])
def test_a_long_gap_or_a_clock_set_back_opens_an_epoch(gap: float) -> None:
    """A counter may have wrapped unseen."""
    counter = ForeignCounter(cached=False)
    counted = ticks(counter, [(100, 1.0), (101, 2.0), (101 + gap, 9.0)])
    assert counter.problem is Problem.GAP
    counted += ticks(counter, [(102 + gap, 11.0)])
    assert counted[2] is None
    assert counted[3] == Tick(round((102 + gap) * SECOND), 0.0, round((102 + gap) * 1000), 0.5)


@pytest.mark.parametrize("cached", [False, True])
def test_a_scrape_a_minute_is_no_gap(cached: bool) -> None:
    """The default of Prometheus; answers take some milliseconds more, or less."""
    counter = ForeignCounter(cached=cached)
    times = [60.0 * number + (0.0, 0.04, 0.01)[number % 3] for number in range(12)]
    counted = [tick for tick in ticks(counter, [(at, 100.0 * at) for at in times]) if tick]
    assert len(counted) == 11
    assert len({tick.epoch for tick in counted}) == 1
    assert counted[-1].joules == pytest.approx(60_000.0, rel=0.01)


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


def test_a_counter_that_reads_nothing_once_books_nothing() -> None:
    """1,000,763 J were booked in one second. The epoch goes on, the energy of the gap is there."""
    counter = ForeignCounter(cached=False)
    counted = ticks(counter, [(1, 1_000_400.0), (2, 1_000_500.0), (3, 0.0), (4, 1_000_763.0),
                              (5, 1_000_863.0)])  # fmt: skip
    assert counted == [
        None, Tick(2 * SECOND, 0.0, 2000, 0.5), None, Tick(4 * SECOND, 263.0, 2000, 1.0),
        Tick(5 * SECOND, 363.0, 2000, 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("times", [1, 2, 30])
def test_a_wrong_value_that_is_shown_again_bears_nothing_out(cached: bool, times: int) -> None:
    """An exporter that caches gives it with each scrape until it reads again."""
    shown = [(float(t), 1_000_500.0 + 100 * t) for t in range(3)]
    shown += [(3.0 + t, 0.0) for t in range(times)]
    shown += [(3.0 + times + t, 1_000_800.0 + 100 * t) for t in range(3)]
    counted = [tick for tick in ticks(ForeignCounter(cached=cached), shown) if tick is not None]
    assert len({tick.epoch for tick in counted}) == 1
    assert [tick.joules for tick in counted] == [0.0, 100.0, 200.0, 300.0, 400.0]


@pytest.mark.parametrize("wrong", [0.0, 1e6, 1e18, 5.0])
@pytest.mark.parametrize("start", [50_000.0, 500.0])
@pytest.mark.parametrize("at", range(7))
def test_one_wrong_value_is_never_energy(wrong: float, start: float, at: int) -> None:
    """Wherever it stands, before the epoch opens, too, and however low the counter is: what is
    booked is what the device used, or nothing."""
    values = [(float(t), start + 200 * t) for t in range(9)]
    values[at] = (float(at), wrong)
    counted = [tick for tick in ticks(ForeignCounter(cached=False), values) if tick is not None]
    for before, after in itertools.pairwise(counted):
        if before.epoch == after.epoch:
            seconds = (after.time_ns - before.time_ns) / SECOND
            assert after.joules - before.joules == pytest.approx(200 * seconds)
    assert counted[-1].time_ns == 8 * SECOND


def test_a_tick_behind_a_wrong_value_may_have_come_before_it() -> None:
    """A cached counter reads 0 once; whether it was reset or the 0 was wrong is not known, so the
    next value may have been read at any time since the one before the 0 was new."""
    counter = ForeignCounter(cached=True)
    counted = ticks(counter, [(0, 100.0), (10, 200.0), (20, 200.0), (30, 0.0), (40, 300.0)])
    assert counted[2:] == [None, None, Tick(30 * SECOND, 0.0, 30_000, 15.0)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, -float("inf")])
def test_what_is_no_energy_is_passed_over(bad: float) -> None:
    """NaN, infinities and negative values do not end the epoch."""
    counter = ForeignCounter(cached=False)
    counted = ticks(counter, [(0, 1.0), (1, 2.0), (2, bad), (3, 6.0)])
    assert counted[2:] == [None, Tick(3 * SECOND, 4.0, 1000, 1.0)]
    assert counter.problem is None
    assert counter.read(bad, 4 * SECOND) is None
    assert counter.problem is Problem.JUMP


@pytest.mark.parametrize(("limit_watts", "joules"), [(2000.0, 2002.0), (20_000.0, 20_002.0)])
def test_a_rise_is_bounded_by_what_the_device_draws(limit_watts: float, joules: float) -> None:
    """And two joules; above it the next value has to bear it out."""
    values = [(0.0, 0.0), (1.0, 1.0), (2.0, 1.0 + joules), (3.0, 2.0 + joules)]
    counted = ticks(ForeignCounter(cached=False, limit_watts=limit_watts), values)
    assert [tick.joules for tick in counted if tick] == [0.0, joules, joules + 1]
    values = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0 + joules), (3.0, 3.0 + joules), (4.0, 9.0 + joules)]
    counted = ticks(ForeignCounter(cached=False, limit_watts=limit_watts), values)
    assert [(tick.epoch, tick.joules) for tick in counted if tick] == [
        (1000, 0.0), (3000, 0.0), (3000, 6.0),
    ]  # fmt: skip


def test_a_slow_cache_is_no_jump() -> None:
    """dcgm-exporter reads every 30 s by default: a new value holds the energy of all that time."""
    values = [(float(t), 700.0 * 30 * (t // 30)) for t in range(5, 200)]
    counter = ForeignCounter(cached=True)
    counted = [tick for tick in ticks(counter, values) if tick is not None]
    assert [tick.joules for tick in counted] == [21_000.0 * n for n in range(len(counted))]
    assert len(counted) == 6
    assert {tick.uncertainty_seconds for tick in counted[1:]} == {15.0}


@given(
    st.lists(
        st.tuples(st.sampled_from([0.5, 1.0, 5.0]), st.integers(0, 600)), min_size=6, max_size=40
    ),
    st.data(),
)
def test_any_damage_books_no_more_than_was_used(
    steps: list[tuple[float, int]], data: st.DataObject
) -> None:
    """Of values replaced at random none makes energy beyond what the device can draw."""
    time_s, raw, shown = 0.0, 250_000.0, []
    for seconds, watts in steps:
        time_s, raw = time_s + seconds, raw + watts * seconds
        shown.append((time_s, raw))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(shown) - 1))
        shown[place] = (shown[place][0], data.draw(st.floats(0, 1e12)))
    counted = [tick for tick in ticks(ForeignCounter(cached=False), shown) if tick is not None]
    for before, after in itertools.pairwise(counted):
        if before.epoch == after.epoch:
            seconds = (after.time_ns - before.time_ns) / SECOND
            assert 0 <= after.joules - before.joules <= 2000 * seconds + 2
