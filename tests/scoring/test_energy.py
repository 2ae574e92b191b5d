"""Energy of a window from a counter's samples."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.energy import window_energy

MakeCounter = Callable[..., CounterData]
MakeSeries = Callable[..., EnergySeries]
S = 1_000_000_000


def test_edges_are_interpolated(make_counter: MakeCounter, make_series: MakeSeries) -> None:
    """100 W from 0.5 s to 2.5 s is 200 J, though no sample lies on an edge."""
    counter = make_counter([(0, 0), (1, 100), (2, 200), (3, 300)])
    energy = window_energy(make_series(), counter, S // 2, 5 * S // 2)
    assert energy.joules == pytest.approx(200.0)
    assert energy.complete


def test_the_interior_is_not_needed(make_counter: MakeCounter, make_series: MakeSeries) -> None:
    """The samples around the edges alone give the same energy as all samples."""
    points = [(0.1 * i, 7.0 * i) for i in range(100)]
    edges = points[:20] + points[80:]
    whole = window_energy(make_series(), make_counter(points), 1 * S, 9 * S)
    short = window_energy(make_series(), make_counter(edges), 1 * S, 9 * S)
    assert whole.joules == pytest.approx(short.joules)


def test_a_new_epoch_inside_makes_the_window_incomplete(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """Energy across a reset is a lower bound: what each epoch surely counted inside."""
    counter = make_counter(
        [(0, 0), (1, 100), (2, 200), (3, 0), (4, 100), (5, 200)], epochs=[1, 1, 1, 2, 2, 2]
    )
    energy = window_energy(make_series(), counter, S, 4 * S)
    assert not energy.complete
    assert energy.joules == pytest.approx(200.0)
    assert energy.interval is not None
    assert energy.interval[1] == float("inf")
    assert "new epoch" in energy.reason


def test_two_epochs_inside_are_seen_from_the_edges_alone(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """Epochs are unique, so edges of equal epoch mean that nothing happened between them."""
    counter = make_counter([(0, 0), (1, 10), (8, 5), (9, 15)], epochs=[1, 1, 3, 3])
    assert not window_energy(make_series(), counter, S // 2, 17 * S // 2).complete


@pytest.mark.parametrize(
    ("start", "end", "missing"), [(-5, 2, "before its start"), (1, 50, "after its end")]
)
def test_a_missing_edge_is_never_extrapolated(
    make_counter: MakeCounter, make_series: MakeSeries, start: int, end: int, missing: str
) -> None:
    """Without a sample beyond an edge the energy is a lower bound, and says which edge."""
    counter = make_counter([(i, 100.0 * i) for i in range(10)])
    energy = window_energy(make_series(), counter, start * S, end * S)
    assert not energy.complete
    assert missing in energy.reason
    assert energy.joules is not None
    assert energy.joules <= 100.0 * (end - max(start, 0))


def test_no_samples_is_missing_not_zero(make_counter: MakeCounter, make_series: MakeSeries) -> None:
    """A window far from all samples has no energy at all."""
    counter = make_counter([(0, 0), (1, 100)])
    energy = window_energy(make_series(), counter, 100 * S, 101 * S)
    assert energy.joules is None
    assert energy.interval is None


def test_an_estimate_is_stated_within_a_factor_of_two(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """The interval of 200 J estimated is about 100 to 400 J."""
    series = make_series(source="estimate", device="cpu", method=Method.ESTIMATED)
    energy = window_energy(series, make_counter([(0, 0), (1, 100), (2, 200), (3, 300)]), 0, 2 * S)
    assert energy.interval == pytest.approx((100.0, 400.0))


def test_a_window_without_length_is_refused(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """A window ends after it starts."""
    with pytest.raises(ValueError, match="after it starts"):
        window_energy(make_series(), make_counter([(0, 0), (1, 1)]), S, S)


def test_a_part_time_sensor_with_a_changing_load_has_a_wide_interval(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """What a 25 % sensor does not see is in its interval; a full counter has none of it."""
    joules, points = 0.0, []
    for i in range(100):
        points.append((0.1 * i, joules))
        joules += 30.0 if i % 3 else 6.0
    seen = make_series(Domain.GPU, "g", "nvml", update_period_seconds=0.1)
    part = make_series(Domain.GPU, "g", "nvml", update_period_seconds=0.1, coverage_ratio=0.25)
    counter = make_counter(points)
    full_width = window_energy(seen, counter, 2 * S, 8 * S).half_width_joules
    part_width = window_energy(part, counter, 2 * S, 8 * S).half_width_joules
    assert part_width > 10 * full_width


def test_an_averaging_sensor_is_read_half_its_average_later(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """60 W, from 2 s on 300 W, shown as the mean of the last second: the first second of load is
    a second of 300 W, though the sensor was still rising."""

    def shown(t: float) -> float:
        return 60.0 + 240.0 * min(max(t - 2.0, 0.0), 1.0)

    joules, points = 0.0, [(0.0, 0.0)]
    for i in range(1, 401):
        joules += 0.02 * (shown(0.02 * (i - 1)) + shown(0.02 * i)) / 2
        points.append((0.02 * i, joules))
    series = replace(make_series(method=Method.INTEGRATED), averaging_seconds=1.0)
    steady = window_energy(series, make_counter(points), 3 * S, 6 * S)
    rising = window_energy(series, make_counter(points), 0, 5 * S)
    assert steady.joules == pytest.approx(900.0)
    assert rising.joules == pytest.approx(2 * 60.0 + 3 * 300.0, rel=0.03)


@given(
    start=st.floats(0.5, 4.0),
    middle=st.floats(4.1, 6.0),
    end=st.floats(6.1, 9.4),
    steps=st.lists(st.floats(0.0, 50.0), min_size=101, max_size=101),
)
def test_parts_sum_to_the_whole(
    start: float, middle: float, end: float, steps: list[float]
) -> None:
    """Two windows that meet count exactly what one window over both counts."""
    series = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
    joules, values = 0.0, []
    for step in steps:
        values.append(joules)
        joules += step
    counter = CounterData.of([i * S // 10 for i in range(101)], values, [1] * 101, [0.0005] * 101)
    a, b, c = (round(x * S) for x in (start, middle, end))
    whole = window_energy(series, counter, a, c).joules
    first = window_energy(series, counter, a, b).joules
    second = window_energy(series, counter, b, c).joules
    assert whole is not None
    assert first is not None
    assert second is not None
    assert first + second == pytest.approx(whole, abs=1e-6)
    assert min(first, second) >= -1e-9
