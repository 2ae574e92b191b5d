"""Of two targets that give one series one counts: the one that the targets file binds to it."""

import logging
import re

import pytest

from wattmark_collector.admission import Admission
from wattmark_collector.left_out import LeftOut
from wattmark_collector.series_ownership import Owner, SeriesOwnership
from wattmark_core.sample import Sample
from wattmark_core.series_lines import LineReader
from wattmark_core.testing import FakeClock

A, B = Owner("http://a/samples", False, "i1"), Owner("http://b/samples", False, "i2")
BOUND = Owner("http://c/metrics", True)


def energy(host: str = "gpu1", device: str = "g0", **fields: float) -> Sample:
    """A sample of one counter."""
    tags = (("device", device), ("host", host))
    return Sample("energy", tags, fields or {"joules": 1.0}, 5)


class World:
    """Targets that share the ownership of series."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ownership = SeriesOwnership(self.clock)
        self.left_out: dict[str, LeftOut] = {}
        self._admissions: dict[str, Admission] = {}

    def taken(self, owner: Owner, *samples: Sample) -> list[Sample]:
        """What is taken of a target's samples."""
        if owner.url not in self._admissions:
            left_out = self.left_out[owner.url] = LeftOut(owner.url)
            self._admissions[owner.url] = Admission(left_out, self.clock, self.ownership)
        return [
            Sample(s.measurement, s.tags, s.fields, s.time_ns)
            for s in self._admissions[owner.url].taken(samples, owner)
        ]


@pytest.fixture
def world() -> World:
    """Nobody owns anything."""
    return World()


def test_the_second_target_of_a_series_is_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """An exporter that says it is another's host: told once, counted each time, its own series
    taken."""
    assert world.taken(A, energy()) == [energy()]
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert world.taken(B, energy(), energy(device="own")) == [energy(device="own")]
            assert world.taken(A, energy()) == [energy()]
    (record,) = caplog.records
    assert record.getMessage() == (
        "target http://b/samples: energy (joules) of host 'gpu1' is left out, it is given by"
        " http://a/samples; drop one of the two targets, or give it another host label"
    )
    assert world.left_out[B.url].count == 3


def test_the_one_that_the_file_binds_comes_first(world: World) -> None:
    """Whoever came before it."""
    world.taken(A, energy())
    assert world.taken(BOUND, energy()) == [energy()]
    world.clock.advance(11.0)
    assert world.taken(A, energy()) == []
    assert world.taken(BOUND, energy()) == [energy()]
    other = Owner("http://d/metrics", True)
    assert world.taken(other, energy()) == []


def test_of_a_gpus_gauges_the_exporters_come_first(world: World) -> None:
    """Whoever came first, and whatever the file binds; dcgm-exporter's other fields are taken, and
    nothing is a fault."""

    def gauges(**fields: float) -> Sample:
        return Sample("gpu", (("device", "g0"), ("host", "gpu1")), fields, 5)

    world.taken(BOUND, gauges(utilization_ratio=1.0, sm_active_ratio=0.5))
    assert world.taken(A, gauges(utilization_ratio=0.9)) == [gauges(utilization_ratio=0.9)]
    world.clock.advance(11.0)
    taken = world.taken(BOUND, gauges(utilization_ratio=1.0, sm_active_ratio=0.5))
    assert taken == [gauges(sm_active_ratio=0.5)]
    assert world.left_out[BOUND.url].count == world.left_out[A.url].count == 0


def test_of_a_sample_the_fields_of_another_are_left_out(world: World) -> None:
    """dcgm-exporter's profiling fields stand beside what NVML gives of the same GPU."""
    world.taken(A, energy(utilization=1.0, clock=2.0))
    taken = world.taken(B, energy(utilization=3.0, tensor=4.0))
    assert taken == [energy(tensor=4.0)]


def test_one_exporter_may_be_read_at_two_addresses(world: World) -> None:
    """It is one instance; and one that restarts has a new one at its address."""
    world.taken(A, energy())
    assert world.taken(Owner("http://other/samples", False, "i1"), energy()) == [energy()]
    assert world.taken(Owner(A.url, False, "i9"), energy()) == [energy()]


def test_ownership_ends(world: World) -> None:
    """A minute after its target was last heard, or three of its intervals; at once when it goes
    from the file."""
    slow = Owner("http://s/metrics", False, grace_seconds=900.0)
    world.taken(A, energy())
    world.taken(slow, energy(device="s"))
    world.clock.advance(61.0)
    assert world.taken(B, energy(), energy(device="s")) == [energy()]
    world.ownership.release(slow.url)
    world.clock.advance(11.0)
    assert world.taken(B, energy(device="s")) == [energy(device="s")]


def test_lines_are_judged_as_samples_are(world: World) -> None:
    """The quick form of a line that comes again and again."""
    reader = LineReader()
    lines = [reader.read(f"energy,device=g0,host=gpu1 joules={n}.0 {n}") for n in range(1, 6)]
    assert world.taken(A, *lines) != []  # type: ignore[arg-type]
    assert world.taken(B, *lines) == []  # type: ignore[arg-type]
    assert world.left_out[B.url].count == 5


@pytest.mark.parametrize("measurement", ["target", "collector", "window", "score"])
def test_what_the_collector_says_of_itself_is_its_own(world: World, measurement: str) -> None:
    """No target can say that another is up."""
    forged = Sample(measurement, (("host", "h"), ("target", "http://a/samples")), {"up": 1}, 5)
    assert world.taken(B, forged) == []
    assert world.left_out[B.url].count == 1


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (Sample("a\x1b", (), {"f": 1.0}, 5), r"'a\\x1b' has a name with U\+001B"),
        (Sample("a", (("t\u202e", "1"),), {"f": 1.0}, 5), r"has a name with U\+202E"),
        (Sample("a", (), {"f\0": 1.0}, 5), r"has a name with U\+0000"),
        (Sample("a" * 300, (), {"f": 1.0}, 5), "has a name of over 256 characters"),
        (Sample("a", (("t", "x" * 9000),), {"f": 1.0}, 5), "has tags of over 8192 characters"),
        (Sample("a", tuple((f"t{n}", "x") for n in range(70)), {"f": 1.0}, 5), "has over 64 tags"),
    ],
)  # fmt: skip
def test_names_are_bounded_and_printable(
    world: World, caplog: pytest.LogCaptureFixture, sample: Sample, reason: str
) -> None:
    """The rest of the batch is taken."""
    assert world.taken(A, sample, energy()) == [energy()]
    (record,) = caplog.records
    assert re.search(reason, record.getMessage())


def test_the_number_of_series_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Those that have a place keep it; one that has not come for an hour gives it up; told once by
    name, counted."""
    clock, left_out = FakeClock(), LeftOut("u")
    admission, owner = Admission(left_out, clock, None, limit=3), Owner("u", False)

    def taken(*names: str) -> list[str]:
        clock.advance(11.0)
        samples = [Sample(name, (), {"value": 1.0}, 5) for name in names]
        return [sample.measurement for sample in admission.taken(samples, owner)]

    assert taken("a", "b", "c") == ["a", "b", "c"]
    assert taken("d", "c", "b", "e") == ["c", "b"]
    assert left_out.count == 2
    assert taken("d") == []
    assert caplog.text.count("'d' is over 3 series within an hour; series_limit sets") == 1
    clock.advance(3550.0)
    assert taken("b", "c") == ["b", "c"]
    clock.advance(60.0)
    assert taken("d", "b", "c", "e") == ["d", "b", "c"]
