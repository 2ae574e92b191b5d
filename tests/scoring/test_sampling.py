"""What a sensor does not see: made of its readings, or the worst case."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring import iterations
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.batch_means import scatter
from wattmark_scoring.energy import window_energy
from wattmark_scoring.looks import Looks, looks
from wattmark_scoring.sampling import Basis
from wattmark_scoring.uneven import scatter_of_waves

MakeCounter = Callable[..., CounterData]
MakeSeries = Callable[..., EnergySeries]
S = 1_000_000_000


@pytest.fixture
def part_time(make_series: MakeSeries) -> EnergySeries:
    """It looks 25 of 100 ms, and its board draws 400 W at most."""
    return make_series(update_period_seconds=0.1, coverage_ratio=0.25, limit_watts=400.0)


def swinging(count: int, watts: Callable[[int], float]) -> list[tuple[float, float]]:
    """A counter's points 0.1 s apart."""
    joules = np.concatenate(([0.0], np.cumsum([0.1 * watts(i) for i in range(count)])))
    return [(0.1 * i, float(value)) for i, value in enumerate(joules)]


def test_stamps_that_are_late_do_not_spoil_looks(make_series: MakeSeries) -> None:
    """T comes from all stamps together; a tick that was missed is two looks of the same power."""
    dice = np.random.default_rng(3)
    ticks = np.delete(np.arange(200), [50, 120])
    times = ((ticks * 0.1013 + dice.uniform(0.0, 0.02, len(ticks))) * 1e9).astype(int).tolist()
    counter = CounterData.of(times, [10.13 * k for k in ticks], [1] * 198, [0.01] * 198)
    seen = looks(make_series(update_period_seconds=0.1), counter, None, 0, 30 * S)
    assert seen.period_seconds == pytest.approx(0.1013, rel=1e-3)
    assert seen.count == 199
    assert seen.watts == pytest.approx(100.0, rel=1e-3)


def test_a_gauge_that_stays_is_the_same_at_each_look(make_series: MakeSeries) -> None:
    """Read every 20 ms, a value of 100 ms is one look, and one of 300 ms three."""
    values = np.repeat([100.0, 200.0, 200.0, 200.0, 150.0, 120.0], 5)
    times = [20_000_000 * i for i in range(len(values))]
    series = make_series(method=Method.INTEGRATED, update_period_seconds=0.1)
    power = GaugeData.of(times, values.tolist())
    seen = looks(series, CounterData.of([], [], [], []), power, 0, S)
    assert seen.watts.tolist() == [100.0, 200.0, 200.0, 200.0, 150.0, 120.0]


def test_the_scatter_of_white_readings_is_theirs() -> None:
    """Of readings whose standard deviation is 10 W, less the share that was seen; of 50 windows."""
    dice = np.random.default_rng(1)
    found = [scatter(dice.normal(200.0, 10.0, 400), 0.25, 1) for _ in range(50)]
    assert np.mean([one.variance for one in found]) == pytest.approx(75.0, rel=0.2)
    assert all(one.batches >= 40 and one.batches * one.length <= 400 for one in found)


def test_drift_is_seen_and_is_no_scatter() -> None:
    """A random walk in 1 W steps errs by 1/12 W² a look, not by its spread of hundreds."""
    watts = np.cumsum(np.random.default_rng(2).normal(0.0, 1.0, 600))
    assert float(np.var(watts)) > 10.0
    assert scatter(watts, 0.01, 1).variance < 0.5


def test_a_scatter_needs_two_batches() -> None:
    """One batch has nothing beside it."""
    with pytest.raises(ValueError, match="two batches"):
        scatter(np.ones(5), 0.5, 5)


@pytest.mark.parametrize(
    ("seconds", "in_step"),
    [(0.1, True), (0.0999, True), (0.05, True), (0.2, True), (0.15, True), (0.3, True),
     (0.4, True), (0.5, True), (0.25, True), (1.0, True),
     (0.104, False), (0.137, False), (0.21, False), (0.43, False), (7.0, False)],
)  # fmt: skip
def test_in_step_is_what_beats_less_than_twice_in_a_window(
    make_counter: MakeCounter, part_time: EnergySeries, seconds: float, in_step: bool
) -> None:
    """Iterations of T, its fractions, its multiples and its simple ratios, in 10 s."""
    counter = make_counter(swinging(140, lambda i: 300.0 if i % 7 else 100.0))
    spread = window_energy(part_time, counter, 2 * S, 12 * S, None, seconds).spread
    assert spread.basis is (Basis.WORST_CASE if in_step else Basis.READINGS)
    assert ("in step" in spread.reason) == in_step


def test_a_load_in_step_may_hide_all_that_its_board_can_draw(
    make_counter: MakeCounter, part_time: EnergySeries
) -> None:
    """Readings all alike say nothing of the 75 % of each iteration that no look sees."""
    counter = make_counter(swinging(140, lambda _: 300.0))
    energy = window_energy(part_time, counter, 2 * S, 12 * S, None, 0.1)
    assert energy.joules == pytest.approx(3000.0)
    assert energy.half_width_joules == pytest.approx(0.95 * 0.75 * 3000.0, rel=0.02)
    unknown = window_energy(part_time, counter, 2 * S, 12 * S)
    assert unknown.spread.basis is Basis.WORST_CASE
    assert "not known" in unknown.spread.reason


