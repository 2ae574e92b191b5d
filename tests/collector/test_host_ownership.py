"""Two exporters of one host are told apart from one that restarts."""

import pytest

from wattmark_collector.host_ownership import HostOwnership
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import EnergySeries, HostReport, SensorReport, SensorState
from wattmark_core.testing import FakeClock


def report(instance: str, *names: str, state: SensorState = SensorState.OK) -> HostReport:
    """An exporter with energy sensors of these names, and one without energy."""
    sensors = [
        SensorReport(name, state, 0.1, energy=(
            EnergySeries(Domain.PACKAGE, "socket0", name, Method.COUNTER, 0.1),
        ))
        for name in names
    ]  # fmt: skip
    sensors.append(SensorReport("host", SensorState.OK, 1.0))
    return HostReport("h", "b", instance, 0, tuple(sensors))


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


@pytest.fixture
def ownership(clock: FakeClock) -> HostOwnership:
    """The exporter at A owns rapl of host h."""
    made = HostOwnership(clock)
    made.take("A", "h", report("a1", "rapl"))
    return made


def test_the_second_exporter_of_a_sensor_is_left_out(ownership: HostOwnership) -> None:
    """The first keeps it."""
    with pytest.raises(ExporterError, match="exporters A and B both give sensor 'rapl' of host"):
        ownership.take("B", "h", report("b1", "nvml", "rapl"))
    ownership.take("A", "h", report("a1", "rapl"))
    ownership.take("C", "h", report("c1", "nvml"))


@pytest.mark.parametrize(
    ("url", "host", "other"),
    [
        ("A", "h", report("a2", "rapl")),
        ("B", "h", report("a1", "rapl")),
        ("B", "h2", report("b1", "rapl")),
        ("B", "h", report("b1", "nvml")),
        ("B", "h", report("b1", "rapl", state=SensorState.FAILED)),
    ],
    ids=["restarted", "same by another address", "other host", "other sensor", "not working"],
)
def test_no_conflict(ownership: HostOwnership, url: str, host: str, other: HostReport) -> None:
    """Each of these may go on."""
    ownership.take(url, host, other)


def test_ownership_ends(ownership: HostOwnership, clock: FakeClock) -> None:
    """At once when its target goes from the file, after a minute when it does not answer."""
    ownership.release("A")
    ownership.take("B", "h", report("b1", "rapl"))
    clock.advance(30.0)
    with pytest.raises(ExporterError):
        ownership.take("A", "h", report("a1", "rapl"))
    clock.advance(31.0)
    ownership.take("A", "h", report("a1", "rapl"))
