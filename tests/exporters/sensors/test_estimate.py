"""The estimate: its formula, what counts as work, and when it is not there."""

import math
import time
from pathlib import Path

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter
from wattmark_exporters.sensors.estimate import Estimate

PER_CPU = "cpu{} 0 0 0 0 0 0 0 0 0 0\n"


def write_stat(procfs: Path, line: str, cpus: int = 4) -> None:
    """PROC/stat with the given sum and ``cpus`` CPUs."""
    lines = "".join(PER_CPU.format(number) for number in range(cpus))
    (procfs / "stat").write_text(f"cpu  {line}\n{lines}intr 1 0\nbtime 1700000000\n")


def only(sensor: Estimate) -> Counter:
    """The one reading."""
    (reading,) = sensor.read()
    assert isinstance(reading, Counter)
    return reading


def test_an_idle_machine_draws_idle_power(tmp_path: Path) -> None:
    """4 CPUs at 5 W, idle 20 %: 4 W; 100 s are 400 J."""
    write_stat(tmp_path, "50 0 50 900 0 0 0 0 0 0")
    clock = FakeClock()
    sensor = Estimate(tmp_path, None, clock)
    sensor.start()
    assert only(sensor).joules == 0
    clock.advance(100)
    assert only(sensor).joules == pytest.approx(400)
    sensor.close()


def test_a_busy_machine_draws_its_tdp(tmp_path: Path) -> None:
    """All CPUs at work in any busy mode for 10 s at 65 W: 650 J."""
    write_stat(tmp_path, "0 0 0 0 0 0 0 0 0 0")
    clock = FakeClock()
    sensor = Estimate(tmp_path, 65, clock)
    sensor.start()
    clock.advance(10)
    write_stat(tmp_path, "1000 1000 1000 0 0 500 500 0 0 0")  # 40 CPU seconds
    reading = only(sensor)
    assert reading.joules == pytest.approx(650)
    assert (reading.domain, reading.device, reading.method) == (
        Domain.PACKAGE, "cpu", Method.ESTIMATED,
    )  # fmt: skip
    assert "estimate" in reading.traits.label
    assert reading.traits.update_period_seconds == pytest.approx(0.01)
    sensor.close()


def test_waiting_stolen_and_guest_time_are_no_work(tmp_path: Path) -> None:
    """iowait, steal and guest (which user and nice include) leave the machine idle."""
    write_stat(tmp_path, "0 0 0 0 0 0 0 0 0 0")
    clock = FakeClock()
    sensor = Estimate(tmp_path, 100, clock)
    sensor.start()
    clock.advance(1)
    write_stat(tmp_path, "300 100 0 0 4000 0 0 4000 300 100")
    assert only(sensor).joules == pytest.approx(20)
    sensor.close()


def test_the_constants_show_how_the_joules_were_made(tmp_path: Path) -> None:
    """They are kept with every run."""
    write_stat(tmp_path, "0 0 0 0 0 0 0 0 0 0", cpus=8)
    sensor = Estimate(tmp_path, None, FakeClock())
    sensor.start()
    assert sensor.constants() == {"tdp_watts": 40, "idle_watts": 8, "visible_cpus": 8}
    sensor.close()


def test_without_proc_stat_it_is_absent(tmp_path: Path) -> None:
    """A missing or foreign PROC/stat: absent, with the option to use."""
    with pytest.raises(SensorAbsent, match="--procfs"):
        Estimate(tmp_path, None, FakeClock()).start()
    (tmp_path / "stat").write_text("nothing of the kind\n")
    with pytest.raises(SensorAbsent, match="--procfs"):
        Estimate(tmp_path, None, FakeClock()).start()


def test_a_proc_stat_that_breaks_is_a_failure_not_a_number(tmp_path: Path) -> None:
    """A garbled line raises SensorFailed."""
    write_stat(tmp_path, "0 0 0 0 0 0 0 0 0 0")
    sensor = Estimate(tmp_path, None, FakeClock())
    sensor.start()
    for text in ("", "cpu  1 2\n", "cpu  a b c d e f g h\n"):
        (tmp_path / "stat").write_text(text)
        with pytest.raises(SensorFailed):
            sensor.read()
    sensor.close()


def test_cpu_times_that_stand_still_are_a_failure_not_idle_power(tmp_path: Path) -> None:
    """A copy of PROC/stat, or one that nobody fills; the estimate goes on when they do."""
    write_stat(tmp_path, "50 0 50 900 0 0 0 0 0 0")
    clock = FakeClock()
    sensor = Estimate(tmp_path, None, clock)
    sensor.start()
    for _ in range(20):
        assert only(sensor).domain is Domain.PACKAGE
        clock.advance(1)
    clock.advance(0.5)
    with pytest.raises(SensorFailed, match="its CPU times have stood still for over 20 s"):
        list(sensor.read())
    sensor.close()
    clock.advance(30)
    with pytest.raises(SensorAbsent, match="stood still"):
        sensor.start()
    write_stat(tmp_path, "50 0 50 901 0 0 0 0 0 0")
    sensor.start()
    assert only(sensor).joules == 0
    sensor.close()


@pytest.mark.parametrize("watts", [0, -5, math.nan, math.inf])
def test_an_impossible_tdp_is_refused(tmp_path: Path, watts: float) -> None:
    """One clear line, before anything starts."""
    with pytest.raises(ConfigurationError, match="--tdp-watts"):
        Estimate(tmp_path, watts)


def test_it_counts_on_this_machine() -> None:
    """On the real procfs joules grow with time and stay between idle and full power."""
    sensor = Estimate(Path("/proc"), None)
    sensor.start()
    start = time.monotonic()
    before = only(sensor).joules
    while time.monotonic() - start < 0.3:
        sum(range(1000))
    gained = only(sensor).joules - before
    seconds = time.monotonic() - start
    full_watts = sensor.constants()["tdp_watts"]
    jiffies_joules = 0.1 * full_watts
    assert 0.19 * full_watts * 0.3 < gained < full_watts * seconds + jiffies_joules
    sensor.close()
