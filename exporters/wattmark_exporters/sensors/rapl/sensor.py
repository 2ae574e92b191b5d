"""Energy of CPU sockets and memory: Intel's and AMD's RAPL counters through Linux's powercap.

Read: ``energy_uj`` of every zone, µJ, below SYSFS/class/powercap. Dropped at start: zones that
count the same joules a second time (``mirrors.py``) and disabled zones that do not move
(hubblo-org/scaphandre#351).
"""

import contextlib
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from wattmark_core.catalogue import Domain, Method
from wattmark_core.clock import Clock, SystemClock
from wattmark_core.errors import SensorAbsent, SensorFailed
from wattmark_exporters.readings import Counter, LeftOut, Lost, Reading, Sensor, Traits
from wattmark_exporters.sensors.files import CHECKED_EVERY, GONE, KeptFile, cpu_model, integer
from wattmark_exporters.sensors.rapl import absent as rapl_absent
from wattmark_exporters.sensors.rapl import mirrors
from wattmark_exporters.sensors.rapl.powercap import Zone, ZoneFile, Zones, find_zones, traits_of

_PROBES: Final = 7
_PROBE_SECONDS: Final = 0.01
"""Ten updates of the counter lie between two looks."""
_BAD_READS: Final = 50
"""This many bad values in a row are no accident: 5 s at the usual interval."""

_new: Final = tuple.__new__
"""Makes a named tuple without the detour over its class, which costs as much as the rest."""


@dataclass(slots=True)
class _Live:
    zone: Zone
    file: ZoneFile
    domain: Domain
    device: str
    traits: Traits
    bad_reads: int = 0


