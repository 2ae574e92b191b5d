"""Each check passes, warns and fails where it says."""

from collections.abc import Callable

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Verdict
from wattmark_scoring import checks, words
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.boundary import boundary_energy
from wattmark_scoring.checks import (
    agreement,
    complete,
    counted,
    coverage,
    deviation,
    duration,
    edges,
    exclusive,
    foreign_cpu,
    foreign_gpu_processes,
    gap,
    idle,
    method,
    plausible,
    repeats,
    sampler_cost,
    samples,
    steady,
    steal,
    throttling,
    zero_power,
)
from wattmark_scoring.energy import SeriesEnergy
from wattmark_scoring.sampling import Basis, Spread

MakeCounter = Callable[..., CounterData]
MakeSeries = Callable[..., EnergySeries]
S = 1_000_000_000
VALID, WARNED, INVALID = Verdict.VALID, Verdict.WARNED, Verdict.INVALID


def gauge(values: list[float], step: float = 0.1) -> GaugeData:
    """A gauge read every ``step`` s from time 0."""
    return GaugeData.of([round(i * step * S) for i in range(len(values))], values)


@pytest.mark.parametrize(
    ("seconds", "period", "verdict"),
    [(10, 0.1, VALID), (9, 0.1, WARNED), (1.9, 0.1, INVALID), (1, 0.001, VALID),
     (0.5, 0.001, WARNED), (0.1, 0.001, INVALID), (100, 1.0, VALID)],
)  # fmt: skip
def test_duration(make_series: MakeSeries, seconds: float, period: float, verdict: Verdict) -> None:
    """100 update periods of the slowest sensor are enough, below 20 it fails; RAPL needs 1 s."""
    series = [make_series(), make_series(update_period_seconds=period)]
    assert duration.check(seconds, series).verdict is verdict


@pytest.mark.parametrize(("count", "verdict"), [(150, VALID), (99, WARNED), (29, INVALID)])
def test_samples_of_integrated_power(make_series: MakeSeries, count: int, verdict: Verdict) -> None:
    """Integrated power needs 100 samples, below 30 it fails."""
    series = make_series(Domain.GPU, "g", "nvml", Method.INTEGRATED)
    power = gauge([100.0] * count, 0.02)
    assert samples.check(series, power, 0, 60 * S).verdict is verdict


def test_a_counter_needs_no_samples_inside(make_series: MakeSeries) -> None:
    """For a counter the two edges are enough."""
    assert samples.check(make_series(), None, 0, S).verdict is VALID


def test_a_gap_fails(make_counter: MakeCounter, make_series: MakeSeries) -> None:
    """Half a second without a sample of a counter that is read at 10 Hz fails."""
    points = [(0.1 * i, 1.0 * i) for i in range(101)]
    whole = gap.check(make_series(), make_counter(points), 0, 10 * S)
    torn = gap.check(make_series(), make_counter(points[:50] + points[55:]), 0, 10 * S)
    assert (whole.verdict, torn.verdict) == (VALID, INVALID)
    assert torn.value == pytest.approx(0.6)


@pytest.mark.parametrize(("missing", "verdict"), [(1, VALID), (3, INVALID)])
def test_a_gap_is_judged_by_the_interval_of_its_sensor(
    make_counter: MakeCounter, make_series: MakeSeries, missing: int, verdict: Verdict
) -> None:
    """A counter that is read once a second may miss one read, not three."""
    points = [(1.0 * i, 1.0 * i) for i in range(11)]
    counter = make_counter(points[:4] + points[4 + missing :])
    result = gap.check(make_series(interval_seconds=1.0), counter, 0, 10 * S)
    assert (result.verdict, result.limit) == (verdict, 3.0)


def test_integrated_power_is_held_to_two_per_cent(
    make_counter: MakeCounter, make_series: MakeSeries
) -> None:
    """0.2 s without a look is nothing to a counter and 6 % of 3 s to integrated power."""
    counter = make_counter([(0.02 * i, 1.0 * i) for i in range(151) if not 50 < i < 60])
    integrated = make_series(method=Method.INTEGRATED)
    assert gap.check(make_series(), counter, 0, 3 * S).verdict is VALID
    assert gap.check(integrated, counter, 0, 3 * S).verdict is INVALID


