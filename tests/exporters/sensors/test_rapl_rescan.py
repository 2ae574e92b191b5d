"""RAPL zones that come, go, change places, or are damaged while the exporter runs."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damage import Damage, damaged
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter, LeftOut, Lost
from wattmark_exporters.sensors.files import CHECKED_EVERY
from wattmark_exporters.sensors.rapl.sensor import Rapl

PACKAGE_0, DRAM_0, PACKAGE_1 = ("intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1")


def add_zone(sysfs: Path, key: str, name: str, joules: float) -> Path:
    """A zone in the class folder; its limit and range are those of a server."""
    folder = sysfs / "class/powercap" / key
    folder.mkdir(parents=True)
    for file, text in {
        "name": name, "energy_uj": f"{joules * 1e6:.0f}", "max_energy_range_uj": "262143328850",
        "enabled": "1", "constraint_0_max_power_uw": "120000000",
    }.items():  # fmt: skip
        (folder / file).write_text(f"{text}\n")
    return folder


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """Two sockets, of which one has DRAM."""
    add_zone(tmp_path, PACKAGE_0, "package-0", 10)
    add_zone(tmp_path, DRAM_0, "dram", 20)
    add_zone(tmp_path, PACKAGE_1, "package-1", 30)
    return tmp_path


def started(sysfs: Path) -> Rapl:
    """The sensor of the tree."""
    sensor = Rapl(sysfs, clock=FakeClock())
    sensor.start()
    return sensor


def joules(sensor: Rapl) -> dict[str, float]:
    """One read, by domain and device."""
    return {f"{r.domain} {r.device}": r.joules for r in sensor.read() if isinstance(r, Counter)}


def lost(sensor: Rapl) -> set[str]:
    """Devices that a read reports as lost."""
    return {f"{r.domain} {r.device}" for r in sensor.read() if isinstance(r, Lost)}


ALL = {"package socket0": 10, "dram socket0": 20, "package socket1": 30}


def test_a_zone_that_comes_later_is_found(sysfs: Path) -> None:
    """At the next look, and those that were there go on with the files that are open."""
    shutil.move(sysfs / "class/powercap" / PACKAGE_1, sysfs / "elsewhere")
    sensor = started(sysfs)
    taken = sensor.take()
    assert joules(sensor) == {"package socket0": 10, "dram socket0": 20}
    shutil.move(sysfs / "elsewhere", sysfs / "class/powercap" / PACKAGE_1)
    assert "package socket1" not in joules(sensor)
    sensor.rescan()
    assert joules(sensor) == ALL
    assert len(list(sensor.readings(taken))) == 2, "what was taken before still has its zones"
    sensor.close()


@pytest.mark.parametrize("way", ["rewritten", "moved", "made anew"])
def test_zones_that_change_places_keep_their_names(sysfs: Path, way: str) -> None:
    """Keys are given out anew when a driver is loaded again: no counter jumps to another device,
    neither before the next look nor after it."""
    sensor = started(sysfs)
    assert joules(sensor) == ALL
    zones = sysfs / "class/powercap"
    if way == "rewritten":
        for file in ("name", "energy_uj"):
            one, other = ((zones / key / file) for key in (PACKAGE_0, PACKAGE_1))
            texts = one.read_text(), other.read_text()
            other.write_text(texts[0])
            one.write_text(texts[1])
    elif way == "moved":
        for source, target in ((PACKAGE_0, "x"), (PACKAGE_1, PACKAGE_0), ("x", PACKAGE_1)):
            (zones / source).rename(zones / target)
        (zones / DRAM_0).rename(zones / "intel-rapl:1:0")
    else:
        shutil.rmtree(zones)
        add_zone(sysfs, PACKAGE_1, "package-0", 10)
        add_zone(sysfs, "intel-rapl:1:0", "dram", 20)
        add_zone(sysfs, PACKAGE_0, "package-1", 30)
    if way == "made anew":
        with pytest.raises(SensorFailed, match="No such device"):
            [sensor.read() for _ in range(CHECKED_EVERY + 1)]
    else:
        [sensor.read() for _ in range(CHECKED_EVERY)]
        for _ in range(30):
            assert joules(sensor).items() <= ALL.items()
    if way == "rewritten":  # while what was moved goes on with its folder
        assert lost(sensor) == {"package socket0", "package socket1"}
    sensor.rescan()
    expected = dict(ALL)
    if way == "rewritten":  # the DRAM now lies below package 1
        expected["dram socket1"] = expected.pop("dram socket0")
    assert joules(sensor) == expected
    assert lost(sensor) == set(ALL) - set(expected)
    sensor.close()


def test_a_driver_that_is_loaded_again_goes_on_under_the_same_names(sysfs: Path) -> None:
    """New files at the same places; without any zone the sensor stays what it was."""
    sensor = started(sysfs)
    kept = sysfs / "kept"
    (sysfs / "class/powercap").rename(kept)
    shutil.copytree(kept, sysfs / "copy")
    shutil.rmtree(kept)
    sensor.rescan()
    (sysfs / "copy").rename(sysfs / "class/powercap")
    sensor.rescan()
    assert joules(sensor) == ALL
    assert sensor.note() == ""
    sensor.close()


def test_zones_that_are_not_counted_are_told(sysfs: Path) -> None:
    """N of M, with the reason of each; a zone of an unknown name is left out in each read."""
    zones = sysfs / "class/powercap"
    (zones / PACKAGE_1 / "energy_uj").unlink()
    (zones / DRAM_0 / "enabled").write_text("0\n")
    (zones / PACKAGE_0 / "enabled").write_text("1\n")
    add_zone(sysfs, "intel-rapl:2", "pack\u202eage-2", 40)
    sensor = started(sysfs)
    assert sensor.note() == (
        "1 of 4 zones: not readable: package of socket1 (intel-rapl:1); disabled, and standing"
        " still: dram of socket0 (intel-rapl:0:0); not known: zone intel-rapl:2"
    )
    (left_out,) = (r for r in sensor.read() if isinstance(r, LeftOut))
    assert left_out.part == "zone intel-rapl:2"
    assert "'pack\\u202eage-2'" in left_out.reason
    (zones / PACKAGE_1 / "energy_uj").write_text("5000000\n")
    (zones / DRAM_0 / "enabled").write_text("1\n")
    (zones / "intel-rapl:2/name").write_text("psys\n")
    sensor.rescan()
    assert sensor.note() == ""
    assert joules(sensor) == {**ALL, "package socket1": 5, "psys platform": 40}
    sensor.close()


def test_two_dies_where_there_was_one_get_names_of_their_own(tmp_path: Path) -> None:
    """The device that stood for the socket ends by name."""
    add_zone(tmp_path, PACKAGE_0, "package-0-die-0", 10)
    sensor = started(tmp_path)
    assert joules(sensor) == {"package socket0": 10}
    add_zone(tmp_path, PACKAGE_1, "package-0-die-1", 20)
    sensor.rescan()
    assert joules(sensor) == {"package socket0-die0": 10, "package socket0-die1": 20}
    assert lost(sensor) == {"package socket0"}
    sensor.close()


FILES = ("name", "energy_uj", "max_energy_range_uj", "enabled", "constraint_0_max_power_uw")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree whose files the test damages and puts right again."""
    root = tmp_path_factory.mktemp("machine")
    for key, name, energy in (
        (PACKAGE_0, "package-0", 10), (DRAM_0, "dram", 20), (PACKAGE_1, "package-1", 30)
    ):  # fmt: skip
        add_zone(root, key, name, energy)
    return root


