"""RAPL zones in the kernel's powercap tree: which there are, what each covers, what is known of it.

Names after ``drivers/powercap/intel_rapl_common.c``, which serves AMD too: packages are
``package-N`` or ``package-N-die-M``, their children ``core``, ``uncore``, ``dram``; ``psys`` and
``psys-N`` stand beside the packages.
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from wattmark_core.catalogue import Domain
from wattmark_core.plausible import most_watts
from wattmark_core.printable import printable, quoted
from wattmark_exporters.readings import LeftOut, Traits
from wattmark_exporters.sensors.files import KeptFile, first_integer, first_text

_ZONE: Final = re.compile(r"[a-z]+-rapl(?P<mmio>-mmio)?(?::\d+)+")
_PACKAGE: Final = re.compile(r"package-(\d+)(?:-die-(\d+))?")
_PSYS: Final = re.compile(r"psys(?:-(\d+))?")
_PARTS: Final = {"core": Domain.CORE, "uncore": Domain.UNCORE, "dram": Domain.DRAM}

_MICRO: Final = 1e-6
_UPDATE_SECONDS: Final = 0.001
"""RAPL counters are updated about every 1 ms (Intel SDM vol. 3B, "RAPL Interfaces")."""
_COUNTS: Final = 2**32 - 1
"""The counter has 32 bits, so ``max_energy_range_uj`` is this many energy units."""
_COARSE_JOULES: Final = 0.1
"""Worth a note: usual units are 15 to 61 µJ; psys of Sapphire Rapids counts whole joules."""
_LOW_WATTS: Final = 10.0
"""No platform with a coarse counter draws less: one unit takes at most unit / 10 W to pass."""
_TURBO_RATIO: Final = 2.5
"""Bursts above the rated power, with room to spare: 253 W on a part rated at 125 W is usual."""
_FLOOR_WATTS: Final = 100.0
"""Firmware rates some laptops and memories at a fraction of what they draw in bursts."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One powercap zone. ``owner``: ``socketN`` or ``platform``; ``die`` empty where there is one.

    ``mmio``: the same package by another way (``intel-rapl-mmio``). ``enabled`` False: the kernel
    does not enforce limits there, and some machines do not count there either. ``name``: what the
    kernel calls it; keys are given out anew when a driver is loaded again, names are not.
    """

    key: str
    folder: Path
    domain: Domain
    owner: str
    die: str = ""
    mmio: bool = False
    enabled: bool = True
    name: str = ""

    @property
    def title(self) -> str:
        """The zone in words, for messages."""
        return f"{self.domain} of {self.owner}{self.die and '-' + self.die} ({self.key})"


class ZoneFile(KeptFile):
    """A zone's counter. Another zone that took its place under the same path is not read for it:
    then reads raise ``OSError``."""

    def __init__(self, zone: Zone) -> None:
        super().__init__(zone.folder / "energy_uj", 32)
        self._name = zone.name
        self._names = KeptFile(zone.folder / "name", 64)

    def _open(self) -> int:
        descriptor = super()._open()
        if not self._is_named():
            self.close()
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), str(self.path))
        return descriptor

    def _is_current(self, descriptor: int) -> bool:
        return super()._is_current(descriptor) and self._is_named()

    def _is_named(self) -> bool:
        try:
            return printable(self._names.read().strip()) == self._name
        except OSError:
            return False

    def close(self) -> None:
        super().close()
        self._names.close()


class Zones(NamedTuple):
    """The zones that are known, and those that are not."""

    known: tuple[Zone, ...]
    left_out: tuple[LeftOut, ...]


def find_zones(sysfs: Path) -> Zones:
    """All zones below ``class/powercap``, else ``devices/virtual/powercap``.

    The latter is what a container has: a mount of the class folder alone holds dangling links.
    """
    folders = _named_folders(sysfs / "class/powercap", "*:*")
    if not any(folders.values()):
        folders = _named_folders(sysfs / "devices/virtual/powercap", "**/*:*")
    names = {folder.name: name for folder, name in folders.items()}
    zones: list[Zone] = []
    left_out: list[LeftOut] = []
    for folder, name in folders.items():
        zone = _zone(folder, name, names.get(folder.name.rpartition(":")[0], ""))
        if zone is not None:
            zones.append(zone)
        else:
            what = f"it is called {quoted(name)}" if name else "its name cannot be read"
            left_out.append(LeftOut(f"zone {folder.name}", f"{what}: not one of RAPL's"))
    return Zones(tuple(zones), tuple(left_out))


def traits_of(zone: Zone, label: str, note: str) -> Traits:
    """What is known of the zone's counter, from its own files and its package's limits.

    AMD's core counter is each core's own, and the driver reads that of the socket's first CPU.
    """
    range_microjoules = first_integer(zone.folder / "max_energy_range_uj")
    wrap_joules = range_microjoules * _MICRO if range_microjoules else None
    unit_joules = 0.0 if wrap_joules is None else wrap_joules / _COUNTS
    notes = [note] if note else []
    if unit_joules >= _COARSE_JOULES:
        notes.append(f"counts in steps of {unit_joules:.3g} J")
    if zone.domain is Domain.CORE and label.startswith("AMD"):
        notes.append("counts one core of the socket only")
    return Traits(
        update_period_seconds=max(_UPDATE_SECONDS, unit_joules / _LOW_WATTS),
        wrap_joules=wrap_joules,
        limit_watts=_limit_watts(zone),
        label=label,
        note="; ".join(notes),
    )


def _named_folders(root: Path, pattern: str) -> dict[Path, str]:
    """Zones' folders in order of their keys, and their names; empty where there is none."""
    try:
        paths = {path.name: path for path in sorted(root.glob(pattern))}
    except OSError:  # a folder went away meanwhile
        return {}
    return {
        path: first_text(path / "name") or ""
        for key, path in sorted(paths.items()) if _ZONE.fullmatch(key)
    }  # fmt: skip


