"""CPU, memory, disk and network of the host, from procfs.

psutil is not used: it finds procfs by one variable for the whole process, reads the network of
its own container only, adds 3.6 MiB of memory, and one round takes 99 µs of CPU where this takes
60 µs.
"""

import errno
import logging
import os
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_core.printable import printable
from wattmark_exporters.readings import LeftOut, Reading, Sensor, Values
from wattmark_exporters.sensors.files import KeptFile
from wattmark_exporters.sensors.proc_lists import Traffic, disks, memory, networks
from wattmark_exporters.sensors.proc_stat import (
    USER_HZ,
    CpuTimes,
    RisingTimes,
    cpu_times,
    risen,
    visible_cpus,
)

log = logging.getLogger(__name__)
_LEAST_JIFFIES: Final = 10
"""A ratio of fewer jiffies is quantisation: alumet-dev/alumet#387 saw more than 100 %."""
_CPU_FIELDS: Final = tuple(f"{mode}_seconds" for mode in ("busy", *CpuTimes._fields))
_BACK_BYTES: Final = 1 << 20
"""A fall of more is a counter that began again at 0."""


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
        self._networks = KeptFile(procfs / "1/net/dev", 65536)
        self._own_networks = KeptFile(procfs / "net/dev", 65536)
        self._others = KeptFile(procfs / "meminfo", 8192), KeptFile(procfs / "diskstats", 65536)
        self._files: Sequence[KeptFile] = ()
        self._add = self._cpu, self._memory, self._disk, self._network
        """What makes readings of each of the files."""
        self._missing: set[KeptFile] = set()
        """Files that could not be read at the start, which was told."""
        self._blocks = os.fsencode(sysfs / "block")
        self._disk_names: dict[bytes, str] = {}
        self._times = RisingTimes()
        self._traffic: dict[tuple[str, str], Traffic] = {}
        self._total_bytes: float | None = None
        self._before: tuple[int, int] | None = None
        """Busy and total jiffies at the last reading."""

    @classmethod
    def make(cls, options: Namespace) -> Self:
        """Of the trees that the command line names."""
        return cls(options.procfs, options.sysfs)

    def start(self) -> None:
        """Raises ``SensorAbsent`` without PROC/stat; other gaps are logged and left out."""
        text = _text(self._stat)
        if isinstance(text, OSError):
            raise SensorAbsent(
                f"{self._stat.path} cannot be read ({text})",
                "name the folder where procfs is mounted with --procfs",
            ) from text
        networks = self._networks
        if not _readable(networks):
            log.warning(
                "%s cannot be read: network counters are those of the exporter's own container,"
                " from %s; mount the host's procfs and name it with --procfs",
                networks.path, self._own_networks.path,
            )  # fmt: skip
            networks = self._own_networks
        self._files = self._stat, *self._others, networks
        self._missing = {file for file in self._files if not _readable(file)}
        for file in self._files:
            if file in self._missing:
                log.warning("%s cannot be read: its metrics are left out", file.path)

    def take(self) -> tuple[bytes | OSError, ...]:
        """The texts of PROC/stat, meminfo, diskstats and net/dev, or why there is none."""
        return tuple([_text(file) for file in self._files])

    def read(self) -> Iterable[Reading]:
        """All of it. Raises ``SensorFailed`` when no file can be read any more."""
        return self.readings(self.take())

    def readings(self, taken: tuple[bytes | OSError, ...]) -> Iterable[Reading]:
        """As ``read``, of what ``take`` returned. What cannot be read is left out by name."""
        readings: list[Reading] = []
        for file, text, add in zip(self._files, taken, self._add, strict=True):
            if not isinstance(text, OSError):
                readings += add(text, file.path)
            elif file not in self._missing:
                readings.append(LeftOut(str(file.path), text.strerror or str(text)))
        if isinstance(error := taken[0], OSError) and not any(isinstance(t, bytes) for t in taken):
            raise SensorFailed(f"{self._stat.path} cannot be read any more ({error})")
        return readings

    def rescan(self) -> None:
        """Disks may have come, and files that were missing."""
        self._disk_names.clear()
        self._missing = {file for file in self._missing if isinstance(_text(file), OSError)}

    def note(self) -> str:
        """Which files are missing."""
        names = [str(file.path) for file in self._files if file in self._missing]
        return f"cannot be read: {', '.join(names)}" if names else ""

    def close(self) -> None:
        for file in (self._stat, *self._others, self._networks, self._own_networks):
            file.close()

    def _cpu(self, text: bytes, path: Path) -> Iterable[Reading]:
        fields: dict[str, float | int] = {}
        readings: list[Reading] = []
        try:
            now = self._times.of(cpu_times(text))
        except ValueError as error:
            readings.append(LeftOut(f"CPU times of {path}", str(error)))
        else:
            busy, total = now.busy, now.total
            fields |= zip(_CPU_FIELDS, [jiffies / USER_HZ for jiffies in (busy, *now)], strict=True)
        if cpus := visible_cpus(text):
            fields["cpus"] = cpus
        if not readings:
            before, self._before = self._before, (busy, total)
            if before is not None:
                ratio = _utilization(busy - before[0], total - before[1])
                if ratio is not None:
                    fields["utilization_ratio"] = ratio
        return [*readings, Values("cpu", {}, fields)] if fields else readings

    def _memory(self, text: bytes, path: Path) -> Iterable[Reading]:
        found = list(memory(text, path, self._total_bytes))
        fields = dict(part for part in found if not isinstance(part, LeftOut))
        self._total_bytes = fields.get("total_bytes", self._total_bytes)
        left_out = [part for part in found if isinstance(part, LeftOut)]
        return [*left_out, Values("memory", {}, fields)] if fields else left_out

    def _disk(self, text: bytes, path: Path) -> Iterable[Reading]:
        for disk in disks(text, path, self._whole_disk):
            yield (
                disk
                if isinstance(disk, LeftOut)
                else self._values("disk", "device", disk, ("read_bytes", "written_bytes"))
            )

    def _network(self, text: bytes, path: Path) -> Iterable[Reading]:
        for interface in networks(text, path):
            yield (
                interface
                if isinstance(interface, LeftOut)
                else self._values(
                    "network", "interface", interface, ("received_bytes", "sent_bytes")
                )
            )

    def _values(self, measurement: str, tag: str, now: Traffic, names: tuple[str, str]) -> Values:
        """Bytes that do not go back by a little: drivers and the kernel's sums over CPUs do."""
        key = (measurement, now.name)
        before = self._traffic.get(key)
        if before is not None and (now.into < before.into or now.out < before.out):
            into = risen(before.into, now.into, _BACK_BYTES)
            now = Traffic(now.name, into, risen(before.out, now.out, _BACK_BYTES))
        self._traffic[key] = now
        fields = {names[0]: float(now.into), names[1]: float(now.out)}
        return Values(measurement, {tag: now.name}, fields)

    def _whole_disk(self, device: bytes) -> str:
        """Its name if it has hardware behind it, else empty: a partition, loop, RAM disk, RAID or
        LVM volume. sysfs writes ``!`` for a ``/`` in a name: ``cciss/c0d0``."""
        name = self._disk_names.get(device)
        if name is None:
            folder = os.path.join(self._blocks, device.replace(b"/", b"!"))  # noqa: PTH118 - bytes
            name = ""
            if b"\x00" not in device and os.path.exists(os.path.join(folder, b"device")):  # noqa: PTH110, PTH118
                name = printable(device)
            self._disk_names[device] = name
        return name


def _utilization(busy: int, total: int) -> float | None:
    """Busy share between two readings, 0 to 1; None over too short a time or if a counter fell."""
    if total < _LEAST_JIFFIES or not 0 <= busy <= total:
        return None
    return busy / total


def _text(file: KeptFile) -> bytes | OSError:
    """What the file holds; nothing at all is as good as a file that is not there."""
    try:
        text = file.read_all()
    except OSError as error:
        return error
    return text or OSError(errno.ENODATA, os.strerror(errno.ENODATA))


def _readable(file: KeptFile) -> bool:
    return isinstance(_text(file), bytes)
