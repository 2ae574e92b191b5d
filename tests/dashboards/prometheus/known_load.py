"""A machine whose power and use are known, as files; run as a program: FOLDER SECONDS.

Package: the square wave of ``tests/truth/powercap_load.py``, 100 W in the mean; memory 12 W; core,
a part of the package, 30 W. A quarter of 4 CPUs is busy. ``sys`` and ``proc`` lie in FOLDER.
"""

import os
import runpy
import sys
import time
from pathlib import Path

PACKAGE = runpy.run_path(str(Path(__file__).parents[2] / "truth/powercap_load.py"))
PACKAGE_WATTS, MEMORY_WATTS, CORE_WATTS, BUSY_CPUS, CPUS = 100.0, 12.0, 30.0, 1.0, 4
ZONES = {"intel-rapl:0:0": ("core", CORE_WATTS), "intel-rapl:0:1": ("dram", MEMORY_WATTS)}
NET = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0
docker0: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0
br-1a2b: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0
  eth0: 7000 1 0 0 0 0 0 0 3000 1 0 0 0 0 0 0
"""


def make(folder: Path) -> None:
    """All files, with the values of this instant."""
    counter = PACKAGE["make_tree"](folder / "sys")
    for zone, (name, _) in ZONES.items():
        below = counter.parents[1] / zone
        below.mkdir()
        (below / "name").write_text(f"{name}\n")
        (below / "energy_uj").write_text("0\n")
        (below / "max_energy_range_uj").write_text(f"{PACKAGE['RANGE_UJ']}\n")
    (folder / "sys/block/sda/device").mkdir(parents=True)
    (folder / "proc/1/net").mkdir(parents=True)
    (folder / "proc/1/net/dev").write_text(NET)
    (folder / "proc/meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n")
    (folder / "proc/diskstats").write_text("   8  0 sda 10 0 80 1 10 0 160 1 0 1 1\n")
    (folder / "proc/stat").touch()
    move(folder)


def move(folder: Path) -> None:
    """Every counter, as it is now."""
    powercap = folder / "sys/class/powercap"
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    energy = {"intel-rapl:0": PACKAGE["joules"](now)}
    energy |= {zone: watts * now for zone, (_, watts) in ZONES.items()}
    for zone, joules in energy.items():
        microjoules = round(joules * 1e6) % PACKAGE["RANGE_UJ"]
        _overwrite(powercap / zone / "energy_uj", f"{microjoules:012d}\n")
    busy, idle = (round(100 * cpus * now) for cpus in (BUSY_CPUS, CPUS - BUSY_CPUS))
    lines = [f"cpu  {busy:012d} 0 0 {idle:012d} 0 0 0 0 0 0"]
    lines += [f"cpu{n} 0 0 0 0 0 0 0 0 0 0" for n in range(CPUS)]
    _overwrite(folder / "proc/stat", "\n".join([*lines, ""]))


def _overwrite(path: Path, text: str) -> None:
    """In one write and of constant length, so that no reader sees a half."""
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, text.encode(), 0)
    os.close(descriptor)


def main() -> None:
    """Keep it moving."""
    folder = Path(sys.argv[1])
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        move(folder)
        time.sleep(0.004)


if __name__ == "__main__":
    main()
