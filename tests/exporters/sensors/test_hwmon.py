"""Sockets that hwmon alone measures: trees of real machines, and what may be wrong with them."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damage import Damage, damaged
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.testing import FakeClock
from wattmark_exporters.readings import Counter, LeftOut, Lost, Power
from wattmark_exporters.sensors.hwmon import Hwmon

GRACE_HOPPER = {
    "Module Power Socket 0": 412.5, "Grace Power Socket 0": 121.0, "CPU Power Socket 0": 74.2,
    "SysIO Power Socket 0": 21.5,
}  # fmt: skip
"""A GH200: one module, watts."""


def add_chip(root: Path, number: int, name: str, files: dict[str, str | bytes]) -> Path:
    """A chip of hwmon; ``power_meter`` has its files in its device's folder."""
    folder = root / f"sys/class/hwmon/hwmon{number}"
    place = folder / "device" if name == "power_meter" else folder
    place.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    for file, text in files.items():
        (place / file).write_bytes(text if isinstance(text, bytes) else f"{text}\n".encode())
    return place


def add_rail(root: Path, number: int, label: str, watts: float) -> Path:
    """A meter of Grace."""
    return add_chip(root, number, "power_meter", {
        "power1_average": f"{watts * 1e6:.0f}", "power1_oem_info": label,
        "power1_average_interval": "50", "power1_average_min": "unknown",
    })  # fmt: skip


def add_epyc(root: Path, sockets: dict[str, int], number: int = 0) -> Path:
    """An EPYC with amd_energy: two cores, and sockets with their µJ."""
    files: dict[str, str | bytes] = {}
    for at, (label, microjoules) in enumerate({"Ecore000": 5, "Ecore001": 6, **sockets}.items(), 1):
        files |= {f"energy{at}_label": label, f"energy{at}_input": str(microjoules)}
    return add_chip(root, number, "amd_energy", files)


def started(root: Path) -> Hwmon:
    """The sensor of the tree."""
    sensor = Hwmon(root / "sys", root / "proc", FakeClock())
    sensor.start()
    return sensor


def values(sensor: Hwmon) -> dict[str, float]:
    """One read, by domain and device."""
    return {
        f"{r.domain} {r.device}": r.joules if isinstance(r, Counter) else r.watts
        for r in sensor.read() if isinstance(r, Counter | Power)
    }  # fmt: skip


def test_grace_hopper(tmp_path: Path) -> None:
    """Power of the socket and its rails, and of the module that contains it, integrated."""
    add_chip(tmp_path, 0, "nvme", {"temp1_input": "40000"})
    for number, (label, watts) in enumerate(GRACE_HOPPER.items(), 1):
        add_rail(tmp_path, number, label, watts)
    sensor = started(tmp_path)
    assert values(sensor) == {
        "psys module0": 412.5, "package socket0": 121.0, "core socket0": 74.2,
        "uncore socket0": 21.5,
    }  # fmt: skip
    assert sensor.note() == ""
    assert sensor.interval_seconds == 0.05
    for reading in sensor.read():
        assert isinstance(reading, Power)
        assert reading.integrate
        assert reading.traits.update_period_seconds == reading.traits.averaging_seconds == 0.05
        assert "Power Socket 0, " in reading.traits.note
    sensor.close()


def test_two_grace_sockets_with_their_cores_alone(tmp_path: Path) -> None:
    """Early firmware of Grace has no meter of the socket: its cores' rail stands for it, and says
    so; the files may lie in the chip's own folder."""
    for socket in (0, 1):
        place = add_rail(tmp_path, socket, f"CPU Power Socket {socket}", 100.0 + socket)
        for file in place.iterdir():
            file.rename(place.parent / file.name)
    sensor = started(tmp_path)
    assert values(sensor) == {"package socket0": 100.0, "package socket1": 101.0}
    for reading in sensor.read():
        assert isinstance(reading, Power)
        assert "the rail of the cores only" in reading.traits.note
    sensor.close()


def test_epyc_with_amd_energy(tmp_path: Path) -> None:
    """The sockets' counters, without wrap, as the driver adds up 64 bits; cores are in them."""
    add_epyc(tmp_path, {"Esocket0": 7_000_000, "Esocket1": 9_000_000})
    sensor = started(tmp_path)
    assert values(sensor) == {"package socket0": 7.0, "package socket1": 9.0}
    for reading in sensor.read():
        assert isinstance(reading, Counter)
        assert (reading.method, reading.traits.wrap_joules) == (Method.COUNTER, None)
    assert sensor.interval_seconds == 0.1
    assert sensor.note() == ""
    sensor.close()


def test_a_socket_of_several_nodes_counts_once(tmp_path: Path) -> None:
    """The driver has a counter per NUMA node: with NPS4 four of them show one socket's."""
    add_epyc(tmp_path, {f"Esocket{i}": 7_000_000 for i in range(4)})
    sensor = started(tmp_path)
    assert values(sensor) == {"package socket0": 7.0}
    sensor.close()