def test_edges(make_counter: MakeCounter, make_series: MakeSeries) -> None:
    """A sample within two reads outside each edge; none at all cannot be a pass."""
    counter = make_counter([(0.0, 0), (1.0, 1), (2.0, 2)])
    assert edges.check(make_series(), counter, S // 10, 19 * S // 10).verdict is VALID
    assert edges.check(make_series(), counter, S // 2, 3 * S // 2).verdict is WARNED
    slow = make_series(interval_seconds=1.0)
    assert edges.check(slow, counter, S // 2, 3 * S // 2).verdict is VALID
    assert edges.check(make_series(), counter, 0, 3 * S).verdict is WARNED


@pytest.mark.parametrize(
    ("joules", "verdict"), [(1000, VALID), (1030, WARNED), (1060, INVALID), (940, INVALID)]
)
def test_agreement(make_series: MakeSeries, joules: float, verdict: Verdict) -> None:
    """The counter against 100 W over 10 s: warn above 2 %, fail above 5 %."""
    check = agreement.check(make_series(), joules, gauge([100.0] * 110), 0, 10 * S)
    assert check is not None
    assert check.verdict is verdict


def test_agreement_needs_both(make_series: MakeSeries) -> None:
    """Without power samples there is nothing to compare."""
    assert agreement.check(make_series(), 10.0, None, 0, S) is None


@pytest.mark.parametrize(
    ("joules", "verdict"), [(1000.0, VALID), (1200.0, INVALID), (0.0, INVALID), (None, INVALID)]
)
def test_plausible(make_series: MakeSeries, joules: float | None, verdict: Verdict) -> None:
    """100 W on a 100 W board is plausible; 120 W, nothing and zero are not."""
    series = make_series(limit_watts=100.0)
    assert plausible.check(series, joules, 10.0).verdict is verdict


def test_a_zero_watt_sample_fails(make_series: MakeSeries) -> None:
    """0 W inside a window is a failed read, not a sleeping GPU."""
    good = zero_power.check(make_series(), gauge([5.0, 5.0]), 0, S)
    bad = zero_power.check(make_series(), gauge([5.0, 0.0]), 0, S)
    assert (good.verdict, bad.verdict) == (VALID, INVALID)


def test_steady() -> None:
    """Halves that differ by 3 % warn; unknown halves are no pass."""
    assert steady.check(100.0, 101.0).verdict is VALID
    assert steady.check(100.0, 103.0).verdict is WARNED
    assert steady.check(None, 103.0).verdict is WARNED


def test_throttling() -> None:
    """Heat fails; the power cap is recorded and passes; an unknown reason warns."""
    result = throttling.check(
        {"hw_thermal": 0.2, "sw_thermal": 0.0, "power_brake": None, "power_cap": 3.0}
    )
    assert {check.name: check.verdict for check in result} == {
        "throttled hw_thermal": INVALID,
        "throttled sw_thermal": VALID,
        "throttled power_brake": WARNED,
        "power cap": VALID,
    }


def test_background() -> None:
    """Foreign GPU processes, foreign CPU time, steal and our own cost."""
    assert foreign_gpu_processes.check(1.0).verdict is VALID
    assert foreign_gpu_processes.check(2.0).verdict is WARNED
    assert foreign_cpu.check(20.0, 19.9, 10.0).verdict is VALID
    assert foreign_cpu.check(20.0, 19.0, 10.0).verdict is WARNED
    assert foreign_cpu.check(None, 19.0, 10.0).verdict is WARNED
    assert steal.check(0.1, 10.0, 2.0).verdict is VALID
    assert steal.check(0.3, 10.0, 2.0).verdict is WARNED
    assert sampler_cost.check(0.05, 10.0).verdict is VALID
    assert sampler_cost.check(0.2, 10.0).verdict is WARNED


def test_coverage(make_series: MakeSeries) -> None:
    """A part-time sensor needs iterations that are many, and not in step with it."""
    series = make_series(update_period_seconds=0.1, coverage_ratio=0.25)
    in_step = {c.name: c.verdict for c in coverage.check(series, 10.0, 100)}
    assert in_step["coverage step"] is WARNED
    off_step = {c.name: c.verdict for c in coverage.check(series, 10.0, 73)}
    assert off_step["coverage step"] is VALID
    few = {c.name: c.verdict for c in coverage.check(series, 4.0, 20)}
    assert few["coverage length"] is few["coverage iterations"] is WARNED
    assert coverage.check(make_series(), 4.0, 20) == []


def test_coverage_says_what_its_interval_rests_on(make_series: MakeSeries) -> None:
    """On the readings, or on the worst case, with the reason; a counter that sees all says none."""
    series = make_series(update_period_seconds=0.1, coverage_ratio=0.25)
    good = coverage.check(series, 10.0, 73, Spread(1.0, 0.0, Basis.READINGS))[-1]
    worst = Spread(0.0, 1.0, Basis.WORST_CASE, "the load is in step with the sensor")
    bad = coverage.check(series, 10.0, 100, worst)[-1]
    assert (good.name, good.verdict) == ("coverage interval", VALID)
    assert (bad.name, bad.verdict) == ("coverage interval", WARNED)
    assert words.finding(good) == "The interval is made of the readings of socket0"
    assert "worst case: socket0 sees 25% of the time: the load is in step" in words.finding(bad)
    assert [c.name for c in coverage.check(make_series(), 10.0, 73, Spread(1.0, 0.0))] == []


def test_counted() -> None:
    """Without inferences, or with more correct than those, energy per inference is none. Without
    correct ones it is what it is, and warned: there is no score."""
    assert counted.check(100, 90).verdict is VALID
    assert counted.check(100, None).verdict is WARNED
    assert counted.check(None, None).verdict is INVALID
    assert counted.check(0, 0).verdict is INVALID
    assert counted.check(100, 101).verdict is INVALID


def test_repeats() -> None:
    """Few repeats, a spread and a drift warn."""
    assert repeats.check(3).verdict is VALID
    assert repeats.check(2).verdict is WARNED
    assert checks.verdict(deviation.check([1.0, 1.01, 0.99, 1.0, 1.0])) is VALID
    wild = {c.name: c.verdict for c in deviation.check([1.0, 1.1, 1.2])}
    assert wild["deviation"] is wild["largest deviation"] is wild["drift"] is WARNED
    assert deviation.check([1.0]) == deviation.check([]) == []


def test_idle() -> None:
    """Baselines of 30 s that agree within 2 %; a missing one is no pass."""
    assert checks.verdict(idle.check(30.0, 30.0, 10.0, 10.1)) is VALID
    assert checks.verdict(idle.check(10.0, 30.0, 10.0, 10.1)) is WARNED
    assert checks.verdict(idle.check(30.0, 30.0, 10.0, 11.0)) is WARNED
    assert checks.verdict(idle.check(30.0, None, 10.0, None)) is WARNED


def test_incomplete_energy_and_overlap_fail(make_series: MakeSeries) -> None:
    """What is not whole, or not alone, is not scored; what is estimated is warned."""
    part = SeriesEnergy(make_series(), 10.0, False, "the counter began a new epoch inside")
    assert complete.check(boundary_energy(Boundary.CPU, [part])).verdict is INVALID
    assert exclusive.check(True).verdict is INVALID
    guess = SeriesEnergy(make_series(method=Method.ESTIMATED), 10.0, True)
    assert method.check(boundary_energy(Boundary.CPU, [guess])).verdict is WARNED


def test_the_worst_window_stands_for_all() -> None:
    """Of a check made on several windows the worst is kept, and says which window it was."""
    worst = checks.worst([[Check("gap", v, 1.0, 0.3, "s", "gap")] for v in (VALID, INVALID)])
    (check,) = worst
    assert (check.verdict, check.message) == (INVALID, "gap (window 2)")
    assert checks.verdict(worst) is INVALID
