"""Meters against counters whose truth is known, in virtual time."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.catalogue import Domain
from wattmark_exporters.meter import CounterMeter, EnergyPoint, PowerMeter
from wattmark_exporters.readings import Traits

MS = 1_000_000
START_NS = 1_700_000_000_000 * MS
FREE = Traits(update_period_seconds=0.001)
WRAPPING = Traits(update_period_seconds=0.001, wrap_joules=65_536.0, limit_watts=400.0)
TICKING = Traits(update_period_seconds=0.1, ticking=True, limit_watts=400.0)


def feed(
    meter: CounterMeter | PowerMeter, values: Sequence[float], *, step_ms: int = 100,
    from_ms: int = 0, read_ns: int = 0,
) -> list[EnergyPoint | None]:  # fmt: skip
    """Read ``values`` at even steps."""
    return [
        meter.read(value, START_NS + (from_ms + step_ms * index) * MS, read_ns)
        for index, value in enumerate(values)
    ]


def joules(points: Sequence[EnergyPoint | None]) -> list[float | None]:
    """Energies, with None where no sample was made."""
    return [None if point is None else round(point.joules, 6) for point in points]


def epochs(points: Sequence[EnergyPoint | None]) -> int:
    """How many epochs the samples belong to."""
    return len({point.epoch for point in points if point is not None})


class TestContinuousCounter:
    """A counter that moves all the time: RAPL."""

    def test_starts_at_zero(self) -> None:
        """Energy starts at 0 in the epoch, which is named by its start in Unix ms."""
        points = feed(CounterMeter(FREE), [500.0, 501.0, 501.0, 503.5])
        assert joules(points) == [0.0, 1.0, 1.0, 3.5]
        assert {p.epoch for p in points if p} == {START_NS // MS - 1}

    def test_stamp(self) -> None:
        """The stamp is T/2 before the read, known to T/2 and half the length of the read."""
        traits = Traits(update_period_seconds=0.02)
        (point,) = feed(CounterMeter(traits), [1.0], read_ns=4 * MS)
        assert point is not None
        assert point.time_ns == START_NS - 10 * MS
        assert point.uncertainty_seconds == pytest.approx(0.012)

    def test_wrap_is_undone(self) -> None:
        """A wrap goes on in the same epoch, at any place between two reads."""
        points = feed(CounterMeter(WRAPPING), [65_530.0, 65_535.9, 4.0, 10.0])
        assert joules(points) == [0.0, 5.9, 10.0, 16.0]
        assert epochs(points) == 1

    def test_several_wraps(self) -> None:
        """Wrap after wrap is undone when reads come often enough."""
        values = [(20.0 * i) % 65_536.0 for i in range(10_000)]
        points = feed(CounterMeter(WRAPPING), values)
        assert joules(points)[-1] == pytest.approx(20.0 * 9_999)
        assert epochs(points) == 1

    @given(
        st.floats(0, 65_535), st.lists(st.floats(0, 400), min_size=1, max_size=60),
        st.sampled_from([5, 20, 100, 1000]),
    )  # fmt: skip
    def test_any_wraps(self, first: float, watts: list[float], step_ms: int) -> None:
        """Whatever the load, the energy is the truth: wraps are undone, nothing is lost."""
        truth = [first]
        for power in watts:
            truth.append(truth[-1] + power * step_ms / 1000)
        points = feed(CounterMeter(WRAPPING), [t % 65_536.0 for t in truth], step_ms=step_ms)
        assert epochs(points) == 1
        last = points[-1]
        assert last is not None
        assert last.joules == pytest.approx(truth[-1] - first, abs=1e-6)

    def test_wrap_or_reset(self) -> None:
        """A fall that no wrap explains in the time is a reset: an epoch begins, and no read
        before the second one after the reset counts."""
        meter = CounterMeter(WRAPPING)
        points = feed(meter, [30_000.0, 30_010.0, 3.0, 13.0, 23.0])
        assert joules(points) == [0.0, 10.0, None, 0.0, 10.0]
        assert epochs(points) == 2
        assert meter.dropped == 1

    def test_reset_to_nearly_the_same(self) -> None:
        """A reset so small that both explanations fit opens an epoch: missing, not wrong."""
        points = feed(CounterMeter(FREE), [10.0, 11.0, 0.5, 11.5, 12.0])
        assert joules(points) == [0.0, 1.0, None, 0.0, 0.5]

    def test_more_than_one_wrap_possible(self) -> None:
        """After a pause in which the counter could wrap twice an epoch begins, fall or not."""
        meter = CounterMeter(WRAPPING)
        feed(meter, [100.0, 110.0])
        after = feed(meter, [120.0, 130.0], from_ms=200_000)
        assert joules(after) == [0.0, 10.0]

    def test_pause_within_one_wrap(self) -> None:
        """A pause too short for two wraps is bridged by the counter itself."""
        meter = CounterMeter(WRAPPING)
        before = feed(meter, [65_000.0, 65_010.0])
        after = feed(meter, [5_000.0], from_ms=30_000)
        assert joules(after) == [5_536.0]
        assert epochs([*before, *after]) == 1

    @pytest.mark.parametrize(
        "garbage", [0.0, 3.0, 60_000.0, math.nan, math.inf, -1.0, 70_000.0, 4294967295.0]
    )
    def test_one_garbled_read(self, garbage: float) -> None:
        """One garbled value is skipped and counted; the epoch goes on with the true energy."""
        meter = CounterMeter(WRAPPING)
        points = feed(meter, [30_000.0, 30_010.0, garbage, 30_030.0])
        assert joules(points) == [0.0, 10.0, None, 30.0]
        assert epochs(points) == 1
        assert meter.dropped == 1

    @pytest.mark.parametrize("garbage", [(0.0, 45_000.0), (math.nan, math.nan), (math.nan, 3.0)])
    def test_two_garbled_reads(self, garbage: tuple[float, float]) -> None:
        """After two garbled values in a row an epoch begins."""
        points = feed(CounterMeter(WRAPPING), [30_000.0, *garbage, 30_030.0, 30_040.0])
        assert joules(points) == [0.0, None, None, 0.0, 10.0]

    def test_rebased(self) -> None:
        """A counter that jumps up and stays there begins an epoch at the second read there."""
        points = feed(CounterMeter(FREE), [10.0, 20.0, 90_000.0, 90_010.0, 90_020.0])
        assert joules(points) == [0.0, 10.0, None, 0.0, 10.0]

    @pytest.mark.parametrize(
        ("domain", "watts", "believed"),
        [
            (Domain.PACKAGE, 1_900.0, True), (Domain.PACKAGE, 2_100.0, False),
            (Domain.GPU, 2_100.0, False), (Domain.PSYS, 19_000.0, True),
            (Domain.PSYS, 21_000.0, False),
        ],
    )  # fmt: skip
    def test_a_device_draws_no_more_than_its_kind_can(
        self, domain: Domain, watts: float, believed: bool
    ) -> None:
        """Where its sensor does not know its limit: 2 kW a package or GPU, 20 kW a platform."""
        points = feed(CounterMeter(FREE, domain), [0.0, watts], step_ms=1000)
        assert joules(points) == [0.0, watts if believed else None]

    def test_a_counter_that_reads_zero_once_books_nothing(self) -> None:
        """1,000,763 J, then 0, then as before: no joule of that was used in a second."""
        points = feed(CounterMeter(FREE), [1_000_763.0, 0.0, 1_000_764.0])
        assert joules(points) == [0.0, None, 1.0]
        assert epochs(points) == 1

    def test_one_failed_read(self) -> None:
        """One failed read is forgiven."""
        meter = CounterMeter(WRAPPING)
        feed(meter, [10.0])
        meter.missed()
        assert joules(feed(meter, [30.0], from_ms=200)) == [20.0]

    def test_two_failed_reads(self) -> None:
        """Two failed reads end the epoch."""
        meter = CounterMeter(WRAPPING)
        feed(meter, [10.0])
        meter.missed()
        meter.missed()
        assert joules(feed(meter, [30.0, 31.0], from_ms=300)) == [0.0, 1.0]

    def test_long_failure(self) -> None:
        """A failure of more than a second ends the epoch."""
        meter = CounterMeter(WRAPPING)
        feed(meter, [10.0])
        meter.missed()
        assert joules(feed(meter, [30.0], from_ms=1_500)) == [0.0]

    def test_epoch_names_rise(self) -> None:
        """Epochs opened in the same millisecond, or after the clock went back, still rise."""
        meter = CounterMeter(FREE)
        names = []
        for time_ns in (START_NS, START_NS + 1, START_NS - 3600 * 1000 * MS):
            meter.new_epoch()
            point = meter.read(5.0, time_ns, 0)
            assert point is not None
            names.append(point.epoch)
        assert names == sorted(set(names))

    def test_restart(self) -> None:
        """A meter started later never takes up an epoch of an earlier one."""
        before = feed(CounterMeter(FREE), [1.0, 2.0])
        after = feed(CounterMeter(FREE), [3.0], from_ms=300)
        assert epochs([*before, *after]) == 2


class TestTickingCounter:
    """A counter whose steps can be seen: NVML."""

    def test_stamp_between_reads(self) -> None:
        """A tick is stamped midway between the reads around it, known to half their distance;
        the first value of an epoch has no stamp and makes no sample."""
        points = feed(CounterMeter(TICKING), [5.0, 5.0, 15.0, 15.0, 25.0], step_ms=20)
        assert joules(points) == [None, None, 0.0, None, 10.0]
        last = points[-1]
        assert last is not None
        assert last.time_ns == START_NS + 70 * MS
        assert last.uncertainty_seconds == pytest.approx(0.010)

    def test_missed_read_widens(self) -> None:
        """With a read missing before the tick, the stamp is less well known and says so."""
        meter = CounterMeter(TICKING)
        feed(meter, [5.0, 15.0, 15.0], step_ms=20)
        meter.missed()
        (point,) = feed(meter, [25.0], from_ms=100, read_ns=2 * MS)
        assert point is not None
        assert point.time_ns == START_NS + 70 * MS
        assert point.uncertainty_seconds == pytest.approx(0.0305)

    @given(
        st.integers(0, 99), st.lists(st.integers(3, 40), min_size=5, max_size=80),
        st.floats(0, 390),
    )  # fmt: skip
    def test_tick_lies_within_its_uncertainty(
        self, phase_ms: int, steps_ms: list[int], watts: float
    ) -> None:
        """However reads fall, the true time of each tick lies within the stated uncertainty and
        energy between two samples is power times the true time."""
        meter = CounterMeter(TICKING)
        now_ms, seen = 0, []
        for step_ms in steps_ms:
            now_ms += step_ms
            ticks = (now_ms + phase_ms) // 100
            point = meter.read(watts * ticks * 0.1, START_NS + now_ms * MS, 0)
            if point is not None:
                tick_ns = START_NS + (ticks * 100 - phase_ms) * MS
                assert abs(point.time_ns - tick_ns) <= point.uncertainty_seconds * 1e9
                seen.append((tick_ns, point.joules))
        for (t0, j0), (t1, j1) in pairwise(seen):
            assert j1 - j0 == pytest.approx(watts * (t1 - t0) / 1e9, abs=1e-6)

    def test_full_power_at_the_fastest_reads(self) -> None:
        """A whole period's energy in one read of 5 ms is no garbage: the slack covers it."""
        values = [400.0 * 0.1 * (i * 5 // 100) for i in range(200)]
        meter = CounterMeter(TICKING)
        assert epochs(feed(meter, values, step_ms=5)) == 1
        assert meter.dropped == 0

    def test_reset(self) -> None:
        """A driver reload begins an epoch, at a tick."""
        points = feed(CounterMeter(TICKING), [900.0, 910.0, 920.0, 1.0, 11.0, 21.0, 31.0])
        assert joules(points) == [None, 0.0, 10.0, None, None, 0.0, 10.0]
        assert epochs(points) == 2


@given(
    st.lists(
        st.one_of(
            st.floats(0, 500), st.just(math.nan), st.just(-1.0), st.floats(0, 1e6),
            st.sampled_from(["missed", "epoch"]),
        ),
        max_size=60,
    ),
    st.sampled_from([FREE, WRAPPING, TICKING]),
)  # fmt: skip
def test_energy_never_falls_in_an_epoch(script: list[float | str], traits: Traits) -> None:
    """Whatever a counter does, within an epoch energy and time never fall, and epochs rise."""
    meter = CounterMeter(traits)
    last: EnergyPoint | None = None
    for index, item in enumerate(script):
        if item == "missed":
            meter.missed()
        elif item == "epoch":
            meter.new_epoch()
        elif not isinstance(item, str):
            point = meter.read(item, START_NS + index * 100 * MS, 0)
            if point is None:
                continue
            assert point.joules >= 0
            if last is not None and point.epoch == last.epoch:
                assert point.joules >= last.joules
                assert point.time_ns > last.time_ns
            elif last is not None:
                assert point.epoch > last.epoch
                assert point.joules == 0
            last = point


class TestIntegratedPower:
    """A counter made of power readings."""

    TRAITS = Traits(update_period_seconds=0.02, limit_watts=300.0)

    def test_trapezoid(self) -> None:
        """Energy is the trapezoid between readings."""
        points = feed(PowerMeter(self.TRAITS), [100.0, 200.0, 200.0])
        assert joules(points) == [0.0, 15.0, 35.0]

    def test_stamp(self) -> None:
        """A reading is T/2 old, known to T/2 and half the length of the read."""
        (point,) = feed(PowerMeter(self.TRAITS), [100.0], read_ns=2 * MS)
        assert point is not None
        assert point.time_ns == START_NS - 10 * MS
        assert point.uncertainty_seconds == pytest.approx(0.011)

    def test_gap(self) -> None:
        """Over a gap of more than a second nothing is made up: an epoch begins."""
        meter = PowerMeter(self.TRAITS)
        before = feed(meter, [100.0, 100.0])
        after = feed(meter, [100.0, 100.0], from_ms=1_200)
        assert joules(after) == [0.0, 10.0]
        assert epochs([*before, *after]) == 2

    @pytest.mark.parametrize("garbage", [math.nan, math.inf, -5.0, 451.0, 4294967.295])
    def test_garbage(self, garbage: float) -> None:
        """What the device cannot draw is dropped and counted; its neighbours are joined."""
        meter = PowerMeter(self.TRAITS)
        assert joules(feed(meter, [100.0, garbage, 100.0])) == [0.0, None, 20.0]
        assert meter.dropped == 1

    def test_zero_is_a_value(self) -> None:
        """0 W is a reading like any other."""
        assert joules(feed(PowerMeter(self.TRAITS), [0.0, 0.0])) == [0.0, 0.0]

    @given(st.lists(st.floats(0, 450), min_size=2, max_size=50))
    def test_between_least_and_most(self, watts: list[float]) -> None:
        """Energy never falls and lies between the least and the most power times the time."""
        points = [p for p in feed(PowerMeter(self.TRAITS), watts) if p is not None]
        energies = [p.joules for p in points]
        assert energies == sorted(energies)
        seconds = 0.1 * (len(watts) - 1)
        assert min(watts) * seconds - 1e-6 <= energies[-1] <= max(watts) * seconds + 1e-6
