"""What disturbs a window beyond its limits makes the score invalid, and names itself."""

import pytest

from tests.scoring.windows import GPU, measured, package
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Check, Verdict
from wattmark_scoring import checks
from wattmark_scoring.measured import MeasuredWindow

VALID, WARNED, INVALID = Verdict.VALID, Verdict.WARNED, Verdict.INVALID


def steady(_: float) -> float:
    return 50.0


def check(name: str, window: MeasuredWindow) -> Check:
    """Of all checks of that name the worst."""
    (found,) = (c for c in checks.worst([checks.of_window(window)]) if c.name == name)
    return found


@pytest.mark.parametrize(
    ("busy", "own", "verdict"),
    [
        (1.0, 9.8, VALID),  # 0.02 cores are foreign
        (1.0, 9.0, WARNED),  # 0.1
        (1.0, 7.6, WARNED),  # 0.24, and 25 % of its own is less than a quarter of a core
        (1.0, 7.4, INVALID),  # 0.26
        (4.0, 33.0, WARNED),  # 0.7, 21 % of its own
        (4.0, 31.0, INVALID),  # 0.9, 29 %
        (2.7, 10.0, INVALID),  # 1.7 times its own: the number is 2.7 times too high
        (3.0, None, WARNED),  # not known
        (3.0, 30.5, VALID),  # ticks and clocks do not quite agree
        (1.2, 20.0, WARNED),  # said to be more than all that was used, so it is not known
        (1.2, 1e12, WARNED),
    ],
)
def test_foreign_cpu_time(busy: float, own: float | None, verdict: Verdict) -> None:
    """It fails above the larger of a quarter of the work's own CPU time and a quarter of a core."""
    window = measured(steady, own=own, busy=lambda _: busy)
    assert check("foreign CPU", window).verdict is verdict


@pytest.mark.parametrize(
    ("boundary", "verdict"),
    [(Boundary.CPU, INVALID), (Boundary.HOST, INVALID), (Boundary.GPU, WARNED)],
)
def test_foreign_cpu_time_fails_where_cpu_energy_counts(
    boundary: Boundary, verdict: Verdict
) -> None:
    """On a GPU's board alone it warns: its energy is not theirs."""
    window = measured({package(): steady, GPU: steady}, boundary=boundary, busy=lambda _: 3.0)
    assert check("foreign CPU", window).verdict is verdict
    taken = measured({package(): steady, GPU: steady}, boundary=boundary, stolen=2.0)
    assert check("steal", taken).verdict is verdict


@pytest.mark.parametrize(
    ("stolen", "cpus", "verdict"),
    [
        (0.03, 4, VALID),
        (0.2, 4, WARNED),
        (0.3, 4, INVALID),
        (0.3, 64, INVALID),  # within 1 % of 64 CPUs, and more than a quarter of a core
        (None, 4, WARNED),
    ],
)
def test_stolen_cpu_time(stolen: float | None, cpus: int, verdict: Verdict) -> None:
    """The same for what the hypervisor takes, however many CPUs there are."""
    window = measured(steady, own=10.0, busy=lambda _: 1.0, stolen=stolen, cpus=cpus)
    assert check("steal", window).verdict is verdict


def test_foreign_and_stolen_time_add_up() -> None:
    """Neither reaches the level alone; together they do, and both are named that are beyond their
    own limits."""
    window = measured(steady, own=8.5, busy=lambda _: 1.0, stolen=0.15)
    assert check("foreign CPU", window).verdict is INVALID
    assert check("steal", window).verdict is INVALID
    assert "more than 0.25 cores" in check("steal", window).message
    alone = measured(steady, own=8.5, busy=lambda _: 1.0)
    assert check("foreign CPU", alone).verdict is WARNED


def test_stolen_time_beside_work_whose_own_is_not_known() -> None:
    """Its own is no more than all that was used, so that much too much is seen all the same."""
    assert check("steal", measured(steady, own=None, stolen=0.5)).verdict is INVALID
    assert check("steal", measured(steady, own=None, busy=lambda _: 3.0, stolen=0.5)).verdict is (
        WARNED
    )


@pytest.mark.parametrize(
    ("second", "verdict"), [(50.5, VALID), (52.0, WARNED), (55.0, WARNED), (56.0, INVALID)]
)
def test_uneven_power(second: float, verdict: Verdict) -> None:
    """Halves that differ by more than 10 %: the mean lies 5 % from either."""
    window = measured(lambda time: 50.0 if time < 5.0 else second)
    assert check("steady", window).verdict is verdict


def test_an_uneven_small_part_warns() -> None:
    """Of the power that is counted the package's 10 W are a twentieth."""
    window = measured(
        {GPU: lambda _: 190.0, package(): lambda time: 8.0 if time < 5.0 else 12.0},
        boundary=Boundary.HOST,
    )
    assert check("steady", window).verdict is WARNED


def test_an_uneven_estimate_warns() -> None:
    """It is good within a factor of two; its CPU time is judged as such."""
    window = measured({package(Method.ESTIMATED): lambda time: 5.0 if time < 5.0 else 9.0})
    assert check("steady", window).verdict is WARNED
