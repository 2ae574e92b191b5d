"""Clocks, real and fake."""

import time
from pathlib import Path

import pytest

from wattmark_core.clock import SystemClock, boot_id
from wattmark_core.testing import FakeClock
from wattmark_core.units import joules_to_mwh, ns_to_seconds, seconds_to_ns


def test_the_system_clock_is_the_kernels() -> None:
    """Boot time is not behind monotonic time, wall time is Unix time, and sleep sleeps."""
    clock = SystemClock()
    monotonic_ns = clock.monotonic_ns()
    assert clock.boottime_ns() >= monotonic_ns
    assert abs(clock.realtime_ns() - time.time_ns()) < 10**9
    before = clock.monotonic_ns()
    clock.sleep(0.01)
    clock.sleep(-1.0)
    assert clock.monotonic_ns() - before >= 10_000_000


def test_the_fake_clock_moves_only_when_set() -> None:
    """Steps move the wall clock alone; a suspend leaves monotonic time behind."""
    clock = FakeClock()
    boot, mono, wall = clock.boottime_ns(), clock.monotonic_ns(), clock.realtime_ns()
    clock.sleep(1.5)
    clock.sleep(-1.0)
    assert clock.boottime_ns() - boot == clock.monotonic_ns() - mono == 1_500_000_000
    clock.step(-2.0)
    assert clock.realtime_ns() - wall == -500_000_000
    clock.suspend(10.0)
    assert clock.boottime_ns() - boot == 11_500_000_000
    assert clock.monotonic_ns() - mono == 1_500_000_000


def test_the_boot_id_comes_from_procfs(tmp_path: Path) -> None:
    """Without the line feed."""
    folder = tmp_path / "sys/kernel/random"
    folder.mkdir(parents=True)
    (folder / "boot_id").write_text("b00t-1d\n")
    assert boot_id(tmp_path) == "b00t-1d"


def test_units_convert_both_ways() -> None:
    """1 mWh is 3.6 J."""
    assert seconds_to_ns(0.1) == 100_000_000
    assert ns_to_seconds(seconds_to_ns(2.5)) == 2.5
    assert joules_to_mwh(3.6) == pytest.approx(1.0)
