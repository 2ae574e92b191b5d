"""CPU, memory, disk and network of the host, from procfs.

psutil is not used: it finds procfs by one variable for the whole process, reads the network of
its own container only, adds 3.6 MiB of memory, and one round takes 99 µs of CPU where this takes
43 µs.
"""

import logging
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_exporters.readings import Reading, Sensor, Values
from wattmark_exporters.sensors.files import KeptFile
from wattmark_exporters.sensors.proc_stat import USER_HZ, CpuTimes, cpu_times, visible_cpus

log = logging.getLogger(__name__)
_SECTOR_BYTES: Final = 512
"""Unit of /proc/diskstats whatever the disk's own sector (Documentation/admin-guide/iostats)."""
_LEAST_JIFFIES: Final = 10
"""A ratio of fewer jiffies is quantisation: alumet-dev/alumet#387 saw more than 100 %."""
_CPU_FIELDS: Final = tuple(f"{mode}_seconds" for mode in ("busy", *CpuTimes._fields))
_ENTRY_BYTES: Final = 64
"""A line of PROC/meminfo is shorter."""
_CONTAINER_ENDS: Final = b"veth"
"""A container's end of a bridge: comes and goes, and the bridge counts the same bytes."""


class Host(Sensor):
    """The host's own numbers, also from inside a container that has the host's procfs mounted."""

    name = "host"
    measures = "CPU, memory, disks, network"
    needs = "procfs"
    order = 30
    interval_seconds = 1.0
    energy = False

    def __init__(self, procfs: Path, sysfs: Path) -> None:
        self._stat = KeptFile(procfs / "stat", 65536)
        self._memory = KeptFile(procfs / "meminfo", 8192)
        self._disks = KeptFile(procfs / "diskstats", 65536)
        self._networks = KeptFile(procfs / "1/net/dev", 65536)
        self._own_networks = KeptFile(procfs / "net/dev", 65536)
        self._blocks = sysfs / "block"
        self._disk_names: dict[bytes, str] = {}
        self._before: tuple[int, int] | None = None
        """Busy and total jiffies at the last reading."""

    @classmethod
    def make(cls, options: Namespace) -> Self:
        """Of the trees that the command line names."""
        return cls(options.procfs, options.sysfs)

    def start(self) -> None:
        """Raises ``SensorAbsent`` without PROC/stat; other gaps are logged and left out."""
        try:
            cpu_times(self._stat.read_all())
        except (OSError, ValueError) as error:
            raise SensorAbsent(
                f"{self._stat.path} cannot be read ({error})",
                "name the folder where procfs is mounted with --procfs",
            ) from error
        if not _readable(self._networks):
            log.warning(
                "%s cannot be read: network counters are those of the exporter's own container,"
                " from %s; mount the host's procfs and name it with --procfs",
                self._networks.path, self._own_networks.path,
            )  # fmt: skip
            self._networks = self._own_networks
        for file in (self._memory, self._disks, self._networks):
            if not _readable(file):
                log.warning("%s cannot be read: its metrics are left out", file.path)

    def take(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The texts of PROC/stat, meminfo, diskstats and net/dev. Raises ``OSError`` without
        the first."""
        return (
            self._stat.read_all(), _text(self._memory), _text(self._disks), _text(self._networks)
        )  # fmt: skip

    def read(self) -> Iterable[Reading]:
        """All of it. Raises ``SensorFailed`` or ``OSError`` when PROC/stat fails."""
        return self.readings(self.take())

    def readings(self, taken: tuple[bytes, bytes, bytes, bytes]) -> Iterable[Reading]:
        """As ``read``, of what ``take`` returned."""
        stat, memory, disks, networks = taken
        readings: list[Reading] = [self._cpu(stat)]
        _add_memory(readings, memory)
        for line in disks.splitlines():
            fields = line.split(None, 10)
            if len(fields) >= 10 and (name := self._whole_disk(fields[2])):
                readings.append(Values("disk", {"device": name}, {
                    "read_bytes": float(int(fields[5]) * _SECTOR_BYTES),
                    "written_bytes": float(int(fields[9]) * _SECTOR_BYTES),
                }))  # fmt: skip
        _add_networks(readings, networks)
        return readings

    def close(self) -> None:
        for file in (
            self._stat, self._memory, self._disks, self._networks, self._own_networks,
        ):  # fmt: skip
            file.close()

    def _cpu(self, text: bytes) -> Values:
        try:
            now = cpu_times(text)
        except ValueError as error:
            raise SensorFailed(str(error)) from error
        busy, total = now.busy, now.total
        fields: dict[str, float | int] = dict(
            zip(_CPU_FIELDS, [jiffies / USER_HZ for jiffies in (busy, *now)], strict=True)
        )
        fields["cpus"] = visible_cpus(text)
        before, self._before = self._before, (busy, total)
        if before is not None:
            ratio = _utilization(busy - before[0], total - before[1])
            if ratio is not None:
                fields["utilization_ratio"] = ratio
        return Values("cpu", {}, fields)

    def _whole_disk(self, device: bytes) -> str:
        """Its name if it has hardware behind it, else empty: a partition, loop, RAM disk, RAID or
        LVM volume."""
        name = self._disk_names.get(device)
        if name is None:
            name = device.decode()
            if not (self._blocks / name / "device").exists():
                name = ""
            self._disk_names[device] = name
        return name


def _utilization(busy: int, total: int) -> float | None:
    """Busy share between two readings, 0 to 1; None over too short a time or if a counter fell."""
    if total < _LEAST_JIFFIES or not 0 <= busy <= total:
        return None
    return busy / total


def _add_memory(readings: list[Reading], text: bytes) -> None:
    total, available = _bytes(text, b"MemTotal:"), _bytes(text, b"MemAvailable:")
    if total is not None and available is not None:
        readings.append(Values("memory", {}, {
            "total_bytes": total, "available_bytes": available, "used_bytes": total - available,
        }))  # fmt: skip


def _bytes(meminfo: bytes, name: bytes) -> float | None:
    start = meminfo.find(name)
    entry = meminfo[start : start + _ENTRY_BYTES].split(None, 2) if start >= 0 else []
    return int(entry[1]) * 1024.0 if len(entry) > 1 else None


def _add_networks(readings: list[Reading], text: bytes) -> None:
    for line in text.splitlines():
        name, colon, rest = line.partition(b":")
        fields = rest.split(None, 9)
        interface = name.strip()
        if colon and len(fields) >= 9 and not interface.startswith(_CONTAINER_ENDS):
            readings.append(Values("network", {"interface": interface.decode()}, {
                "received_bytes": float(fields[0]), "sent_bytes": float(fields[8]),
            }))  # fmt: skip


def _text(file: KeptFile) -> bytes:
    try:
        return file.read_all()
    except OSError:  # it was reported at start; what is missing is missing
        return b""


def _readable(file: KeptFile) -> bool:
    return bool(_text(file))
