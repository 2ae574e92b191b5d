"""Energy of CPU sockets and memory: Intel's and AMD's RAPL counters through Linux's powercap.

Read: ``energy_uj`` of every zone, µJ, below SYSFS/class/powercap. Dropped at start: zones that
count the same joules a second time (``mirrors.py``) and disabled zones that do not move
(hubblo-org/scaphandre#351).
"""

import errno
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import Clock, SystemClock
from wattmark_core.errors import SensorFailed
from wattmark_exporters.readings import Counter, Lost, Reading, Sensor, Traits
from wattmark_exporters.sensors.files import CHECKED_EVERY, KeptFile, cpu_model
from wattmark_exporters.sensors.rapl import absent as rapl_absent
from wattmark_exporters.sensors.rapl import mirrors
from wattmark_exporters.sensors.rapl.powercap import Zone, find_zones, traits_of

_PROBES: Final = 7
_PROBE_SECONDS: Final = 0.01
"""Ten updates of the counter lie between two looks."""
_GONE: Final = frozenset({errno.EACCES, errno.EPERM, errno.ENODEV, errno.ENXIO, errno.ENOENT})
_BAD_READS: Final = 50
"""This many bad values in a row are no accident: 5 s at the usual interval."""

_new: Final = tuple.__new__
"""Makes a named tuple without the detour over its class, which costs as much as the rest."""


@dataclass(slots=True)
class _Live:
    file: KeptFile
    domain: Domain
    device: str
    traits: Traits
    bad_reads: int = 0


class Rapl(Sensor):
    """Every zone that can be read. ``procfs`` names the CPU's model; default: beside ``sysfs``."""

    name = "rapl"
    measures = "CPU sockets, their parts, DRAM, platform"
    needs = "Intel, or AMD Zen; Linux powercap; read permission (below)"
    order = 10
    interval_seconds = 0.1

    def __init__(self, sysfs: Path, procfs: Path | None = None, clock: Clock | None = None) -> None:
        self._sysfs = sysfs
        self._procfs = procfs or sysfs.parent / "proc"
        self._clock = clock or SystemClock()
        self._live: list[_Live] = []
        self._preads: list[Callable[[], bytes]] = []
        self._unchecked = 0

    @classmethod
    def make(cls, options: Namespace) -> Self:
        """Of the trees that the command line names."""
        return cls(options.sysfs, options.procfs)

    def start(self) -> None:
        """Find the zones; takes 60 ms where zones must be compared. Raises ``SensorAbsent``."""
        zones = mirrors.without_copies(find_zones(self._sysfs))
        if not zones:
            raise rapl_absent.no_zone(self._sysfs)
        files = {zone: KeptFile(zone.folder / "energy_uj", 32) for zone in zones}
        barred = {zone: error for zone, file in files.items() if (error := _obstacle(file))}
        readable = [zone for zone in zones if zone not in barred]
        if not readable:
            raise rapl_absent.unreadable(barred)
        counted = self._distinct(readable, files)
        for zone in set(readable) - set(counted):
            files[zone].close()
        if not counted:
            raise rapl_absent.disabled(readable)
        names = mirrors.device_names(counted, list(barred))
        note = f"not readable: {rapl_absent.titles(barred)}" if barred else ""
        label = cpu_model(self._procfs)
        self._live = [
            _Live(files[zone], zone.domain, names[zone], traits_of(zone, label, note))
            for zone in counted
        ]
        self._preads = [zone.file.reader() for zone in self._live]

    def take(self) -> Sequence[bytes | OSError]:
        """What every zone's file holds."""
        taken: list[bytes | OSError] = []
        try:
            for pread in self._preads:
                taken.append(pread())
        except OSError:  # rare: look at each by itself
            texts = [_text(zone.file) for zone in self._live]
            self._preads = [zone.file.reader() for zone in self._live]
            return texts
        return taken

    def read(self) -> Iterable[Reading]:
        """One reading per zone, none for a bad value. Raises ``SensorFailed`` if all are lost."""
        self._preads = [zone.file.reader() for zone in self._live]
        return self.readings(self.take())

    def readings(self, taken: Sequence[bytes | OSError]) -> Iterable[Reading]:
        """As ``read``, of what ``take`` returned."""
        readings: list[Reading] = []
        lost: list[Lost] = []
        for zone, text in zip(self._live, taken, strict=True):
            if isinstance(text, bytes) and (digits := text.strip()).isdigit():
                zone.bad_reads = 0
                readings.append(_new(Counter, (
                    zone.domain, zone.device, int(digits) / 1e6, zone.traits, Method.COUNTER,
                )))  # fmt: skip
            elif (reason := _lost(zone, text)) is not None:
                lost.append(Lost(zone.domain, zone.device, reason))
        self._check_files()
        if lost and len(lost) == len(self._live):
            raise SensorFailed(f"no RAPL zone can be read any more: {lost[0].reason}")
        return [*readings, *lost] if lost else readings

    def close(self) -> None:
        for zone in self._live:
            zone.file.close()
        self._live, self._preads = [], []

    def _check_files(self) -> None:
        """Look now and then whether the files were replaced."""
        self._unchecked += 1
        if self._unchecked >= CHECKED_EVERY:
            self._unchecked = 0
            self._preads = [zone.file.reader() for zone in self._live]

    def _distinct(self, zones: Sequence[Zone], files: Mapping[Zone, KeptFile]) -> list[Zone]:
        if not mirrors.in_doubt(zones):
            return list(zones)
        looks: dict[Zone, list[int | None]] = {zone: [] for zone in zones}
        for _ in range(_PROBES):
            for zone, values in looks.items():
                values.append(_microjoules(files[zone]))
            self._clock.sleep(_PROBE_SECONDS)
        return mirrors.without_mirrors(mirrors.counting(zones, looks), looks)


def _lost(zone: _Live, text: bytes | OSError) -> str | None:
    """Why the zone is lost, once it is gone or bad for long; None after a bad value."""
    zone.bad_reads += 1
    gone = isinstance(text, OSError) and text.errno in _GONE
    if not gone and zone.bad_reads < _BAD_READS:
        return None
    if isinstance(text, OSError):
        return f"{zone.file.path}: {rapl_absent.words(text)}"
    return f"{zone.file.path}: energy_uj reads {text[:20]!r}"


def _text(file: KeptFile) -> bytes | OSError:
    try:
        return file.read()
    except OSError as error:
        return error


def _microjoules(file: KeptFile) -> int | None:
    try:
        text = file.read().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _obstacle(file: KeptFile) -> OSError | None:
    try:
        file.read()
    except OSError as error:
        return error
    return None