def test_few_readings_are_the_worst_case(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """A meter of 60 s says little of a window of a minute or two, and nothing of one of 10 s."""
    meter = make_series(update_period_seconds=60.0, coverage_ratio=0.1, limit_watts=500.0)
    counter = make_counter([(60.0 * i, 12_000.0 * i) for i in range(6)])
    for seconds in (10, 150):
        energy = window_energy(meter, counter, 70 * S, (70 + seconds) * S, None, 7.0)
        assert energy.joules == pytest.approx(200.0 * seconds)
        assert energy.spread.basis is Basis.WORST_CASE
        assert "fewer than 5 readings" in energy.spread.reason
        assert energy.half_width_joules > 0.9 * 0.9 * 200.0 * seconds


def test_averages_hide_power_at_their_edges(make_series: MakeSeries) -> None:
    """A meter that averages over ten of its periods errs by what swings within them."""
    dice = np.random.default_rng(5)
    watts = dice.normal(200.0, 20.0, 400)
    shown = np.convolve(watts, np.ones(10) / 10, mode="valid")
    times = [S * i for i in range(len(shown))]
    meter = replace(
        make_series(method=Method.INTEGRATED, update_period_seconds=1.0), averaging_seconds=10.0
    )
    joules = np.concatenate(([0.0], np.cumsum((shown[1:] + shown[:-1]) / 2)))
    counter = CounterData.of(times, joules.tolist(), [1] * len(times), [0.5] * len(times))
    power = GaugeData.of(times, shown.tolist())
    energy = window_energy(meter, counter, 50 * S, 350 * S, power)
    both_edges = 20.0 * np.sqrt(10 / 6)
    assert energy.spread.random_joules == pytest.approx(both_edges, rel=0.4)
    short = window_energy(meter, counter, 50 * S, 55 * S, power)
    assert short.spread.basis is Basis.WORST_CASE


def test_a_short_burst_that_every_look_misses_is_not_taken_for_rest(
    make_counter: MakeCounter, part_time: EnergySeries
) -> None:
    """Batches of 4 T that draw 300 W for 20 of 400 ms and 60 W else: looks that all see 60 W say
    nothing of the 72 W that they cost."""
    counter = make_counter(swinging(140, lambda _: 60.0))
    spread = window_energy(part_time, counter, 2 * S, 12 * S, None, 0.4).spread
    assert spread.basis is Basis.WORST_CASE
    assert 1.96 * spread.alias_joules >= 120.0


@pytest.mark.parametrize("jitter", [0.05, 0.1, 0.2])
def test_waves_of_uneven_iterations_scatter_as_their_sum_does(jitter: float) -> None:
    """Iterations of 106 ms whose lengths vary: neighbouring looks are alike, as with slow change of
    power, but what that makes of the sum is an error. The truth is the scatter of 300 sums."""
    dice = np.random.default_rng(6)
    sums, stated = [], []
    for _ in range(300):
        lengths = 0.106 * (1.0 + jitter * dice.standard_normal(400))
        ends = np.cumsum(lengths)
        at = 1.0 + 0.1 * np.arange(300) + dice.uniform(0.0, 0.1)
        phase = np.interp(at, ends, np.arange(1.0, 401.0))
        watts = 200.0 + 50.0 * np.cos(2.0 * np.pi * phase)
        seen = looks_of(watts)
        rest = iterations.without_repeating(seen, 0.106).rest
        sums.append(float(watts.sum()))
        stated.append(300.0 * scatter_of_waves(rest, seen, 0.106))
    assert 0.5 <= np.mean(stated) / np.var(sums) <= 2.5


def test_slow_power_is_not_taken_for_waves_that_would_look_otherwise() -> None:
    """Power that forgets itself within 10 T, under iterations of which no beat is so slow."""
    dice = np.random.default_rng(8)
    watts = np.zeros(300)
    for i in range(1, 300):
        watts[i] = 0.9 * watts[i - 1] + dice.normal(0.0, 10.0)
    assert scatter_of_waves(watts, looks_of(watts + 200.0), 0.137) == 0.0


def test_waves_that_looks_cannot_tell_apart_are_not_both_fitted() -> None:
    """Iterations of 3 T: their fourth wave looks like the first."""
    dice = np.random.default_rng(4)
    watts = 200.0 + 50.0 * np.cos(2 * np.pi * np.arange(200) / 3.05) + dice.normal(0.0, 1.0, 200)
    seen = looks_of(watts)
    repeating = iterations.without_repeating(seen, 0.305)
    assert float(np.std(repeating.rest)) == pytest.approx(1.0, rel=0.2)
    assert repeating.least == 1


def looks_of(watts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Looks:
    """Looks 0.1 s apart, each at a quarter of it."""
    return Looks(watts, 0.1, 0.25)
