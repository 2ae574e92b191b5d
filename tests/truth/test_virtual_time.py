"""The truth comes from the load's formula: windows in virtual time on four kinds of sensor.

Each simulated sensor shows what such hardware shows (ticks, quantisation, part-time looks, noise);
its readings go through the exporter's meters, their samples through the scoring. 1,000 windows
per sensor and length (20,000 in the long version), a quarter of each load, at random phases.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.long import keep_figures, length
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_exporters.meter import CounterMeter, EnergyPoint, PowerMeter
from wattmark_exporters.readings import Traits
from wattmark_exporters.schedule import Schedule
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.energy import SeriesEnergy, window_energy

pytestmark = pytest.mark.long

LOW_WATTS, HIGH_WATTS = 60.0, 300.0
SQUARE_SECONDS = 0.3
GUARD_SECONDS = 2.0
WINDOWS_PER_LOAD = length(250, 5000)
LOADS = ("constant", "step", "ramp", "square")
READ_NS = 20_000


@dataclass(frozen=True)
class Load:
    """Power at t and energy up to t, s → W and J; both from one formula."""

    watts: Callable[[float], float]
    joules: Callable[[float], float]


def make_load(kind: str, start: float, end: float, dice: random.Random) -> Load:
    """A load whose phase to the window [start, end] is random."""
    rise = HIGH_WATTS - LOW_WATTS
    if kind == "constant":
        level = dice.uniform(LOW_WATTS, HIGH_WATTS)
        return Load(lambda t: level, lambda t: level * t)
    if kind == "step":
        at = dice.uniform(start, end)
        return Load(
            lambda t: HIGH_WATTS if t >= at else LOW_WATTS,
            lambda t: LOW_WATTS * t + rise * max(0.0, t - at),
        )
    if kind == "ramp":
        length = end - start

        def ramped(t: float) -> float:
            climbed = min(max(t - start, 0.0), length)
            return LOW_WATTS * t + rise * (climbed**2 / 2 / length + max(0.0, t - end))

        return Load(lambda t: LOW_WATTS + rise * min(max(t - start, 0.0), length) / length, ramped)
    phase, half = dice.uniform(0.0, SQUARE_SECONDS), SQUARE_SECONDS / 2

    def squared(t: float) -> float:
        cycles, rest = divmod(t + phase, SQUARE_SECONDS)
        return LOW_WATTS * t + rise * (cycles * half + min(rest, half))

    return Load(lambda t: HIGH_WATTS if (t + phase) % SQUARE_SECONDS < half else LOW_WATTS, squared)


@dataclass(frozen=True)
class Instrument:
    """A sensor: how often it ticks, what share of time it sees, how often we read it."""

    name: str
    traits: Traits
    read_seconds: float
    forced_at_edges: bool = False
    integrated: bool = False

    @property
    def series(self) -> EnergySeries:
        """The series that an exporter would offer."""
        method = Method.INTEGRATED if self.integrated else Method.COUNTER
        return EnergySeries(
            Domain.GPU, "device", self.name, method, self.traits.update_period_seconds,
            coverage_ratio=self.traits.coverage_ratio,
        )  # fmt: skip


INSTRUMENTS = (
    Instrument("1 ms counter", Traits(0.001, wrap_joules=65536.0), 0.1, forced_at_edges=True),
    Instrument("100 ms counter", Traits(0.1, ticking=True), 0.02),
    Instrument("integrated power", Traits(0.001), 0.02, integrated=True),
    Instrument("25 % duty", Traits(0.1, ticking=True, coverage_ratio=0.25), 0.02),
)
COUNTERS = INSTRUMENTS[:2]


def read_times(tool: Instrument, start: float, end: float, dice: random.Random) -> list[float]:
    """When the exporter reads: at its jittered interval, and within 5 ms of the edges if forced."""
    first = start - GUARD_SECONDS - dice.uniform(0.0, tool.read_seconds)
    schedule = Schedule(tool.read_seconds, round(first * 1e9), dice)
    times = []
    while schedule.next_ns < (end + GUARD_SECONDS) * 1e9:
        times.append(schedule.next_ns / 1e9)
        schedule.passed(schedule.next_ns, taken=True)
    if tool.forced_at_edges:
        times += [edge + dice.uniform(0.0002, 0.005) for edge in (start, end)]
    return sorted(times)


def shown_joules(tool: Instrument, load: Load, dice: random.Random) -> Callable[[float], float]:
    """What the counter's register shows at t: ticks at a random phase, and perhaps part-time."""
    period, share = tool.traits.update_period_seconds, tool.traits.coverage_ratio
    phase = dice.uniform(0.0, period)
    if share == 1.0:
        start = dice.uniform(0.0, 65536.0)

        def whole(t: float) -> float:
            ticked = math.floor((t - phase) / period) * period + phase
            joules = round((start + load.joules(ticked)) / 61e-6) * 61e-6  # 2^-14 J, RAPL's unit
            return joules % (tool.traits.wrap_joules or math.inf)

        return whole
    behind = dice.uniform(0.0, (1.0 - share) * period)  # where in its period it looks
    sums: dict[int, float] = {}

    def part(t: float) -> float:
        tick = math.floor((t - phase) / period)
        for k in range(max(sums, default=tick), tick + 1):
            seen_to = k * period + phase - behind
            seen = load.joules(seen_to) - load.joules(seen_to - share * period)
            sums[k] = sums.get(k - 1, 0.0) + seen / share
        return sums[tick]

    return part


