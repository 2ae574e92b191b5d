"""RAPL beyond the cases: limits, ranges, copies, and what becomes of a zone that stays bad."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.catalogue import Domain
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter, Lost
from wattmark_exporters.sensors.rapl.absent import UDEV_RULE
from wattmark_exporters.sensors.rapl.mirrors import mirror
from wattmark_exporters.sensors.rapl.sensor import Rapl


def add_zone(sysfs: Path, key: str, name: str, **files: str | int) -> Path:
    """Make a zone in the class folder as a plain folder; returns it."""
    folder = sysfs / "class/powercap" / key
    folder.mkdir(parents=True)
    values: Mapping[str, str | int] = {
        "energy_uj": 5_000_000, "max_energy_range_uj": 262_143_328_850, **files,
    }  # fmt: skip
    for file, value in {"name": name, **values}.items():
        (folder / file).write_text(f"{value}\n")
    return folder


def started(sysfs: Path) -> Rapl:
    """RAPL on the tree, in virtual time."""
    sensor = Rapl(sysfs, clock=FakeClock())
    sensor.start()
    return sensor


def counters(sensor: Rapl) -> dict[str, Counter]:
    """One read, by domain and device."""
    readings = [r for r in sensor.read() if isinstance(r, Counter)]
    return {f"{r.domain} {r.device}": r for r in readings}


def test_joules_are_a_millionth_of_the_file(tmp_path: Path) -> None:
    """5,000,000 µJ are 5 J, and the range is each zone's own (joular/powerjoular#45)."""
    add_zone(tmp_path, "intel-rapl:0", "package-0")
    add_zone(tmp_path, "intel-rapl:0:0", "dram", max_energy_range_uj=65_712_999_613)
    sensor = started(tmp_path)
    by_device = counters(sensor)
    assert by_device["package socket0"].joules == 5.0
    assert by_device["package socket0"].traits.wrap_joules == pytest.approx(262_143.32885)
    assert by_device["dram socket0"].traits.wrap_joules == pytest.approx(65_712.999613)
    sensor.close()


@pytest.mark.parametrize(
    ("files", "limit_watts"),
    [
        ({}, None),
        ({"constraint_0_max_power_uw": 0}, None),
        ({"constraint_0_max_power_uw": 205_000_000}, 512.5),
        # a laptop rated at 15 W whose second limit lets it draw 64 W
        ({"constraint_0_max_power_uw": 15_000_000, "constraint_1_power_limit_uw": 64_000_000}, 160),
        ({"constraint_0_max_power_uw": 15_000_000}, 100),
        # a board that lifts the limit
        ({"constraint_0_power_limit_uw": 4_095_875_000}, 2000),
        ({"constraint_0_max_power_uw": "No data available"}, None),
    ],
)
def test_the_limit_leaves_room_for_bursts(
    tmp_path: Path, files: dict[str, str | int], limit_watts: float | None
) -> None:
    """2.5 times the largest limit in force or rated, within reason; unknown stays unknown."""
    add_zone(tmp_path, "intel-rapl:0", "package-0", **files)
    sensor = started(tmp_path)
    assert counters(sensor)["package socket0"].traits.limit_watts == limit_watts
    sensor.close()


def test_a_core_zone_may_draw_what_its_package_may(tmp_path: Path) -> None:
    """Core has no limit of its own; it lies inside the package."""
    add_zone(tmp_path, "intel-rapl:0", "package-0", constraint_0_max_power_uw=100_000_000)
    add_zone(tmp_path, "intel-rapl:0:0", "core", constraint_0_power_limit_uw=0)
    sensor = started(tmp_path)
    assert counters(sensor)["core socket0"].traits.limit_watts == 250
    sensor.close()


def test_a_missing_range_means_that_no_wrap_is_undone(tmp_path: Path) -> None:
    """Without a believable range a fall must open an epoch: wrap_joules is None, never 0."""
    add_zone(tmp_path, "intel-rapl:0", "package-0", max_energy_range_uj=0)
    sensor = started(tmp_path)
    assert counters(sensor)["package socket0"].traits.wrap_joules is None
    sensor.close()


def test_an_mmio_zone_counts_where_it_has_no_original(tmp_path: Path) -> None:
    """A copy is dropped only beside what it copies."""
    add_zone(tmp_path, "intel-rapl-mmio:0", "package-0")
    sensor = started(tmp_path)
    assert set(counters(sensor)) == {"package socket0"}
    sensor.close()


def test_zones_of_other_control_types_are_passed_over(tmp_path: Path) -> None:
    """dtpm zones and unknown names are no RAPL domains; psys of a second socket stays apart."""
    add_zone(tmp_path, "dtpm:0", "package-0")
    add_zone(tmp_path, "intel-rapl:0", "package-1")
    add_zone(tmp_path, "intel-rapl:0:0", "mystery")
    add_zone(tmp_path, "intel-rapl:1", "psys")
    add_zone(tmp_path, "intel-rapl:2", "psys-1", energy_uj=7)
    sensor = started(tmp_path)
    assert set(counters(sensor)) == {"package socket1", "psys platform", "psys platform1"}
    sensor.close()


