"""Control groups as real machines show them: what stands in /proc and /sys/fs/cgroup."""

from pathlib import Path
from typing import Final

DOCKER: Final = "docker/3f1c9a"
POD: Final = "kubepods/burstable/pod7b1d/9ce2"
NO_LIMIT_V1: Final = "9223372036854771712"
MIB: Final = 2**20


def write(root: Path, files: dict[str, str]) -> Path:
    """Files below ``root``, by their names."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def mounted(version: int, top: str, point: str, controllers: str = "") -> str:
    """A line of /proc/self/mountinfo."""
    kind, options = ("cgroup", f"rw,{controllers}") if version == 1 else ("cgroup2", "rw")
    return f"34 24 0:29 {top} {point} ro,nosuid,nodev,noexec,relatime master:9 - {kind} x {options}"


def docker_v1(root: Path) -> Path:
    """Docker on Debian 10: the group's own files are all that the container sees, under a name that
    is not there. Two and a half cores, 700 MiB."""
    own = f"/{DOCKER}"
    memory, cpu = "sys/fs/cgroup/memory", "sys/fs/cgroup/cpu,cpuacct"
    return write(root, {
        "proc/self/cgroup": f"9:memory:{own}\n4:cpu,cpuacct:{own}\n1:name=systemd:{own}",
        "proc/self/mountinfo": "\n".join([
            "23 1 8:1 / / rw - ext4 /dev/sda1 rw",
            mounted(1, own, "/sys/fs/cgroup/memory", "memory"),
            mounted(1, own, "/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"),
        ]),
        f"{memory}/memory.limit_in_bytes": str(700 * MIB),
        f"{memory}/memory.usage_in_bytes": str(500 * MIB),
        f"{memory}/memory.use_hierarchy": "1",
        f"{memory}/memory.stat": f"inactive_file 1\nhierarchical_memory_limit {700 * MIB}\n"
                                 f"total_inactive_file {100 * MIB}",
        f"{cpu}/cpu.cfs_quota_us": "250000",
        f"{cpu}/cpu.cfs_period_us": "100000",
        f"{cpu}/cpu.stat": "nr_periods 40\nnr_throttled 8\nthrottled_time 1500000000",
    })  # fmt: skip


def docker_v2(root: Path) -> Path:
    """Docker on Debian 12: a name space of its own, so its group is the root of what it sees."""
    top = "sys/fs/cgroup"
    return write(root, {
        "proc/self/cgroup": "0::/",
        "proc/self/mountinfo": mounted(2, "/", "/sys/fs/cgroup"),
        f"{top}/memory.max": str(700 * MIB),
        f"{top}/memory.high": "max",
        f"{top}/memory.current": str(500 * MIB),
        f"{top}/memory.stat": f"anon 1\ninactive_file {100 * MIB}\nactive_file 7",
        f"{top}/cpu.max": "50000 100000",
        f"{top}/cpu.stat": "usage_usec 5\nnr_periods 40\nnr_throttled 8\nthrottled_usec 1500000",
    })  # fmt: skip


def systemd_v2(root: Path) -> Path:
    """A service on Debian 12 with ``MemoryHigh=`` in a slice with ``CPUQuota=``."""
    slice_ = "sys/fs/cgroup/measure.slice"
    service = f"{slice_}/wattmark.service"
    return write(root, {
        "proc/self/cgroup": "0::/measure.slice/wattmark.service",
        "proc/self/mountinfo": mounted(2, "/", "/sys/fs/cgroup"),
        f"{service}/memory.max": "max",
        f"{service}/memory.high": str(600 * MIB),
        f"{service}/memory.current": str(100 * MIB),
        f"{service}/memory.stat": "inactive_file 0",
        f"{service}/cpu.max": "max 100000",
        f"{slice_}/memory.max": str(5000 * MIB),
        f"{slice_}/memory.current": str(4900 * MIB),
        f"{slice_}/memory.stat": "inactive_file 0",
        f"{slice_}/cpu.max": "150000 100000",
        f"{slice_}/cpu.stat": "throttled_usec 250000",
    })  # fmt: skip


def kubernetes_v1(root: Path) -> Path:
    """A container without a limit of its own in a pod that has one, which it does not see."""
    own = f"/{POD}"
    memory, cpu = "sys/fs/cgroup/memory", "sys/fs/cgroup/cpu"
    return write(root, {
        "proc/self/cgroup": f"9:memory:{own}\n4:cpuacct,cpu:{own}",
        "proc/self/mountinfo": "\n".join([
            mounted(1, own, "/sys/fs/cgroup/memory", "memory"),
            mounted(1, own, "/sys/fs/cgroup/cpu", "cpuacct,cpu"),
        ]),
        f"{memory}/memory.limit_in_bytes": NO_LIMIT_V1,
        f"{memory}/memory.usage_in_bytes": str(200 * MIB),
        f"{memory}/memory.stat": f"hierarchical_memory_limit {1000 * MIB}\ntotal_inactive_file 0",
        f"{cpu}/cpu.cfs_quota_us": "-1",
        f"{cpu}/cpu.cfs_period_us": "100000",
    })  # fmt: skip


def kubernetes_v2(root: Path) -> Path:
    """A container in a pod, with the name space of the host, as a privileged one has."""
    top = "sys/fs/cgroup"
    pod, own = (
        f"{top}/kubepods.slice/pod7b1d.slice",
        f"{top}/kubepods.slice/pod7b1d.slice/cri-9c.scope",
    )
    return write(root, {
        "proc/self/cgroup": "0::/kubepods.slice/pod7b1d.slice/cri-9c.scope",
        "proc/self/mountinfo": mounted(2, "/", "/sys/fs/cgroup"),
        f"{own}/memory.max": "max",
        f"{own}/memory.current": str(90 * MIB),
        f"{own}/cpu.max": "200000 100000",
        f"{own}/cpu.stat": "throttled_usec 1000000",
        f"{pod}/memory.max": str(300 * MIB),
        f"{pod}/memory.current": str(100 * MIB),
        f"{pod}/memory.stat": "inactive_file 0",
        f"{pod}/cpu.max": "150000 50000",
        f"{pod}/cpu.stat": "throttled_usec 500000",
    })  # fmt: skip


def hybrid(root: Path) -> Path:
    """Debian 10 itself: controllers in version 1, and the names of version 2 beside them."""
    memory = "sys/fs/cgroup/memory"
    return write(root, {
        "proc/self/cgroup": "9:memory:/user.slice\n4:cpu,cpuacct:/\n0::/user.slice/session-1.scope",
        "sys/fs/cgroup/unified/user.slice/session-1.scope/cgroup.procs": "1",
        f"{memory}/user.slice/memory.limit_in_bytes": str(400 * MIB),
        f"{memory}/user.slice/memory.usage_in_bytes": str(100 * MIB),
        f"{memory}/user.slice/memory.stat": "total_inactive_file 0",
        f"{memory}/memory.limit_in_bytes": NO_LIMIT_V1,
        "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 0",
    })  # fmt: skip
