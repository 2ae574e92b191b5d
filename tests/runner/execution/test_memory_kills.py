"""A worker that the kernel killed for memory: its reason names the limit."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from wattmark_runner.execution.memory_kills import MemoryKills

MIB: Final = 2**20
V1: Final = Path("/sys/fs/cgroup/memory")
V2: Final = Path("/sys/fs/cgroup")
EATER: Final = "x = []\nwhile True: x.append(bytearray(1 << 20))\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


V2_TREE: Final = {
    "proc/7/cgroup": "0::/jobs/job\n",
    "sys/fs/cgroup/jobs/job/memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 3\n",
    "sys/fs/cgroup/jobs/job/memory.max": "max\n",
    "sys/fs/cgroup/jobs/memory.events": "oom_kill 3\n",
    "sys/fs/cgroup/jobs/memory.max": "734003200\n",
    "proc/vmstat": "nr_free_pages 1\noom_kill 9\n",
    "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 5 kB\n",
}
V1_TREE: Final = {
    "proc/7/cgroup": "9:name=systemd:/\n4:cpu,memory:/job\n",
    "sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "734003200\n",
    "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\noom_kill 0\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
}


@pytest.mark.parametrize(
    ("tree", "later", "says"),
    [
        (V2_TREE, {}, ""),
        (V2_TREE, {"proc/vmstat": "oom_kill 12\n"}, ""),
        (
            V2_TREE,
            {"sys/fs/cgroup/jobs/job/memory.events": "oom_kill 4\n",
             "sys/fs/cgroup/jobs/memory.events": "oom_kill 4\n"},
            "memory ran out: 734003200 bytes, memory.max of control group /jobs",
        ),
        (
            V2_TREE,
            {"sys/fs/cgroup/jobs/job/memory.events": "oom_kill 4\n"},
            "memory ran out: all 1024000 bytes of the machine's",
        ),
        (
            V1_TREE,
            {"sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill 1\n"},
            "memory ran out: 734003200 bytes, memory.limit_in_bytes of control group /memory/job",
        ),
        (
            {"proc/7/cgroup": "0::/../elsewhere\n", "proc/vmstat": "oom_kill 9\n"},
            {"proc/vmstat": "oom_kill 10\n"}, "memory ran out",
        ),
        ({}, {}, ""),
        (
            {**V1_TREE, "sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill odd\n\xff\n"},
            {}, "",
        ),
    ],
)  # fmt: skip
def test_the_innermost_limit_is_named(
    tmp_path: Path, tree: dict[str, str], later: dict[str, str], says: str
) -> None:
    """Of either version; what others lost elsewhere on the machine says nothing of this one."""
    write(tmp_path, tree)
    kills = MemoryKills.of(7, tmp_path)
    write(tmp_path, later)
    assert kills.explained() == says


@pytest.fixture
def group() -> Iterator[tuple[Path, str]]:
    """A real group with 64 MiB, and the file that has its limit."""
    version_1 = (V1 / "memory.limit_in_bytes").exists()
    folder = (V1 if version_1 else V2) / f"wattmark-test-{os.getpid()}"
    name = "memory.limit_in_bytes" if version_1 else "memory.max"
    try:
        folder.mkdir()
        (folder / name).write_text(str(64 * MIB))
        for swap in ("memory.swappiness", "memory.swap.max"):
            with suppress(OSError):
                (folder / swap).write_text("0")
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error.strerror}")
    yield folder, name
    folder.rmdir()


def test_a_real_kill_names_the_real_limit(group: tuple[Path, str]) -> None:
    """The kernel's own counter says so."""
    folder, name = group

    def join() -> None:
        (folder / "cgroup.procs").write_text(str(os.getpid()))

    process = subprocess.Popen([sys.executable, "-c", f"input()\n{EATER}"],
                               stdin=subprocess.PIPE, preexec_fn=join)  # fmt: skip
    kills = MemoryKills.of(process.pid)
    process.communicate(b"\n", timeout=60)
    assert process.returncode == -signal.SIGKILL
    if not any("oom_kill " in path.read_text() for path in kills.counts):
        pytest.skip("this kernel does not count what it kills for memory")
    assert f"memory ran out: {64 * MIB} bytes, {name} of control group /" in kills.explained()
    assert folder.name in kills.explained()
