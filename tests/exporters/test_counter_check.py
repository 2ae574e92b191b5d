"""A counter and power that contradict each other by far: which of them is believed."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_exporters.counter_check import FAR, CounterCheck
from wattmark_exporters.device import Device
from wattmark_exporters.meter import EnergyPoint
from wattmark_exporters.readings import Counter, Power, Traits
from wattmark_exporters.ring import Ring

MS = 1_000_000
START_NS = 1_700_000_000_000 * MS
TRAITS = Traits(update_period_seconds=0.02, limit_watts=400.0, note="as it is")


@dataclass
class Board:
    """A device that is read every 100 ms, with a counter and a power of their own."""

    domain: Domain = Domain.GPU
    time_ns: int = START_NS
    joules: float = 5000.0
    ring: Ring = field(default_factory=Ring)

    def __post_init__(self) -> None:
        self.device = Device(
            "nvml", "box", self.domain, "GPU-1", Method.COUNTER, TRAITS, 1.0, 0.1
        )  # fmt: skip

    def run(self, seconds: float, counted_watts: float, shown_watts: float) -> None:
        """Read for a while."""
        for _ in range(round(seconds * 10)):
            self.time_ns += 100 * MS
            self.joules += counted_watts * 0.1
            counter = Counter(self.domain, "GPU-1", self.joules, TRAITS)
            self.device.counter(counter, self.time_ns, 0)
            self.device.power(Power(self.domain, "GPU-1", shown_watts, TRAITS), self.time_ns, 0)
            self.device.ratio()
        self.device.flush(self.ring, 0)

    def samples(self, measurement: str) -> list[Sample]:
        """All that were made so far."""
        found = decode_lines(self.ring.after("").text())
        return [sample for sample in found if sample.measurement == measurement]

    def series(self) -> EnergySeries:
        """What ``GET /sensors`` says."""
        return self.device.series(None, failed=False)

    def shown(self) -> set[str]:
        """What ``/metrics`` shows."""
        return {latest.measurement for latest in self.device.latest(self.time_ns - 1000 * MS)}


def test_a_tenth_of_a_watt_for_a_hundred_is_not_believed() -> None:
    """The counter stays; its power is left out, counted, and named in the series' note."""
    board = Board()
    board.run(25, counted_watts=100, shown_watts=0.1)
    assert board.series().state is SensorState.OK
    assert board.series().note == (
        "the counter gives 1e+03 times the integral of power over 10 s: power is not believed;"
        " as it is"
    )
    assert board.shown() == {"energy"}
    powers, energies = board.samples("power"), board.samples("energy")
    assert powers[-1].time_ns < START_NS + 12_000 * MS
    assert board.device.dropped == 250 - len(powers)
    assert energies[-1].fields["joules"] == pytest.approx(100 * 24.9)
    board.run(25, counted_watts=100, shown_watts=95)
    assert board.series().note == "as it is"
    assert board.shown() == {"energy", "power"}


@pytest.mark.parametrize("domain", [Domain.GPU, Domain.PSYS])
@pytest.mark.parametrize("counted_watts", [0.0, 0.2])
def test_a_counter_that_hardly_counts_is_not_believed(domain: Domain, counted_watts: float) -> None:
    """0 J at 247 W (NVIDIA/DCGM#58): the series has failed, and no energy comes of it; what comes
    once it counts is an epoch of its own."""
    board = Board(domain)
    board.run(25, counted_watts=counted_watts, shown_watts=247)
    assert board.series().state is SensorState.FAILED
    assert "the counter is not believed" in board.series().note
    assert board.shown() == {"power"}
    before = board.samples("energy")
    assert before[-1].time_ns < START_NS + 12_000 * MS
    board.run(25, counted_watts=247, shown_watts=247)
    assert board.series().state is SensorState.OK
    after = board.samples("energy")[len(before) :]
    assert {s.fields["epoch"] for s in after}.isdisjoint(s.fields["epoch"] for s in before)
    for one, other in pairwise(after):
        seconds = (other.time_ns - one.time_ns) / 1e9
        risen = other.fields["joules"] - one.fields["joules"]
        assert risen == pytest.approx(247 * seconds)


@pytest.mark.parametrize(("counted_watts", "shown_watts"), [(300, 40), (40, 300), (0, 0)])
def test_sound_boards_are_believed(counted_watts: float, shown_watts: float) -> None:
    """A power sensor that looks a quarter of the time is off by less than ten times, even in step
    with the load; and a device that draws nothing contradicts nothing."""
    board = Board()
    board.run(25, counted_watts, shown_watts)
    assert board.series().state is SensorState.OK
    assert board.series().note == "as it is"
    assert len(board.samples("power")) == len(board.samples("energy")) == 250


def test_the_ratio_is_told_as_it_is() -> None:
    """Beyond ``FAR`` either way something is wrong; power of 0 W gives no ratio."""
    assert FAR == 10
    for watts, power, energy in ((9.0, False, True), (11.0, False, False), (999.0, False, False),
                                 (1001.0, True, False)):  # fmt: skip
        check = CounterCheck()
        for step in range(120):
            time_ns = START_NS + step * 100 * MS
            check.power(100.0, time_ns)
            ratio = check.energy(EnergyPoint(watts * step * 0.1, 1, 0.0, time_ns - MS))
            assert ratio is None or ratio == pytest.approx(watts / 100)
        assert (check.too_little_power, check.too_little_energy) == (power, energy)
        assert bool(check.words()) == (power or energy)
