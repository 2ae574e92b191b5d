"""Memory that decoded images may take."""

import subprocess
import sys
from pathlib import Path

from wattmark_runner.worker.memory import available_bytes, left_in_groups

CHILD = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (900_000_000, 900_000_000))
held = bytearray(300_000_000)
from wattmark_runner.worker.memory import available_bytes
print(available_bytes())
"""


def group(folder: Path, limit: str, used: int, cached: int) -> None:
    """What the kernel reports of a control group."""
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\nactive_file 7\n")


def test_every_group_with_a_limit_counts(tmp_path: Path) -> None:
    """A service's own and those around it; the machine's root has none, version 1 is passed over,
    and files that are only kept count as free."""
    sysfs, own = tmp_path / "cgroup", tmp_path / "self"
    group(sysfs / "system.slice/wattmark.service", "5000", 3000, 400)
    group(sysfs / "system.slice/other.service", "10", 0, 0)
    own.write_text("4:memory:/v1\n0::/system.slice/wattmark.service\n")
    assert list(left_in_groups(sysfs, own)) == [2400]
    for name, text in (("max", "2000\n"), ("current", "1900\n"), ("stat", "inactive_file 0\n")):
        (sysfs / f"system.slice/memory.{name}").write_text(text)
    assert list(left_in_groups(sysfs, own)) == [2400, 100]
    (sysfs / "system.slice/memory.max").write_text("max\n")
    assert list(left_in_groups(sysfs, own)) == [2400]
    own.write_text("4:memory:/v1\n")
    assert list(left_in_groups(sysfs, own)) == []


def test_a_workloads_limit_counts() -> None:
    """What the process holds already is not available any more."""
    assert available_bytes() > 0
    command = [sys.executable, "-c", CHILD]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert 0 < int(output) < 600_000_000