Taken = tuple[Sequence[_Live], Sequence[bytes | OSError]]


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
        self._left_out: list[Reading] = []
        """Zones that are not known, and those that were given and are no longer there."""
        self._note = ""
        self._seen: tuple[Zones, frozenset[Zone]] | None = None
        """What was found, and which of it could not be read."""

    @classmethod
    def make(cls, options: Namespace) -> Self:
        """Of the trees that the command line names."""
        return cls(options.sysfs, options.procfs)

    def start(self) -> None:
        """Find the zones; takes 60 ms where zones must be compared. Raises ``SensorAbsent``."""
        self._find()

    def rescan(self) -> None:
        """Find the zones anew: some may have come, gone, or changed places. Of a zone that is still
        called as before, wherever it is, the device is the same. Where there is none to be read, it
        stays as it was."""
        with contextlib.suppress(SensorAbsent):
            self._find()

    def note(self) -> str:
        """Which zones are not counted, and why."""
        return self._note

    def take(self) -> Taken:
        """What every zone's file holds, beside the zones."""
        taken: list[bytes | OSError] = []
        try:
            for pread in self._preads:
                taken.append(pread())
        except OSError:  # rare: look at each by itself
            texts = [_text(zone.file) for zone in self._live]
            self._preads = [zone.file.reader() for zone in self._live]
            return self._live, texts
        return self._live, taken

    def read(self) -> Iterable[Reading]:
        """One reading per zone, none for a bad value. Raises ``SensorFailed`` if all are lost."""
        self._preads = [zone.file.reader() for zone in self._live]
        return self.readings(self.take())

    def readings(self, taken: Taken) -> Iterable[Reading]:
        """As ``read``, of what ``take`` returned."""
        readings: list[Reading] = []
        lost: list[Lost] = []
        for zone, text in zip(*taken, strict=True):
            if isinstance(text, bytes) and (microjoules := integer(text.strip())) is not None:
                zone.bad_reads = 0
                readings.append(_new(Counter, (
                    zone.domain, zone.device, microjoules / 1e6, zone.traits, Method.COUNTER,
                )))  # fmt: skip
            elif (reason := _lost(zone, text)) is not None:
                lost.append(Lost(zone.domain, zone.device, reason))
        self._check_files()
        if self._left_out:
            readings += self._left_out
        if lost and len(lost) == len(taken[0]):
            raise SensorFailed(f"no RAPL zone can be read any more: {lost[0].reason}")
        return [*readings, *lost] if lost else readings

    def close(self) -> None:
        for zone in self._live:
            zone.file.close()
        self._live, self._preads, self._seen = [], [], None

    def _find(self) -> None:
        found = find_zones(self._sysfs)
        zones = mirrors.without_copies(found.known)
        if not zones:
            raise rapl_absent.no_zone(self._sysfs)
        before = {live.zone: live for live in self._live}
        files = {z: before[z].file if z in before else ZoneFile(z) for z in zones}
        try:
            barred = {zone: error for zone, file in files.items() if (error := _obstacle(file))}
            seen = (found, frozenset(barred))
            if seen != self._seen:
                self._arrange([z for z in zones if z not in barred], files, barred, found.left_out)
                self._seen = seen
        finally:
            used = {live.file for live in self._live}
            for file in {*files.values(), *(live.file for live in before.values())} - used:
                file.close()

    def _arrange(
        self, readable: Sequence[Zone], files: Mapping[Zone, ZoneFile],
        barred: Mapping[Zone, OSError], unknown: Sequence[LeftOut],
    ) -> None:  # fmt: skip
        """Name the devices of the zones that count. Raises ``SensorAbsent`` if none does."""
        if not readable:
            raise rapl_absent.unreadable(barred)
        counting, distinct = self._compare(readable, files)
        if not counting:
            raise rapl_absent.disabled(readable)
        names = mirrors.device_names(distinct, list(barred))
        note = f"not readable: {rapl_absent.titles(barred)}" if barred else ""
        label = cpu_model(self._procfs)
        gone = {(live.domain, live.device): live for live in self._live}
        self._live = [
            _Live(zone, files[zone], zone.domain, names[zone], traits_of(zone, label, note))
            for zone in distinct
        ]
        self._preads = [zone.file.reader() for zone in self._live]
        for live in self._live:
            gone.pop((live.domain, live.device), None)
        self._left_out = [
            *unknown, *(Lost(*device, f"{live.file.path}: no such zone by now")
                        for device, live in gone.items()),
        ]  # fmt: skip
        still = [zone for zone in readable if zone not in counting]
        reasons = [
            note,
            f"disabled, and standing still: {rapl_absent.titles(still)}" if still else "",
            f"not known: {', '.join(part.part for part in unknown)}" if unknown else "",
        ]
        found = len(readable) + len(barred) + len(unknown)
        words = f"{len(counting)} of {found} zones: {'; '.join(filter(None, reasons))}"
        self._note = words if len(counting) < found else ""

    def _check_files(self) -> None:
        """Look now and then whether the files were replaced."""
        self._unchecked += 1
        if self._unchecked >= CHECKED_EVERY:
            self._unchecked = 0
            self._preads = [zone.file.reader() for zone in self._live]

    def _compare(
        self, zones: Sequence[Zone], files: Mapping[Zone, ZoneFile]
    ) -> tuple[Sequence[Zone], Sequence[Zone]]:
        """The zones that count, and of those that count the same one each."""
        if not mirrors.in_doubt(zones):
            return zones, zones
        looks: dict[Zone, list[int | None]] = {zone: [] for zone in zones}
        for _ in range(_PROBES):
            for zone, values in looks.items():
                values.append(_microjoules(files[zone]))
            self._clock.sleep(_PROBE_SECONDS)
        counting = mirrors.counting(zones, looks)
        return counting, mirrors.without_mirrors(counting, looks)


def _lost(zone: _Live, text: bytes | OSError) -> str | None:
    """Why the zone is lost, once it is gone or bad for long; None after a bad value."""
    zone.bad_reads += 1
    gone = isinstance(text, OSError) and text.errno in GONE
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
        return integer(file.read().strip())
    except OSError:
        return None


def _obstacle(file: KeptFile) -> OSError | None:
    try:
        file.read()
    except OSError as error:
        return error
    return None
