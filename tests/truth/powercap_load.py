"""A powercap tree whose package follows a known power; run as a program: FOLDER SECONDS.

Power is a square wave, 60 W and 140 W, 0.3 s each; ``energy_uj`` is rewritten about every
millisecond from CLOCK_BOOTTIME, as a CPU's counter is. Energy since boot follows from the formula
alone, so that a test can ask for the truth of any window.
"""

import os
import sys
import time
from pathlib import Path

LOW_WATTS, HIGH_WATTS, HALF_SECONDS = 60.0, 140.0, 0.3
RANGE_UJ = 262_143_328_850


def joules(seconds: float) -> float:
    """Energy of the load from boot to ``seconds`` of CLOCK_BOOTTIME."""
    cycles, rest = divmod(seconds, 2 * HALF_SECONDS)
    per_cycle = (LOW_WATTS + HIGH_WATTS) * HALF_SECONDS
    low = min(rest, HALF_SECONDS) * LOW_WATTS
    return cycles * per_cycle + low + max(0.0, rest - HALF_SECONDS) * HIGH_WATTS


def make_tree(sysfs: Path) -> Path:
    """A one-socket Intel machine below ``sysfs``; returns its ``energy_uj``."""
    zone = sysfs / "class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    (zone / "enabled").write_text("1\n")
    (zone / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    (zone / "constraint_0_max_power_uw").write_text("125000000\n")
    counter = zone / "energy_uj"
    write(os.open(counter, os.O_CREAT | os.O_WRONLY))
    return counter


def write(descriptor: int) -> None:
    """The counter's value of this instant, in a text of constant length."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    os.pwrite(descriptor, f"{round(joules(now) * 1e6) % RANGE_UJ:012d}\n".encode(), 0)


def main() -> None:
    """Keep the counter moving."""
    descriptor = os.open(Path(sys.argv[1]), os.O_WRONLY)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        write(descriptor)
        time.sleep(0.0007)


if __name__ == "__main__":
    main()