def test_meters_that_are_no_sockets_are_told(tmp_path: Path) -> None:
    """The power meter of a server's management controller says nothing of what it measures."""
    add_chip(tmp_path, 0, "power_meter", {"power1_average": "250000000"})
    with pytest.raises(SensorAbsent, match="0 of 1 meters") as caught:
        started(tmp_path)
    assert caught.value.found
    assert "hwmon0" not in caught.value.remedy
    add_rail(tmp_path, 1, "Grace Power Socket 0", 80)
    add_rail(tmp_path, 2, "Gra\u202ece Power", 80)
    sensor = started(tmp_path)
    assert values(sensor) == {"package socket0": 80}
    assert sensor.note().startswith("1 of 3 meters: ")
    assert "'Gra\\u202ece Power'" in sensor.note()
    assert len([r for r in sensor.read() if isinstance(r, LeftOut)]) == 2
    sensor.close()


def test_absence_has_a_remedy_for_each_machine(tmp_path: Path) -> None:
    """What to load on Grace and on EPYC."""
    with pytest.raises(SensorAbsent) as caught:
        started(tmp_path)
    assert not caught.value.found
    assert "acpi_power_meter" in caught.value.remedy
    assert "amd_energy" in caught.value.remedy


def test_of_two_meters_with_one_name_neither_is_believed(tmp_path: Path) -> None:
    """Which is which cannot be known."""
    for number in (0, 1):
        add_rail(tmp_path, number, "Grace Power Socket 0", 80 + number)
    add_rail(tmp_path, 2, "Grace Power Socket 1", 90)
    sensor = started(tmp_path)
    assert values(sensor) == {"package socket1": 90}
    assert [r.part for r in sensor.read() if isinstance(r, LeftOut)] == [
        "hwmon0/power1_average", "hwmon1/power1_average",
    ]  # fmt: skip
    sensor.close()


def test_meters_that_come_later_are_found(tmp_path: Path) -> None:
    """Under other numbers, too: hwmon counts its chips as they come."""
    first = add_rail(tmp_path, 3, "Grace Power Socket 0", 80)
    sensor = started(tmp_path)
    add_rail(tmp_path, 1, "Grace Power Socket 1", 90)
    assert values(sensor) == {"package socket0": 80}
    sensor.rescan()
    assert values(sensor) == {"package socket0": 80, "package socket1": 90}
    first.parent.rename(tmp_path / "sys/class/hwmon/hwmon7")
    sensor.rescan()
    assert values(sensor) == {"package socket0": 80, "package socket1": 90}
    shutil.rmtree(tmp_path / "sys")
    [sensor.read() for _ in range(9)]
    sensor.rescan()
    with pytest.raises(SensorFailed, match="No such file"):
        [sensor.read() for _ in range(12)]
    sensor.close()


def test_one_meter_that_fails_is_lost_alone(tmp_path: Path) -> None:
    """A bad value is left out; many, or a file that is gone, are a loss."""
    first = add_rail(tmp_path, 0, "Grace Power Socket 0", 80)
    add_rail(tmp_path, 1, "Grace Power Socket 1", 90)
    sensor = started(tmp_path)
    (first / "power1_average").write_text("-5\n")
    for _ in range(49):
        assert [type(reading) for reading in sensor.read()] == [Power]
    lost = [r for r in sensor.read() if isinstance(r, Lost)]
    assert [(r.domain, r.device) for r in lost] == [(Domain.PACKAGE, "socket0")]
    assert lost[0].reason.endswith("power1_average: it reads '-5'")
    sensor.close()


@settings(max_examples=200, deadline=None)
@given(
    label=st.sampled_from(list(GRACE_HOPPER)),
    file=st.sampled_from(["power1_average", "power1_oem_info", "power1_average_interval"]),
    early=st.booleans(), data=st.data(),
)  # fmt: skip
def test_damage_to_one_meter_changes_no_other(
    tmp_path_factory: pytest.TempPathFactory, label: str, file: str, early: bool,
    data: st.DataObject,
) -> None:  # fmt: skip
    """Whatever stands in one of its files, at the start or later."""
    root = tmp_path_factory.getbasetemp() / "grace"
    if not root.exists():
        for number, (name, watts) in enumerate(GRACE_HOPPER.items()):
            add_rail(root, number, name, watts)
    path = root / f"sys/class/hwmon/hwmon{list(GRACE_HOPPER).index(label)}/device/{file}"
    text = path.read_bytes()
    damage: Damage = data.draw(damaged(text))
    sensor = Hwmon(root / "sys", root / "proc", FakeClock())
    try:
        if early:
            path.write_bytes(damage.text)
        sensor.start()
        path.write_bytes(damage.text)
        sensor.rescan()
        after = values(sensor)
    finally:
        path.write_bytes(text)
        sensor.close()
    devices = ("psys module0", "package socket0", "core socket0", "uncore socket0")
    for device, (name, watts) in zip(devices, GRACE_HOPPER.items(), strict=True):
        assert name == label or after.get(device) == watts
