"""A powercap tree of files, package and dram, whose counters a process of its own moves.

``python -m benchmarks.powercap FOLDER`` moves them at 100 Hz until it is terminated.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

PACKAGE: Final = "class/powercap/intel-rapl/intel-rapl:0"
DRAM: Final = f"{PACKAGE}/intel-rapl:0:0"
WRAP_MICROJOULES: Final = 262_143_328_850
"""Of an Intel server: does not wrap during a benchmark."""
WATTS: Final = {PACKAGE: 35.0, DRAM: 4.0}
STEP_SECONDS: Final = 0.01


def build(sysfs: Path) -> None:
    """Make the tree below ``sysfs``, laid out as the kernel lays it out."""
    for folder, name in ((PACKAGE, "package-0"), (DRAM, "dram")):
        zone = sysfs / folder
        zone.mkdir(parents=True)
        files = {"name": name, "enabled": 1, "energy_uj": f"{1_000_000:012d}",
                 "max_energy_range_uj": WRAP_MICROJOULES}  # fmt: skip
        for file, text in files.items():
            (zone / file).write_text(f"{text}\n", encoding="ascii")
    powercap = sysfs / "class/powercap"
    (powercap / "intel-rapl/subsystem").symlink_to("..")
    (powercap / "intel-rapl:0").symlink_to("intel-rapl/intel-rapl:0")
    (powercap / "intel-rapl:0:0").symlink_to("intel-rapl/intel-rapl:0/intel-rapl:0:0")
    (sysfs / "block").symlink_to("/sys/block")


def move(sysfs: Path) -> None:
    """Let the counters run at constant power, for ever. A write replaces all digits at once."""
    files = [
        (os.open(sysfs / folder / "energy_uj", os.O_WRONLY), watts)
        for folder, watts in WATTS.items()
    ]
    start = time.monotonic()
    while True:
        elapsed = time.monotonic() - start
        for descriptor, watts in files:
            microjoules = 1_000_000 + round(elapsed * watts * 1e6)
            os.pwrite(descriptor, b"%012d\n" % microjoules, 0)
        time.sleep(STEP_SECONDS)


if __name__ == "__main__":
    move(Path(sys.argv[1]))
