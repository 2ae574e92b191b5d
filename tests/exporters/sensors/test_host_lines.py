"""Odd lines of PROC: each is read or left out by name, and nothing else changes with it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damage import Damage, damaged
from wattmark_exporters.readings import LeftOut, Values
from wattmark_exporters.sensors.host import Host
from wattmark_exporters.sensors.proc_lists import Traffic, disks, memory, networks
from wattmark_exporters.sensors.proc_stat import BACK_SECONDS, USER_HZ, cpu_times, visible_cpus

MACHINE = Path(__file__).parents[1] / "cases/xeon-e5-2680v4-two-sockets"
REST = b" 9 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n"
"""After an interface's bytes received: 7 bytes sent are among it."""
MEMINFO = b"""\
MemTotal:       32636652 kB
MemFree:         1204632 kB
MemAvailable:   26512336 kB
Buffers:          513740 kB
Cached:         24121708 kB
SwapCached:         1024 kB
SReclaimable:     912344 kB
DirectMap4k:      489020 kB
"""


def net(*lines: bytes) -> bytes:
    """PROC/net/dev with these lines."""
    return b"Inter-|   Receive\n face |bytes    packets\n" + b"".join(lines)


def whole(device: bytes) -> str:
    """The test's disks: all but partitions."""
    name = device.decode("latin-1")
    return "" if name[-1:].isdigit() and name.startswith("sd") else name


@pytest.mark.parametrize(
    ("line", "interface", "received"),
    [
        (b"    lo: 3193" + REST, "lo", 3193),
        (b"eth0:4046496815" + REST, "eth0", 4046496815),
        (b"eth\xe9: 5" + REST, "eth\\xe9", 5),
        ("wlan日: 5".encode() + REST, "wlan日", 5),
        (b"eth\x1b0: 18446744073709551615" + REST, "eth\\x1b0", 2**64 - 1),
    ],
)
def test_an_interface_is_read_whatever_its_name(line: bytes, interface: str, received: int) -> None:
    """Glued numbers, bytes that are not UTF-8, and escape sequences are in real files."""
    assert list(networks(net(line), "net/dev")) == [Traffic(interface, received, 7)]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (b"bond0:1: 0" + REST, "interface bond0:1 of net/dev"),
        (b"venet0:0:4046496815" + REST, "interface venet0:0 of net/dev"),
        (b"eth1: No statistics available\n", "interface eth1 of net/dev"),
        (b"eth1: -5" + REST, "interface eth1 of net/dev"),
        (b"eth1: 1_0" + REST, "interface eth1 of net/dev"),
        (b"eth1: 18446744073709551616" + REST, "interface eth1 of net/dev"),
        ("eth1: \u0663".encode() + REST, "interface eth1 of net/dev"),
        (b"eth1: 1 2 3\n", "interface eth1 of net/dev"),
        (b"eth1:\n", "interface eth1 of net/dev"),
        (b"eth 1: 5" + REST, "line 4 of net/dev"),
        (b": 5" + REST, "line 4 of net/dev"),
        (b"\xff\xfe\n", "line 4 of net/dev"),
        (b"eth1: 5" + REST.replace(b"9 0", b"90"), "interface eth1 of net/dev"),
    ],
)
def test_a_line_of_the_network_is_left_out_by_name(line: bytes, part: str) -> None:
    """An alias has no bytes of its own; the rest is no number. The other interfaces stay."""
    text = net(b"    lo: 1" + REST, line, b"  eno1: 2" + REST)
    left_out, *more = (one for one in networks(text, "net/dev") if isinstance(one, LeftOut))
    assert (left_out.part, more) == (part, [])
    assert left_out.reason
    found = [one for one in networks(text, "net/dev") if isinstance(one, Traffic)]
    assert found == [Traffic("lo", 1, 7), Traffic("eno1", 2, 7)]


def test_of_two_lines_with_one_name_neither_is_believed() -> None:
    """Which is which cannot be known."""
    text = net(b"lo: 1" + REST, b"lo: 2" + REST, b"eno1: 3" + REST)
    assert list(networks(text, "net/dev")) == [
        *[LeftOut("interface lo of net/dev", "two lines have this name")] * 2,
        Traffic("eno1", 3, 7),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"8 16 sdb 1 ? 3 4 5 6 7 8 9 10 11\n".replace(b" 3 4", b" ? 4"), b"8 16 sdb 1 2\n",
        b"8 16 sdb 1 2 -3 4 5 6 7 8 9 10 11\n", b"8 16 sdb 1 2 3 4 5 6 x 8 9 10 11\n",
        b"8 16 sdb 1 2 36028797018963968 4 5 6 7 8 9 10 11\n",
    ],
)  # fmt: skip
def test_a_disk_without_numbers_is_left_out_by_name(line: bytes) -> None:
    """A question mark, a short line, a sign, more bytes than there can be."""
    text = b"8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n" + line + b"?\n"
    assert [one if isinstance(one, Traffic) else one.part for one in disks(text, "d", whole)] == [
        Traffic("sda", 3 * 512, 7 * 512), "disk sdb of d", "line 3 of d",
    ]  # fmt: skip


