"""The CPU line of PROC/stat: what each of its modes means, once for all who read it."""

import os
from typing import Final, NamedTuple

USER_HZ: Final = os.sysconf("SC_CLK_TCK")
"""Jiffies in a second as the kernel shows them to programs."""


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
    """From the text of PROC/stat. Raises ``ValueError`` if its first line is not the CPUs' sum."""
    name, *fields = stat[: stat.find(b"\n")].split()
    if name != b"cpu" or len(fields) < 8:
        raise ValueError(f"PROC/stat begins with {stat[:40]!r}")
    user, nice, system, idle, iowait, irq, softirq, steal, *guests = map(int, fields)
    guest, guest_nice = [*guests, 0, 0][:2]
    return CpuTimes(
        user - guest, nice - guest_nice, system, idle, iowait, irq, softirq, steal,
        guest + guest_nice,
    )  # fmt: skip


def visible_cpus(stat: bytes) -> int:
    """How many CPUs PROC/stat lists: those on line, in some containers only those granted."""
    return stat.count(b"\ncpu")  # the first line is their sum
