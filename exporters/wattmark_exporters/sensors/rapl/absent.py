"""Why there is no RAPL energy, and what to do about it: the words for ``SensorAbsent``."""

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from wattmark_core.errors import SensorAbsent
from wattmark_exporters.sensors.rapl.powercap import Zone

UDEV_RULE: Final = (
    'ACTION=="add|change", SUBSYSTEM=="powercap", KERNEL=="intel-rapl:*",'
    ' RUN+="/bin/chmod a+r /sys%p/energy_uj"'
)
"""Any user may read energy then, which CVE-2020-8694 made a decision of the machine's owner."""
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


def no_zone(sysfs: Path) -> SensorAbsent:
    """There is no powercap tree, or none with a RAPL zone in it."""
    return SensorAbsent(
        f"no RAPL zone under {sysfs / 'class/powercap'}",
        "on bare metal run 'modprobe intel_rapl_msr' (AMD too); in a container mount the host's"
        " /sys/devices/virtual/powercap; a virtual machine has no RAPL: measure on bare metal or"
        " with an external meter",
    )


def unreadable(zones: Mapping[Zone, OSError]) -> SensorAbsent:
    """There are zones, and none can be read."""
    error = next(iter(zones.values()))
    if error.errno in _DENIED:
        return SensorAbsent(
            "energy_uj is readable by root only (Linux 5.10 and newer)",
            f"as root write the line  {UDEV_RULE}  to /etc/udev/rules.d/70-wattmark.rules and run"
            " 'udevadm control --reload && udevadm trigger --subsystem-match=powercap', or run"
            " the exporter as root",
            found=True,
        )
    return SensorAbsent(
        f"energy_uj cannot be read: {words(error)}",
        "see the kernel's log ('dmesg | grep -i rapl')",
        found=True,
    )


def disabled(zones: Iterable[Zone]) -> SensorAbsent:
    """Every zone is disabled, and its counter stands still."""
    return SensorAbsent(
        f"disabled, and the counter stands still: {titles(zones)}",
        "as root write 1 to 'enabled' in the zone's folder, then start the exporter again",
        found=True,
    )


def titles(zones: Iterable[Zone]) -> str:
    """The zones in words."""
    return ", ".join(zone.title for zone in zones)


def words(error: OSError) -> str:
    """What the system says, without the path."""
    return os.strerror(error.errno) if error.errno else str(error)
