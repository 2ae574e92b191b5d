"""Others that measure at the same time, clocks that jump and work that stands still, by name."""

from dataclasses import replace

import pytest

from tests.scoring.windows import at, measured
from wattmark_core.results import Check, Verdict
from wattmark_scoring import checks, words
from wattmark_scoring.arrays import GaugeData
from wattmark_scoring.checks import pauses
from wattmark_scoring.measured import MeasuredWindow
from wattmark_scoring.window_facts import WindowFacts

VALID, WARNED, INVALID = Verdict.VALID, Verdict.WARNED, Verdict.INVALID
HOLDER = "wattmark in /srv/other, process 7"


def noted(facts: WindowFacts, **changes: float) -> MeasuredWindow:
    """A steady window with what was noted of it."""
    window = measured(lambda _: 50.0, **changes)  # type: ignore[arg-type]  # numbers alone
    return replace(window, data=replace(window.data, facts=facts))


def found(window: MeasuredWindow) -> dict[str, Check]:
    """The worst check of each name."""
    return {check.name: check for check in checks.worst([checks.of_window(window)])}


def test_another_service_at_the_same_exporter_is_named() -> None:
    """It fails, and says who: nobody else would know of the two."""
    check = found(noted(WindowFacts(others=(HOLDER,))))["exclusive"]
    assert check.verdict is INVALID
    assert words.finding(check) == (
        "Wattmark in /srv/other, process 7 measured at the same time, so what it cost cannot be"
        " told apart, in repeat 1"
    )
    assert found(noted(WindowFacts()))["exclusive"].verdict is VALID


def test_a_window_with_its_clients_times_warns_and_is_named() -> None:
    """Nobody can check whether it was then."""
    facts = WindowFacts(claims={"w7": "window w7 of run r3 of bob, with its client's own times"})
    check = found(noted(facts))["exclusive"]
    assert check.verdict is WARNED
    assert "window w7 of run r3 of bob" in words.finding(check)
    both = found(noted(replace(facts, others=(HOLDER,))))["exclusive"]
    assert both.verdict is INVALID


@pytest.mark.parametrize(
    ("facts", "name", "verdict"),
    [
        (WindowFacts(clock_step_seconds=0.0, suspended_seconds=0.0), "clock step", VALID),
        (WindowFacts(clock_step_seconds=0.049), "clock step", VALID),
        (WindowFacts(clock_step_seconds=0.051), "clock step", INVALID),
        (WindowFacts(clock_step_seconds=-3600.0), "clock step", INVALID),
        (WindowFacts(suspended_seconds=0.0), "suspended", VALID),
        (WindowFacts(suspended_seconds=8.0), "suspended", INVALID),
    ],
)
def test_a_clock_that_jumps(facts: WindowFacts, name: str, verdict: Verdict) -> None:
    """Forward or back, or because the machine slept; what was not noted is not judged."""
    assert found(noted(facts))[name].verdict is verdict
    assert not {"clock step", "suspended"} & found(noted(WindowFacts())).keys()


@pytest.mark.parametrize(
    ("pause", "seconds", "verdict"),
    [
        (0.01, 10.0, VALID),
        (0.3, 10.0, WARNED),
        (1.1, 10.0, INVALID),
        (8.0, 10.0, INVALID),
        (0.09, 3.0, VALID),
        (0.4, 3.0, WARNED),
        (0.6, 3.0, INVALID),
    ],
)
def test_a_pause_of_the_work(pause: float, seconds: float, verdict: Verdict) -> None:
    """2 % of the window, or a tenth of a second, and 10 %, or half a second."""
    assert pauses.check(pause, seconds).verdict is verdict


def test_a_frozen_program_is_seen_by_its_cpu_time() -> None:
    """Nothing of it runs from 1 to 9 s of 10, and the machine's halves are alike: whoever does not
    tell of its steps is found out by that."""

    def busy(time: float) -> float:
        return 0.01 if 1.0 < time < 9.0 else 1.0

    frozen = measured(lambda _: 50.0, own=2.0, busy=busy)
    check = found(frozen)["pauses"]
    assert check.verdict is INVALID
    assert check.value == pytest.approx(8.0)
    assert "stood still for 8" in words.finding(check)
    assert found(measured(lambda _: 50.0, own=9.9))["pauses"].verdict is VALID


def test_who_uses_little_cpu_time_is_not_judged_by_it() -> None:
    """Work on a GPU may leave the CPUs alone; without its own CPU time nothing is known."""
    busy = GaugeData.of([at(t) for t in range(11)], [0.0] * 11)
    assert pauses.still_seconds(busy, 1.0, at(0.0), at(10.0)) is None
    assert pauses.still_seconds(busy, 2.5, at(0.0), at(10.0)) == pytest.approx(10.0)
    assert "pauses" not in found(measured(lambda _: 50.0, own=None))


@pytest.mark.parametrize(
    ("stopped", "verdict"), [(0.0, VALID), (0.01, WARNED), (1.1, INVALID), (8.0, INVALID)]
)
def test_a_program_that_was_stopped_is_named(stopped: float, verdict: Verdict) -> None:
    """By a signal, and for how long."""
    check = found(noted(WindowFacts(stopped_seconds=stopped)))["stopped"]
    assert check.verdict is verdict
    assert "A signal (SIGSTOP) had stopped the program for" in words.finding(check)