def test_disks_with_a_slash_in_their_names_are_found(tmp_path: Path) -> None:
    """``cciss/c0d0`` is ``/sys/block/cciss!c0d0`` (drivers/base/core.c); its partitions have no
    device of their own there."""
    for name in ("cciss!c0d0/device", "cciss!c0d0/cciss!c0d0p1", "rsxx0/device"):
        (tmp_path / "sys/block" / name).mkdir(parents=True)
    (tmp_path / "proc/1/net").mkdir(parents=True)
    (tmp_path / "proc/stat").write_text("cpu 1 2 3 4 5 6 7 8 9 10\n")
    (tmp_path / "proc/diskstats").write_text("".join(
        f" 104 0 {name} 1 2 30 4 5 6 70 8 9 10 11\n"
        for name in ("cciss/c0d0", "cciss/c0d0p1", "rsxx0", "../block/rsxx0", "/", "..")
    ))  # fmt: skip
    sensor = Host(tmp_path / "proc", tmp_path / "sys")
    sensor.start()
    found = [r.tags["device"] for r in sensor.read() if isinstance(r, Values) and r.tags]
    assert found == ["cciss/c0d0", "rsxx0"]
    (tmp_path / "sys/block/cciss!c0d1/device").mkdir(parents=True)
    sensor.close()


def test_a_path_to_a_shared_disk_counts_where_its_head_does_not() -> None:
    """NVMe multipath: either the paths count or, since Linux 6.4, head and paths."""

    def named(head: int) -> list[str]:
        text = "".join(
            f"259 0 {name} 1 2 {sectors} 4 5 6 {sectors} 8 9 10 11\n"
            for name, sectors in (("nvme0n1", head), ("nvme0c0n1", 5), ("nvme0c1n1", 6))
        )
        return [one.name for one in disks(text.encode(), "d", whole) if isinstance(one, Traffic)]

    assert named(0) == ["nvme0n1", "nvme0c0n1", "nvme0c1n1"]
    assert named(11) == ["nvme0n1"]


