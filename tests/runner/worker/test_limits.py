"""Limits of control groups, of both versions, as real machines show them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runner.worker import trees
from tests.runner.worker.trees import MIB
from wattmark_runner.worker import limits
from wattmark_runner.worker.limits import MemoryLimit, cpu_quota, cpu_quotas, memory_limits

Machine = Callable[[Path], Path]


def shown(found: list[MemoryLimit]) -> list[tuple[float, float, str]]:
    """MiB and places."""
    return [(limit.limit_bytes / MIB, limit.left_bytes / MIB, limit.place) for limit in found]


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (trees.docker_v1, [(700, 300, "memory.limit_in_bytes of control group /docker/3f1c9a")]),
        (trees.docker_v2, [(700, 300, "memory.max of control group /")]),
        (
            trees.systemd_v2,
            [
                (600, 500, "memory.high of control group /measure.slice/wattmark.service"),
                (5000, 100, "memory.max of control group /measure.slice"),
            ],
        ),
        (
            trees.kubernetes_v1,
            [
                (1000, 800, "hierarchical_memory_limit of a control group around"
                 " /kubepods/burstable/pod7b1d/9ce2"),
            ],
        ),
        (
            trees.kubernetes_v2,
            [(300, 200, "memory.max of control group /kubepods.slice/pod7b1d.slice")],
        ),
        (trees.hybrid, [(400, 300, "memory.limit_in_bytes of control group /user.slice")]),
    ],
)  # fmt: skip
def test_memory_limits_of_machines(
    machine: Machine, expected: list[tuple[float, float, str]], tmp_path: Path
) -> None:
    """Of either version, on the whole way up, with what they leave and where they stand."""
    assert shown(memory_limits(machine(tmp_path))) == expected


@pytest.mark.parametrize(
    ("machine", "cores", "threads", "throttled"),
    [
        (trees.docker_v1, 2.5, 2, 1.5),
        (trees.docker_v2, 0.5, 1, 1.5),
        (trees.systemd_v2, 1.5, 1, 0.25),
        (trees.kubernetes_v1, None, None, None),
        (trees.kubernetes_v2, 2.0, 2, 1.5),
        (trees.hybrid, None, None, None),
    ],
)
def test_cpu_quotas_of_machines(
    machine: Machine, cores: float | None, threads: int | None, throttled: float | None,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The least on the way up; the time for which groups were held back, in all that have one."""
    root = machine(tmp_path)
    quota = cpu_quota(root)
    assert (quota.cores if quota else None) == cores
    allowed = len(os.sched_getaffinity(0))
    assert limits.usable_cpus(root) == (allowed if threads is None else min(threads, allowed))
    held = limits.throttled_seconds(cpu_quotas(root))
    assert held == (None if throttled is None else pytest.approx(throttled))


def test_a_group_that_does_not_count_those_below_ends_the_way_up(tmp_path: Path) -> None:
    """Before Linux 5.11 a limit of version 1 held for the groups below only where that was set."""
    root = trees.hybrid(tmp_path)
    top = "sys/fs/cgroup/memory"
    trees.write(root, {f"{top}/memory.limit_in_bytes": "5", f"{top}/memory.use_hierarchy": "1"})
    assert [limit.limit_bytes for limit in memory_limits(root)] == [400 * MIB, 5]
    trees.write(root, {f"{top}/memory.use_hierarchy": "0"})
    assert [limit.limit_bytes for limit in memory_limits(root)] == [400 * MIB]


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.stat": "anon 5"}, 200),
        ({"memory.stat": ""}, 200),
        ({"memory.stat": "inactive_file"}, 200),
        ({"memory.stat": "inactive_file many"}, 200),
        ({"memory.stat": "inactive_file -3"}, 200),
        ({"memory.stat": f"inactive_file {10**30}"}, 200),
        ({"memory.stat": f"inactive_file {900 * MIB}"}, 700),
        ({"memory.current": "unknown"}, 700),
        ({"memory.max": "plenty"}, None),
        ({"memory.max": ""}, None),
        ({"memory.max": f"{10**20}"}, None),
        ({"memory.max": "max"}, None),
    ],
)
def test_odd_files_are_left_out(files: dict[str, str], left: int | None, tmp_path: Path) -> None:
    """What cannot be read frees nothing and limits nothing; the rest counts."""
    root = trees.docker_v2(tmp_path)
    trees.write(root, {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    found = [limit.left_bytes / MIB for limit in memory_limits(root)]
    assert found == ([] if left is None else [left])


@pytest.mark.parametrize("text", ["", "max", "max 100000", "half 100000", "50000 0", "0 1", "\xff"])
def test_odd_quotas_are_none(text: str, tmp_path: Path) -> None:
    """Neither a division by nothing nor an invented quota."""
    root = trees.docker_v2(tmp_path)
    trees.write(root, {"sys/fs/cgroup/cpu.max": text})
    assert cpu_quota(root) is None


def test_a_file_that_cannot_be_understood_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With its beginning, printable."""
    root = trees.docker_v2(tmp_path)
    (root / "sys/fs/cgroup/memory.max").write_bytes(b"\x1b[31m700\n")
    assert [memory_limits(root) for _ in range(3)] == [[], [], []]
    (record,) = caplog.records
    assert record.getMessage().endswith(r"memory.max: no number: '\x1b[31m700'; left out")


def test_time_that_is_not_known_is_not_zero(tmp_path: Path) -> None:
    """A group with a quota whose cpu.stat says nothing of throttling."""
    root = trees.kubernetes_v2(tmp_path)
    own = "sys/fs/cgroup/kubepods.slice/pod7b1d.slice/cri-9c.scope/cpu.stat"
    trees.write(root, {own: "usage_usec 7"})
    assert limits.throttled_seconds(cpu_quotas(root)) is None
    assert limits.throttled_seconds([]) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(which=st.integers(0, 100), damage=st.binary(max_size=12), at=st.integers(0, 10**6))
def test_damage_to_one_group_changes_no_other(
    which: int, damage: bytes, at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes put into any file of one group: no error, and the other's limits are unchanged."""
    root = trees.systemd_v2(tmp_path_factory.mktemp("tree"))
    before = {limit.place: limit for limit in memory_limits(root)}
    files = sorted(path for path in (root / "sys").rglob("*") if path.is_file())
    path = files[which % len(files)]
    whole = path.read_bytes()
    at %= len(whole)
    path.write_bytes(whole[:at] + damage + whole[at:])
    after = {limit.place: limit for limit in memory_limits(root)}
    cpu_quotas(root)
    for place, limit in before.items():
        if not place.endswith(path.parent.name):
            assert after[place] == limit
