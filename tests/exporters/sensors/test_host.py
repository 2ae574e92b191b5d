"""The host's own metrics, on a fake tree and on this machine."""

import logging
import shutil
from pathlib import Path

import psutil
import pytest

from wattmark_core.catalogue import MEASUREMENTS
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_exporters.readings import LeftOut, Values
from wattmark_exporters.sensors.files import CHECKED_EVERY
from wattmark_exporters.sensors.host import Host

MACHINE = Path(__file__).parents[1] / "cases/xeon-e5-2680v4-two-sockets"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A copy of a server's tree that the test may change."""
    return Path(shutil.copytree(MACHINE, tmp_path / "machine", symlinks=True))


def host_of(machine: Path) -> Host:
    """A started sensor of the tree."""
    sensor = Host(machine / "proc", machine / "sys")
    sensor.start()
    return sensor


def read(sensor: Host) -> dict[str, dict[str, float | int]]:
    """One read: fields by measurement and tag; nothing is left out."""
    found, left_out = read_all(sensor)
    assert left_out == {}
    return found


def read_all(sensor: Host) -> tuple[dict[str, dict[str, float | int]], dict[str, str]]:
    """One read: fields by measurement and tag, and what was left out, with the reason."""
    found, left_out = {}, {}
    for reading in sensor.read():
        if isinstance(reading, LeftOut):
            left_out[reading.part] = reading.reason
        else:
            assert isinstance(reading, Values)
            found[" ".join([reading.measurement, *reading.tags.values()])] = dict(reading.fields)
    return found, left_out


def test_cpu_time_is_given_per_mode_without_guests(machine: Path) -> None:
    """Jiffies become seconds; guests leave user and nice; busy is the sum of the work."""
    sensor = host_of(machine)
    assert read(sensor)["cpu"] == {
        "user_seconds": 9.4, "nice_seconds": 0.16, "system_seconds": 3.0, "idle_seconds": 4000.0,
        "iowait_seconds": 1.5, "irq_seconds": 0.05, "softirq_seconds": 0.25,
        "steal_seconds": 0.07, "guest_seconds": 0.64, "busy_seconds": 12.86, "cpus": 56,
    }  # fmt: skip
    sensor.close()


def test_utilization_is_the_busy_share_since_the_read_before(machine: Path) -> None:
    """30 of 100 jiffies are 0.3; fewer than 10 give no ratio (alumet-dev/alumet#387)."""
    sensor = host_of(machine)
    stat = machine / "proc/stat"
    assert "utilization_ratio" not in read(sensor)["cpu"]
    stat.write_text("cpu  1020 20 310 400060 160 5 25 7 60 4\ncpu0 0 0 0 0 0 0 0 0 0 0\n")
    assert read(sensor)["cpu"]["utilization_ratio"] == pytest.approx(0.3)
    stat.write_text("cpu  1025 20 310 400064 160 5 25 7 60 4\ncpu0 0 0 0 0 0 0 0 0 0 0\n")
    assert "utilization_ratio" not in read(sensor)["cpu"]
    sensor.close()


def test_memory_is_in_bytes(machine: Path) -> None:
    """Used is total less available."""
    sensor = host_of(machine)
    assert read(sensor)["memory"] == {
        "total_bytes": 131072000 * 1024.0, "available_bytes": 120000000 * 1024.0,
        "used_bytes": 11072000 * 1024.0,
    }  # fmt: skip
    sensor.close()


def test_only_whole_disks_with_hardware_are_counted(machine: Path) -> None:
    """No partition, loop, device mapper or RAM disk: their bytes are the disks' once more."""
    sensor = host_of(machine)
    values = read(sensor)
    assert {name for name in values if name.startswith("disk")} == {"disk sda", "disk nvme0n1"}
    assert values["disk nvme0n1"] == {"read_bytes": 2048 * 512.0, "written_bytes": 4096 * 512.0}
    sensor.close()


def test_the_network_is_the_hosts_own(machine: Path) -> None:
    """PROC/1/net/dev, not the container's PROC/net/dev; containers' ends are passed over."""
    sensor = host_of(machine)
    values = read(sensor)
    assert {name for name in values if name.startswith("network")} == {"network lo", "network eno1"}
    assert values["network eno1"] == {"received_bytes": 1234567890.0, "sent_bytes": 987654321.0}
    sensor.close()


