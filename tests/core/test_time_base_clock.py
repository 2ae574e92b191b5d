"""The time base under NTP steps and suspends."""

import pytest

from wattmark_core.clock import SystemClock
from wattmark_core.testing import FakeClock
from wattmark_core.time_base_clock import TimeBaseClock


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


def test_even_time(clock: FakeClock) -> None:
    """While time runs evenly, stamps follow the wall clock and nothing is reported."""
    base = TimeBaseClock(clock)
    for _ in range(100):
        clock.advance(1.0)
        assert base.check() is None
    assert base.now_ns() == clock.realtime_ns()


@pytest.mark.parametrize("seconds", [3600.0, 0.06, -0.06, -3600.0])
def test_step(clock: FakeClock, seconds: float) -> None:
    """A step of more than 50 ms moves the base, is reported once, and names its size."""
    base = TimeBaseClock(clock)
    clock.step(seconds)
    reason = base.check()
    assert reason is not None
    assert "stepped" in reason
    assert base.check() is None
    assert base.now_ns() == clock.realtime_ns()


def test_small_step_does_not_move_stamps(clock: FakeClock) -> None:
    """A step of less than 50 ms leaves the base alone: stamps go on evenly, the shift is shown."""
    base = TimeBaseClock(clock)
    before_ns = base.now_ns()
    clock.step(-0.04)
    clock.advance(0.001)
    assert base.check() is None
    assert base.now_ns() - before_ns == 1_000_000
    assert base.shift_ns == -40_000_000


def test_small_steps_add_up(clock: FakeClock) -> None:
    """Steps that are small alone move the base once they add up to more than 50 ms."""
    base = TimeBaseClock(clock)
    clock.step(0.04)
    assert base.check() is None
    clock.step(0.04)
    assert base.check() is not None


def test_suspend(clock: FakeClock) -> None:
    """A suspend is reported once, though boot time and wall clock agree throughout."""
    base = TimeBaseClock(clock)
    clock.suspend(120.0)
    reason = base.check()
    assert reason is not None
    assert "suspended" in reason
    assert base.check() is None
    assert base.now_ns() == clock.realtime_ns()


def test_suspend_with_step(clock: FakeClock) -> None:
    """A wall clock that is set on waking makes one reason, not two."""
    base = TimeBaseClock(clock)
    clock.suspend(120.0)
    clock.step(2.0)
    assert base.check() is not None
    assert base.check() is None
    assert base.now_ns() == clock.realtime_ns()


def test_kernel_clocks() -> None:
    """On the kernel's clocks the base is within 50 ms of the wall clock, check after check."""
    base = TimeBaseClock(SystemClock())
    assert [base.check() for _ in range(100)] == [None] * 100
    assert abs(base.shift_ns) < 50_000_000
