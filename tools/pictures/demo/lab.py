"""The lab: what its hosts draw at each second, and when its runs are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

S: Final = 1_000_000_000
SILENT_S: Final = 420
"""So long ago ``node03`` was heard of last."""
GPUS: Final = (
    "GPU-3a1f9c2e-77d0-4f8a-b6f1-0c9a5d1e2b34",
    "GPU-b8e04d17-1c55-49a2-93be-f2d87a6c0e51",
)
A100: Final = "NVIDIA A100-SXM4-40GB"


@dataclass(frozen=True, slots=True)
class Meter:
    """One energy counter of a host: watts when idle, and when its host's runs use it."""

    domain: str
    device: str
    source: str
    method: str
    idle: float
    busy: float


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the lab. ``silent``: it fell silent before the end."""

    name: str
    cpus: int
    memory_bytes: float
    meters: Sequence[Meter]
    interfaces: Sequence[str]
    sensors: Sequence[str]
    gpus: Sequence[str] = ()
    silent: bool = False


HOSTS: Final = (
    Host(
        "lab-a100", 32, 270e9,
        (
            Meter("package", "socket0", "rapl", "counter", 92.0, 182.0),
            Meter("core", "socket0", "rapl", "counter", 41.0, 120.0),
            Meter("dram", "socket0", "rapl", "counter", 14.0, 21.0),
            Meter("gpu", GPUS[0], "nvml", "counter", 54.0, 248.0),
            Meter("gpu", GPUS[1], "nvml", "counter", 56.0, 251.0),
        ),
        ("eno1", "ib0", "docker0", "veth1a2b3c4", "br-5f6e7d8c9b0a"), ("nvml", "rapl", "cpu"), GPUS,
    ),
    Host("vm", 2, 8e9, (Meter("package", "cpu", "estimate", "estimated", 2.1, 8.4),),
         ("eth0", "docker0"), ("estimate", "cpu")),
    Host("node03", 16, 64e9, (Meter("package", "socket0", "rapl", "counter", 38.0, 96.0),),
         ("enp3s0",), ("rapl", "cpu"), silent=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """What a run needs to know of a network: accuracy on the workload's test images, and sizes."""

    workload: str
    test_images: int
    accuracy: float
    parameters: int
    macs: int


NETWORKS: Final = {
    "cnn-large": LabNetwork("digits", 360, 0.950, 2_223_720, 18_400_000),
    "cnn-small": LabNetwork("digits", 360, 0.942, 61_706, 1_240_000),
    "mlp-wide": LabNetwork("digits", 360, 0.925, 535_818, 535_040),
    "mlp-small": LabNetwork("digits", 360, 0.908, 2_410, 2_368),
    "efficientnet-lite0": LabNetwork("ilsvrc2012", 50_000, 0.754, 4_652_008, 385_000_000),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``ago_s``, when it began; what it cost per inference, J, and how its repeats differ.

    ``spread``: of the repeats about their mean. ``foreign_cores``: what other programs used in the
    first repeat, which cost ``first`` times as much. ``idle_ratio``: idle power after it over that
    before. ``shared``: another window of the host lay in its time. ``missing``: "energy" or
    "accuracy", where it has none.
    """

    ago_s: int
    host: str
    model: str
    boundary: str
    joules: float
    gpu: str = ""
    settings: str = ""
    seconds: int = 10
    spread: float = 0.012
    first: float = 1.0
    foreign_cores: float = 0.01
    idle_ratio: float = 1.003
    shared: bool = False
    missing: str = ""

    def run_id(self, end_s: int) -> str:
        """As the runner makes them, from its start and its model."""
        start = datetime.fromtimestamp(end_s - self.ago_s, UTC)
        return f"{start:%Y%m%d-%H%M%S}-{self.model}-{self.ago_s:06x}"

    @property
    def length_s(self) -> int:
        """Idle, warm-up, five repeats with guards, idle."""
        return 2 * IDLE_S + WARMUP_S + REPEATS * (self.seconds + 1)

    @property
    def factors(self) -> list[float]:
        """What each repeat cost of ``joules``."""
        around = [1.0 + self.spread * deviation for deviation in DEVIATIONS]
        return [around[0] * self.first, *around[1:]]


IDLE_S: Final = 30
WARMUP_S: Final = 5
DEVIATIONS: Final = (0.2, -1.0, 0.9, -0.5, 0.4)
REPEATS: Final = len(DEVIATIONS)
HOUR: Final = 3600
DAY: Final = 24 * HOUR
RUNS: Final = (
    Run(2700, "lab-a100", "cnn-large", "host", 3.7e-3, GPUS[0], seconds=60, spread=0.018),
    Run(1500, "lab-a100", "cnn-small", "host", 1.17e-3, GPUS[0], seconds=45, first=1.28,
        foreign_cores=0.90),
    Run(2100, "vm", "mlp-small", "cpu", 1e-5),
    Run(900, "vm", "cnn-small", "cpu", 1.7e-4),
    Run(3 * DAY, "lab-a100", "mlp-small", "cpu", 2.5e-4, spread=0.5),
    Run(3 * DAY + HOUR, "lab-a100", "mlp-wide", "cpu", 9e-4, spread=0.3, shared=True),
    Run(4 * DAY, "lab-a100", "cnn-small", "cpu", 3.7e-3, spread=0.025),
    Run(4 * DAY + HOUR, "node03", "mlp-small", "cpu", 1.9e-4),
    Run(5 * DAY, "node03", "cnn-small", "cpu", 2.9e-3, settings="batch_size=1", idle_ratio=1.12),
    Run(5 * DAY + HOUR, "lab-a100", "cnn-small", "host", 8.7e-4, GPUS[0]),
    Run(5 * DAY + 3 * HOUR, "lab-a100", "cnn-large", "host", 3.63e-3, GPUS[0], seconds=60,
        spread=0.02),
    Run(2 * DAY, "lab-a100", "mlp-small", "host", 2e-4, GPUS[0], missing="energy"),
    Run(2 * DAY + HOUR, "node03", "cnn-large", "host", 5.1e-3, missing="accuracy"),
    Run(6 * DAY, "lab-a100", "efficientnet-lite0", "gpu", 0.0231, GPUS[1]),
)  # fmt: skip


def busy(host: str, ago_s: float) -> bool:
    """Whether a run works on the host ``ago_s`` seconds before the end; in the days before, twice
    in each hour."""
    if ago_s > HOUR:
        return ago_s % 1800 < 420
    return any(
        run.host == host and IDLE_S <= run.ago_s - ago_s < run.length_s - IDLE_S
        for run in RUNS if run.ago_s <= HOUR
    )  # fmt: skip


def watts(host: Host, meter: Meter, ago_s: float) -> float:
    """What a meter's device draws ``ago_s`` seconds before the end, W."""
    return drawn(meter, ago_s, GPUS[0] if busy(host.name, ago_s) else None)


def drawn(meter: Meter, ago_s: float, gpu: str | None) -> float:
    """The same, W, while a run works that uses ``gpu``, or none; None: while nothing works."""
    works = gpu is not None and (meter.domain != "gpu" or meter.device == gpu)
    wave = math.sin(ago_s / 7) + 0.5 * math.sin(ago_s / 31) + 0.3 * math.sin(ago_s * 2.1)
    return (meter.busy if works else meter.idle) * (1 + 0.002 * wave)