def test_the_containers_network_is_used_with_a_reason(
    machine: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where process 1 is hidden the numbers are the container's, and the log says so once."""
    shutil.rmtree(machine / "proc/1")
    with caplog.at_level(logging.WARNING):
        sensor = host_of(machine)
    assert "the exporter's own container" in caplog.text
    assert "network eth0" in read(sensor)
    sensor.close()


def test_what_is_missing_is_left_out(machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sandbox without diskstats and with half a meminfo still gives CPU, network and the memory
    that there is; a file that comes later is read after the next look."""
    diskstats = (machine / "proc/diskstats").read_bytes()
    (machine / "proc/diskstats").unlink()
    (machine / "proc/meminfo").write_text("MemTotal:   5 kB\n")
    with caplog.at_level(logging.WARNING):
        sensor = host_of(machine)
    assert "diskstats cannot be read" in caplog.text
    assert sensor.note() == f"cannot be read: {machine / 'proc/diskstats'}"
    values, left_out = read_all(sensor)
    assert set(values) == {"cpu", "memory", "network lo", "network eno1"}
    assert values["memory"] == {"total_bytes": 5 * 1024.0}
    assert left_out == {f"MemAvailable of {machine / 'proc/meminfo'}": "there is no such line"}
    (machine / "proc/diskstats").write_bytes(diskstats)
    sensor.rescan()
    assert "disk sda" in read_all(sensor)[0]
    assert sensor.note() == ""
    sensor.close()


def test_without_proc_stat_it_is_absent(tmp_path: Path) -> None:
    """Absent with the option to use."""
    with pytest.raises(SensorAbsent, match="--procfs"):
        Host(tmp_path, tmp_path).start()


def test_a_garbled_proc_stat_gives_no_cpu_time(machine: Path) -> None:
    """Never a number made of rubbish, and nothing else with it; only without any file the sensor
    has failed."""
    sensor = host_of(machine)
    before = read(sensor)
    (machine / "proc/stat").write_text("cpu  1 2 3\n")
    after, left_out = read_all(sensor)
    assert after == {name: fields for name, fields in before.items() if name != "cpu"}
    reason = "its line of all CPUs' times is 'cpu  1 2 3'"
    assert left_out == {f"CPU times of {machine / 'proc/stat'}": reason}
    (machine / "proc/stat").unlink()
    for _ in range(CHECKED_EVERY):
        sensor.read()
    after, left_out = read_all(sensor)
    assert set(after) == set(before) - {"cpu"}
    assert left_out == {str(machine / "proc/stat"): "No such file or directory"}
    shutil.rmtree(machine / "proc")
    sensor.rescan()
    with pytest.raises(SensorFailed, match="No such file"):
        [sensor.read() for _ in range(CHECKED_EVERY + 1)]
    sensor.close()


def test_every_field_is_in_the_catalogue(machine: Path) -> None:
    """Measurement, tags, name and type are those of the catalogue."""
    sensor = host_of(machine)
    for reading in sensor.read():
        assert isinstance(reading, Values)
        metrics = {metric.field: metric for metric in MEASUREMENTS[reading.measurement]}
        for name, value in reading.fields.items():
            assert isinstance(value, int) == metrics[name].integer
            assert set(reading.tags) == set(metrics[name].tags)
    sensor.close()


def test_it_agrees_with_psutil_on_this_machine() -> None:
    """Two independent readers of the same kernel, moments apart."""
    sensor = Host(Path("/proc"), Path("/sys"))
    sensor.start()
    values = read(sensor)
    times = psutil.cpu_times()
    assert values["cpu"]["user_seconds"] + values["cpu"]["guest_seconds"] == pytest.approx(
        times.user + getattr(times, "guest_nice", 0.0), abs=10
    )
    assert values["cpu"]["cpus"] == psutil.cpu_count()
    assert values["memory"]["total_bytes"] == psutil.virtual_memory().total
    sensor.close()