@settings(max_examples=300, deadline=None)
@given(
    key=st.sampled_from([PACKAGE_0, DRAM_0, PACKAGE_1]), file=st.sampled_from(FILES),
    early=st.booleans(), data=st.data(),
)  # fmt: skip
def test_damage_to_one_zone_changes_no_other(
    scratch: Path, key: str, file: str, early: bool, data: st.DataObject
) -> None:
    """Whatever stands in one of its files, at the start or later: the others are what they were."""
    path = scratch / "class/powercap" / key / file
    text = path.read_bytes()
    damage: Damage = data.draw(damaged(text))
    owner = {PACKAGE_0: "package socket0", DRAM_0: "dram socket0", PACKAGE_1: "package socket1"}
    others = {device: value for device, value in ALL.items() if device != owner[key]}
    if file == "name" and key == PACKAGE_0:
        del others["dram socket0"]  # which socket it belongs to stands in its package's name
    sensor = Rapl(scratch, clock=FakeClock())
    try:
        if early:
            path.write_bytes(damage.text)
        sensor.start()
        path.write_bytes(damage.text)
        sensor.rescan()
        found = [r for r in sensor.read() if isinstance(r, Counter)]
        values = {f"{r.domain} {r.device}": r for r in found}
        for device, value in others.items():
            assert values[device].joules == value
            assert values[device].traits.wrap_joules == pytest.approx(262_143.32885)
            limit_watts = values[device].traits.limit_watts
            assert limit_watts == 300 or (key, device) == (PACKAGE_0, "core socket0")
    finally:
        path.write_bytes(text)
        sensor.close()


def test_without_any_zone_there_is_nothing_to_look_at_again(tmp_path: Path) -> None:
    """Starting it again is the exporter's work; a look finds nothing and raises nothing."""
    sensor = Rapl(tmp_path, clock=FakeClock())
    with pytest.raises(SensorAbsent):
        sensor.start()
    sensor.rescan()
    add_zone(tmp_path, PACKAGE_0, "package-0", 10)
    sensor.start()
    assert joules(sensor) == {"package socket0": 10}
    sensor.close()
