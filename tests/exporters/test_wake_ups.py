"""What the exporter does while nobody looks closely, counted in calls of the kernel: a guard that
no clock blurs, beside the benchmark of its CPU time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SECONDS = 10.0
WAKE_UPS_PER_SECOND = 13.0
"""RAPL ten times, the host's files, the poll, and now and then who looks after them: found 12.2."""
READS_PER_SECOND = 26.0
"""Each of two counters every 0.1 s, and the host's files: found 21.1. Sockets do not count."""
WRITES_PER_SECOND = 1.0
"""To files: none."""
STAT = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0\n"


@dataclass(frozen=True)
class Calls:
    """Of a process since its start."""

    reads: int
    writes: int
    slept: int
    """How often a thread of it gave the CPU away, to be woken again."""


def calls_of(process: int) -> Calls:
    """What the kernel has counted of it so far."""
    folder = Path(f"/proc/{process}")
    io = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
    statuses = [task / "status" for task in (folder / "task").iterdir()]
    counts = [
        int(line.split()[1])
        for status in statuses
        for line in status.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    ]
    return Calls(int(io["syscr"]), int(io["syscw"]), sum(counts))


def rapl(sysfs: Path) -> None:
    """A socket with its memory, whose counters can be read."""
    for key, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram")):
        zone = sysfs / "class/powercap" / key
        zone.mkdir(parents=True)
        (zone / "name").write_text(f"{name}\n")
        (zone / "energy_uj").write_text("5000000\n")
        (zone / "max_energy_range_uj").write_text("262143328850\n")


@pytest.mark.alone
def test_an_idle_exporter_wakes_and_reads_no_more_than_its_sensors_need(
    exporter: Callable[..., Any], tmp_path: Path
) -> None:
    """Polled once a second, as a collector does."""
    rapl(tmp_path / "sys")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    program = exporter("--no-estimate")  # which would count beside counters that stand still
    client = program.client
    cursor = client.samples().cursor
    time.sleep(1.0)
    before, began = calls_of(program.process.pid), time.monotonic()
    for _ in range(round(SECONDS)):
        time.sleep(1.0)
        page = client.samples(cursor)
        cursor = page.cursor
    seconds = time.monotonic() - began
    after = calls_of(program.process.pid)
    assert page.text.count("source=rapl") > 0
    assert (after.slept - before.slept) / seconds <= WAKE_UPS_PER_SECOND
    assert (after.reads - before.reads) / seconds <= READS_PER_SECOND
    assert (after.writes - before.writes) / seconds <= WRITES_PER_SECOND