def _zone(folder: Path, name: str, parent: str) -> Zone | None:
    key = folder.name
    match = _ZONE.fullmatch(key)
    mmio = match is not None and match["mmio"] is not None
    enabled = first_integer(folder / "enabled") != 0
    if psys := _PSYS.fullmatch(name):
        owner = f"platform{psys[1] or ''}"
        return Zone(key, folder, Domain.PSYS, owner, "", mmio, enabled, name)
    domain = Domain.PACKAGE if _PACKAGE.fullmatch(name) else _PARTS.get(name)
    if domain is None:
        return None
    package = _PACKAGE.fullmatch(name) or _PACKAGE.fullmatch(parent)
    if package is None:  # its package is not in this mount: keep it apart under its own name
        return Zone(key, folder, domain, key, "", mmio, enabled, name)
    die = f"die{package[2]}" if package[2] else ""
    return Zone(key, folder, domain, f"socket{package[1]}", die, mmio, enabled, name)


def _limit_watts(zone: Zone) -> float | None:
    """The most the zone may draw, bursts included; None where the kernel names no limit.

    Rated powers (``max_power``) and the limits in force count, as boards raise the latter. What
    lies inside a package may draw what the package may.
    """
    folders = [zone.folder]
    if zone.domain in {Domain.CORE, Domain.UNCORE}:
        folders.append(zone.folder.parent / zone.key.rpartition(":")[0])  # class: flat
        folders.append(zone.folder.parent)  # devices: nested
    try:
        paths = [path for folder in folders for path in folder.glob("constraint_*_*_uw")]
    except OSError:  # a folder went away meanwhile
        return None
    limits = [microwatts * _MICRO for path in paths if (microwatts := first_integer(path))]
    if not limits:
        return None
    # boards that lift the power limit write 4,095 W
    return min(max(max(limits) * _TURBO_RATIO, _FLOOR_WATTS), most_watts(zone.domain))