def test_a_zone_without_its_package_keeps_a_name_of_its_own(tmp_path: Path) -> None:
    """A mount that shows a sub-zone alone: no socket is guessed."""
    add_zone(tmp_path, "intel-rapl:1:0", "dram")
    sensor = started(tmp_path)
    assert set(counters(sensor)) == {"dram intel-rapl:1:0"}
    sensor.close()


def test_a_value_that_stays_bad_is_a_fault(tmp_path: Path) -> None:
    """An accident is left out in silence; 50 in a row are reported, and the others go on."""
    add_zone(tmp_path, "intel-rapl:0", "package-0")
    dram = add_zone(tmp_path, "intel-rapl:0:0", "dram")
    sensor = started(tmp_path)
    (dram / "energy_uj").write_text("rubbish\n")
    for _ in range(49):
        assert [type(reading) for reading in sensor.read()] == [Counter]
    lost = [reading for reading in sensor.read() if isinstance(reading, Lost)]
    assert [(r.domain, r.device) for r in lost] == [(Domain.DRAM, "socket0")]
    assert "rubbish" in lost[0].reason
    (dram / "energy_uj").write_text("6000000\n")
    assert counters(sensor)["dram socket0"].joules == 6.0
    (dram / "energy_uj").write_text("\n")
    assert [type(reading) for reading in sensor.read()] == [Counter]
    sensor.close()


def test_one_die_of_two_is_not_called_the_socket(tmp_path: Path) -> None:
    """Where the other die cannot be read, the name and the note say what is covered."""
    add_zone(tmp_path, "intel-rapl:0", "package-0-die-0")
    closed = add_zone(tmp_path, "intel-rapl:1", "package-0-die-1")
    (closed / "energy_uj").unlink()
    sensor = started(tmp_path)
    by_device = counters(sensor)
    assert set(by_device) == {"package socket0-die0"}
    assert "package of socket0-die1 (intel-rapl:1)" in by_device["package socket0-die0"].traits.note
    sensor.close()


def test_a_folder_in_place_of_the_counter_is_no_number(tmp_path: Path) -> None:
    """Whatever stands there, a read ends in a reading, a gap or SensorFailed."""
    package = add_zone(tmp_path, "intel-rapl:0", "package-0")
    sensor = started(tmp_path)
    (package / "energy_uj").unlink()
    (package / "energy_uj").mkdir()
    assert list(sensor.read()) == []
    (package / "energy_uj").rmdir()
    with pytest.raises(SensorFailed, match="No such file"):
        sensor.read()
    sensor.close()


def test_absence_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    """No powercap at all: what is missing and what to do."""
    with pytest.raises(SensorAbsent) as caught:
        started(tmp_path)
    assert "\n" not in str(caught.value)
    assert "modprobe intel_rapl_msr" in caught.value.remedy


def test_the_udev_rule_is_one_line_that_names_the_file() -> None:
    """The rule matches zones as they come and on 'udevadm trigger', and opens one file."""
    assert "\n" not in UDEV_RULE
    assert 'ACTION=="add|change"' in UDEV_RULE
    assert UDEV_RULE.endswith('RUN+="/bin/chmod a+r /sys%p/energy_uj"')


values = st.lists(st.integers(1, 10**12), min_size=7, max_size=7, unique=True)


@given(values, st.integers(-(10**9), 10**9))
def test_counters_that_run_in_step_are_mirrors(first: list[int], gap: int) -> None:
    """An unchanging difference of counters that move, whatever it is."""
    assert mirror(first, [value + gap for value in first])


@given(values, st.integers(0, 6), st.integers(1, 10**6))
def test_one_update_between_two_reads_hides_no_mirror(
    first: list[int], where: int, step: int
) -> None:
    """An update may fall between the reads of one look."""
    second = [value + step * (at == where) for at, value in enumerate(first)]
    assert mirror(first, second)


@given(st.lists(st.integers(1, 10**6), min_size=7, max_size=7, unique=True))
def test_counters_that_drift_apart_are_no_mirrors(steps: list[int]) -> None:
    """Two dies whose steps differ each time both count."""
    first = [10**9 + 1000 * at for at in range(7)]
    second = [value + sum(steps[: at + 1]) for at, value in enumerate(first)]
    assert not mirror(first, second)


def test_counters_at_rest_with_different_values_are_kept() -> None:
    """Nothing shows that they are one; equal values do."""
    assert not mirror([5] * 7, [6] * 7)
    assert mirror([5] * 7, [5] * 7)
    assert not mirror([None] * 7, [5] * 7)