def measure(
    tool: Instrument, load: Load, start: float, end: float, dice: random.Random
) -> SeriesEnergy:
    """The window's energy as meters and scoring see it."""
    times = read_times(tool, start, end, dice)
    power, meter = None, CounterMeter(tool.traits)
    register = shown_joules(tool, load, dice)
    if tool.integrated:
        noisy = [load.watts(t) + dice.gauss(0.0, 1.0) for t in times]  # 1 W of sensor noise
        power = GaugeData.of([round(t * 1e9) for t in times], noisy)
        integrator = PowerMeter(tool.traits)
        points = [
            integrator.read(watts, round(t * 1e9), READ_NS)
            for t, watts in zip(times, noisy, strict=True)
        ]
    else:
        points = [meter.read(register(t), round(t * 1e9), READ_NS) for t in times]
    counter = as_counter([point for point in points if point is not None])
    return window_energy(tool.series, counter, round(start * 1e9), round(end * 1e9), power)


def as_counter(points: list[EnergyPoint]) -> CounterData:
    """The samples that a store would hold."""
    return CounterData.of(
        [point.time_ns for point in points],
        [point.joules for point in points],
        [point.epoch for point in points],
        [point.uncertainty_seconds for point in points],
    )


@dataclass(frozen=True)
class Outcome:
    """Relative errors and half-widths of many windows."""

    errors: np.ndarray[tuple[int], np.dtype[np.float64]]
    half_widths: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def covered(self) -> float:
        """Share of windows whose stated interval holds the truth."""
        return float(np.mean(np.abs(self.errors) <= self.half_widths))

    @property
    def error95(self) -> float:
        """The error that 95 % of windows stay within."""
        return float(np.percentile(np.abs(self.errors), 95))


def simulate(tool: Instrument, seconds: float) -> Outcome:
    """As many windows of each load; lengths up to 5 % over, since real passes are whole."""
    dice = random.Random(f"{tool.name} {seconds}")  # noqa: S311 - repeatable, not secret
    errors, widths = [], []
    for kind in LOADS * WINDOWS_PER_LOAD:
        start = 10.0 + dice.uniform(0.0, 1.0)
        end = start + seconds * dice.uniform(1.0, 1.05)
        load = make_load(kind, start, end, dice)
        truth = load.joules(end) - load.joules(start)
        energy = measure(tool, load, start, end, dice)
        assert energy.complete
        assert energy.joules is not None
        errors.append(energy.joules / truth - 1.0)
        widths.append(energy.half_width_joules / truth)
    return Outcome(np.array(errors), np.array(widths))


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, float], Outcome]:
    """All sensors at 3 s and 10 s, simulated once."""
    return {(tool.name, w): simulate(tool, w) for tool in INSTRUMENTS for w in (3.0, 10.0)}


@pytest.mark.parametrize(("seconds", "limit"), [(3.0, 0.01), (10.0, 0.003)])
@pytest.mark.parametrize("tool", COUNTERS, ids=lambda tool: tool.name)
def test_counters_are_right(
    outcomes: dict[tuple[str, float], Outcome], tool: Instrument, seconds: float, limit: float
) -> None:
    """In 95 % of windows the error stays within 1 % at 3 s and 0.3 % at 10 s."""
    assert outcomes[tool.name, seconds].error95 <= limit


@pytest.mark.parametrize("seconds", [3.0, 10.0])
@pytest.mark.parametrize("tool", INSTRUMENTS, ids=lambda tool: tool.name)
def test_intervals_cover_the_truth_as_often_as_they_say(
    outcomes: dict[tuple[str, float], Outcome], tool: Instrument, seconds: float
) -> None:
    """The stated intervals hold the truth in 93 to 99 % of windows, neither less nor more."""
    assert 0.93 <= outcomes[tool.name, seconds].covered <= 0.99


def test_the_half_widths_are_reported(
    outcomes: dict[tuple[str, float], Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of what each sensor can do stands in the test's output."""
    lines = ["", "sensor            window   error (95 %)   half-width (median)   covered"]
    rows = []
    for (name, seconds), found in outcomes.items():
        median = float(np.median(found.half_widths))
        assert 0.0 < median < 1.0
        lines.append(
            f"{name:16} {seconds:5.0f} s {found.error95:12.3%} {median:18.3%} {found.covered:14.1%}"
        )
        rows.append(
            [name, f"{seconds:.0f} s", f"{len(found.errors):,}", f"{found.error95:.3%}",
             f"{median:.3%}", f"{found.covered:.1%}"]
        )  # fmt: skip
    keep_figures(
        "windows-in-virtual-time", "Energy of simulated windows beside the load's formula",
        ["sensor", "window", "windows", "error that 95 % stay within", "half-width (median)",
         "intervals that hold the truth"], rows,
    )  # fmt: skip
    with capsys.disabled():
        print("\n".join(lines))  # noqa: T201 - the report is the point
