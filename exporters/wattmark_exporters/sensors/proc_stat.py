"""The CPU lines of PROC/stat: what each mode means, once for all who read it."""

import os
from operator import lt
from typing import Final, NamedTuple

from wattmark_core.printable import quoted
from wattmark_exporters.sensors.files import integer

USER_HZ: Final = os.sysconf("SC_CLK_TCK")
"""Jiffies in a second as the kernel shows them to programs."""
BACK_SECONDS: Final = 3.0
"""As in node_exporter (collector/cpu_linux.go, ``jumpBackSeconds``): more is a new beginning."""
_BACK_JIFFIES: Final = round(BACK_SECONDS * USER_HZ)
_SUMS: Final = b"\ncpu "
_MOST_JIFFIES: Final = 1 << 52
"""10,000 CPUs have so many after a hundred years at 1,000 Hz. A sum that went below 0 is more."""
_LEAST_FIELDS: Final = 8
"""Up to ``steal``; Linux before 2.6.33 has no guests."""


class CpuTimes(NamedTuple):
    """CPU time since boot over all CPUs, in jiffies; the names of proc_stat(5).

    The kernel counts guests in ``user`` and ``nice`` as well; here they are taken out.
    """

    user: int
    nice: int
    system: int
    idle: int
    iowait: int
    irq: int
    softirq: int
    steal: int
    guest: int

    @property
    def busy(self) -> int:
        """Work of this host: without guest, iowait and steal."""
        return self.user + self.nice + self.system + self.irq + self.softirq

    @property
    def total(self) -> int:
        """All time that the CPUs had."""
        return sum(self)


def cpu_times(stat: bytes) -> CpuTimes:
    """From the text of PROC/stat, wherever its line of sums stands. Raises ``ValueError`` if there
    is no such line, or one that is not of numbers, or of such as no machine's CPUs can have had.

    The kernel adds up a guest's time after that of ``user``, so that it may be ahead by a jiffy.
    """
    start = 0 if stat.startswith(_SUMS[1:]) else stat.find(_SUMS) + 1
    if not stat.startswith(_SUMS[1:], start):
        raise ValueError("it has no line of all CPUs' times")
    end = stat.find(b"\n", start)
    line = stat[start:end] if end > 0 else stat[start:]
    numbers = [integer(field) for field in line.split()[1:]]
    known = [number for number in numbers if number is not None and number < _MOST_JIFFIES]
    if len(known) < len(numbers) or len(known) < _LEAST_FIELDS:
        raise ValueError(f"its line of all CPUs' times is {quoted(line)}")
    user, nice, system, idle, iowait, irq, softirq, steal, *guests = known
    guest, guest_nice = [*guests, 0, 0][:2]
    return CpuTimes(
        max(user - guest, 0), max(nice - guest_nice, 0), system, idle, iowait, irq, softirq, steal,
        guest + guest_nice,
    )  # fmt: skip


def visible_cpus(stat: bytes) -> int:
    """How many CPUs PROC/stat lists: those on line, in some containers only those granted."""
    listed = stat.count(b"\ncpu")
    if stat.startswith(_SUMS[1:]):  # as the kernel writes it
        return listed
    return listed + stat.startswith(b"cpu") - stat.count(_SUMS)


class RisingTimes:
    """CPU times that do not go back by a little, as the kernel's do.

    ``user`` less ``guest`` falls by a jiffy on hosts of KVM, as they are not read at one instant;
    ``idle`` and ``iowait`` fall when a CPU goes off line or wakes another's (proc_stat(5)). A mode
    that fell by at most ``BACK_SECONDS`` keeps its last value; a larger fall is a new beginning.
    """

    def __init__(self) -> None:
        self._last: CpuTimes | None = None

    def of(self, times: CpuTimes) -> CpuTimes:
        """``times``, none of them below the one before but for a new beginning."""
        last = self._last
        if last is not None and any(map(lt, times, last)):
            times = CpuTimes(
                *(risen(a, b, _BACK_JIFFIES) for a, b in zip(last, times, strict=True))
            )
        self._last = times
        return times


def risen(last: int, now: int, slack: int) -> int:
    """A counter's value that is not below its ``last`` one, but for a fall of more than ``slack``:
    then it began anew."""
    return last if 0 < last - now <= slack else now
