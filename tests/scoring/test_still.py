"""A counter that stands still has no number, and says which source it was."""

import pytest

from tests.scoring.windows import GPU, measured, package
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_core.results import Boundary, Verdict
from wattmark_scoring import checks, words
from wattmark_scoring.boundary import pin_sources

RAPL = package()
ESTIMATE = package(Method.ESTIMATED)


def test_a_zone_that_stands_at_zero_has_no_number() -> None:
    """As in a virtual machine: missing, not zero, and by name."""
    window = measured(lambda _: 0.0)
    assert window.window.joules is None
    assert not window.window.complete
    assert window.watts is None
    (complete,) = (c for c in checks.of_window(window) if c.name == "complete")
    assert complete.verdict is Verdict.INVALID
    assert "rapl CPU package socket0: gave the same value throughout" in words.finding(complete)


@pytest.mark.parametrize(("still", "whole"), [(0.9, True), (1.3, False), (6.0, False)])
def test_a_counter_that_stops_for_a_while_has_no_number(still: float, whole: bool) -> None:
    """A stretch longer than a second: the rest of the window is not all of it."""
    window = measured(lambda time: 0.0 if 2.0 < time < 2.0 + still else 50.0)
    assert (window.window.joules is not None) is whole
    if not whole:
        assert f"gave the same value for {still:.3g} s" in window.energy.reason


def test_a_source_that_dies_in_the_window_has_no_number() -> None:
    """It is repeated for ever, and its joules before that are not the window's."""
    window = measured({RAPL: lambda _: 40.0, GPU: lambda time: 100.0 if time < 3.0 else 0.0},
                      boundary=Boundary.HOST)  # fmt: skip
    assert window.window.joules is None
    assert window.energy.reason.startswith("nvml GPU")
    assert "gave the same value for 7 s" in window.energy.reason
    assert measured({RAPL: lambda _: 40.0, GPU: lambda _: 100.0}).window.joules is not None


def test_a_slow_counter_may_stand_still_between_its_updates() -> None:
    """One whose period is 0.1 s does so for less than twenty of them; one that is read once a
    second, for less than three reads."""
    slow = EnergySeries(Domain.PACKAGE, "socket0", "slow", Method.COUNTER, 0.1)
    for still, whole in ((1.8, True), (2.3, False)):
        window = measured({slow: lambda time, s=still: 0.0 if 2.0 < time < 2.0 + s else 50.0})  # type: ignore[misc]
        assert window.energy.complete is whole
    seldom = EnergySeries(Domain.PACKAGE, "socket0", "seldom", Method.COUNTER, 0.001,
                          interval_seconds=1.0)  # fmt: skip
    assert measured({seldom: lambda time: 0.0 if 2.0 < time < 4.5 else 50.0}).energy.complete


def test_a_source_that_does_not_move_is_not_pinned() -> None:
    """The next one takes its place; one of which it is too early to say is believed."""
    still = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001, moving=False)
    assert pin_sources([still, ESTIMATE]) == (ESTIMATE,)
    early = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001, moving=None)
    assert pin_sources([early, ESTIMATE]) == (early,)
    lost = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001,
                        state=SensorState.FAILED, moving=True)  # fmt: skip
    assert pin_sources([lost, still]) == ()