@pytest.mark.parametrize(
    ("old", "new", "part", "fields"),
    [
        (b"32636652", b"unlimited", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
        (b"32636652", b"0", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
        (b"32636652 kB", b"0x10 kB", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
        (b"32636652", b"9007199254740988", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
        # a digit was lost: free memory alone is more than that
        (b"32636652", b"326366", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
        (b"26512336", b"9223372036854771712", "MemAvailable", {"total_bytes": 32636652 * 1024.0}),
        (b"26512336", b"32636653", "MemAvailable", {"total_bytes": 32636652 * 1024.0}),
        (b"26512336", b"-1", "MemAvailable", {"total_bytes": 32636652 * 1024.0}),
        (b"MemAvailable", b"MemOther", "MemAvailable", {"total_bytes": 32636652 * 1024.0}),
        (b"26512336 kB", b"26512336 MB", "MemAvailable", {"total_bytes": 32636652 * 1024.0}),
        (b"SwapCached:", b"MemTotal:", "MemTotal", {"available_bytes": 26512336 * 1024.0}),
    ],
)  # fmt: skip
def test_memory_that_cannot_be_is_left_out_by_name(
    old: bytes, new: bytes, part: str, fields: dict[str, float]
) -> None:
    """Never below zero, never "unlimited", never more than there is; the other value stays."""
    found = list(memory(MEMINFO.replace(old, new), "meminfo"))
    assert [one.part for one in found if isinstance(one, LeftOut)] == [f"{part} of meminfo"]
    assert dict(one for one in found if not isinstance(one, LeftOut)) == fields


def test_a_total_that_was_another_before_is_the_one_that_is_wrong() -> None:
    """Where available memory is more than it, and what is free does not tell."""
    less = MEMINFO.replace(b"32636652", b"20000000")
    known = list(memory(less, "meminfo", 32636652 * 1024.0))
    assert known[1:] == [("available_bytes", 26512336 * 1024.0)]
    assert ("total_bytes", 20000000 * 1024.0) in memory(less, "meminfo", 20000000 * 1024.0)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"cpu ", b"cpu  1 2 3 4 5 6 7 x 9 10", b"cpu  -1 2 3 4 5 6 7 8 9 10",
        b"cpu  1 2 3 4 5 6 7 18446744073709551616 9 10",
        # idle time went below zero
        b"cpu  1 2 3 18446744073709551615 5 6 7 8 9 10",
    ],
)  # fmt: skip
def test_the_line_of_cpu_times_is_read_or_refused(line: bytes) -> None:
    """Wherever it stands; the CPUs are counted all the same."""
    text = b"intr 5\n" + line + b"\ncpu0 1 2\ncpu1 1 2\n"
    with pytest.raises(ValueError, match="all CPUs' times"):
        cpu_times(text)
    assert visible_cpus(text) == 2


def test_guests_ahead_of_user_leave_no_time_below_zero() -> None:
    """The kernel adds the two up one after the other."""
    times = cpu_times(b"cpu  100 5 0 0 0 0 0 0 101 6\n")
    assert (times.user, times.nice, times.guest) == (0, 0, 107)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A copy of a server's tree that the test may change."""
    return Path(shutil.copytree(MACHINE, tmp_path / "machine", symlinks=True))


def started(machine: Path) -> Host:
    """The sensor of the tree."""
    sensor = Host(machine / "proc", machine / "sys")
    sensor.start()
    return sensor


def fields(sensor: Host) -> dict[str, Any]:
    """All values of one read."""
    return {
        " ".join([one.measurement, *one.tags.values(), name]): value
        for one in sensor.read() if isinstance(one, Values)
        for name, value in one.fields.items() if name != "utilization_ratio"
    }  # fmt: skip


def test_no_time_goes_back_by_a_little(machine: Path) -> None:
    """User time less guests falls by a jiffy on hosts of KVM; a large fall is a new beginning."""
    sensor, stat = started(machine), machine / "proc/stat"
    before = fields(sensor)
    stat.write_text("cpu  999 20 300 399900 150 5 25 7 61 4\ncpu0 1\n")
    after = fields(sensor)
    assert after["cpu user_seconds"] == before["cpu user_seconds"]
    assert after["cpu idle_seconds"] == before["cpu idle_seconds"]
    assert after["cpu busy_seconds"] == before["cpu busy_seconds"]
    assert after["cpu guest_seconds"] == before["cpu guest_seconds"] + 1 / USER_HZ
    stat.write_text("cpu  1010 20 300 5 150 5 25 7 61 4\ncpu0 1\n")
    assert fields(sensor)["cpu idle_seconds"] == 5 / USER_HZ
    assert before["cpu idle_seconds"] > BACK_SECONDS
    sensor.close()


def test_no_traffic_goes_back_by_a_little(machine: Path) -> None:
    """Drivers sum up late; a large fall is a counter that began again."""
    sensor, dev = started(machine), machine / "proc/1/net/dev"
    name, text = "network eno1 received_bytes", dev.read_text()
    assert fields(sensor)[name] == 1234567890
    for shown, value in ((1234567000, 1234567890), (5000, 5000), (6000, 6000)):
        dev.write_text(text.replace("1234567890", str(shown)))
        assert fields(sensor)[name] == value
    sensor.close()


LINES: dict[str, Callable[[str, list[bytes]], int | None]] = {
    "stat": lambda name, lines: 0 if name.startswith("cpu ") and name != "cpu cpus" else None,
    "meminfo": lambda name, lines: {
        "memory total_bytes": 0, "memory available_bytes": 2,
    }.get(name),
    "diskstats": lambda name, lines: _line(name, "disk", lines),
    "1/net/dev": lambda name, lines: _line(name, "network", lines),
}  # fmt: skip
"""The line of each file on which a value stands; None: on none, or on several."""


def _line(name: str, measurement: str, lines: list[bytes]) -> int | None:
    kind, *rest = name.split(" ")
    if kind != measurement:
        return None
    return next(i for i, line in enumerate(lines) if rest[0].encode() in line.replace(b":", b" "))


SHARED = {"memory used_bytes", "cpu cpus"}
"""Of several lines."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Procfs and disks of a server, whose files the test damages and puts right again."""
    root = tmp_path_factory.mktemp("machine")
    for part in ("proc", "sys/block"):
        shutil.copytree(MACHINE / part, root / part)
    return root


@pytest.mark.parametrize("file", LINES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_to_one_line_changes_no_other_value(
    scratch: Path, file: str, data: st.DataObject
) -> None:
    """One line or a run of bytes is damaged: nothing raises, and every value that does not stand
    there is what it was."""
    text = (MACHINE / "proc" / file).read_bytes()
    damage: Damage = data.draw(damaged(text))
    (scratch / "proc" / file).write_bytes(text)
    sensor = started(scratch)
    before = fields(sensor)
    (scratch / "proc" / file).write_bytes(damage.text)
    after = fields(sensor)
    sensor.close()
    (scratch / "proc" / file).write_bytes(text)
    own = LINES[file]
    for name, value in before.items():
        line = own(name, text.splitlines())
        if name in SHARED or (line is not None and line in damage.lines):
            assert after.get(name, 0.0) >= 0
        else:
            assert after.get(name) == value, name
