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
            Meter("gpu", GPUS[1], "nvml", "counter", 56.0, 57.0),
        ),
        ("eno1", "ib0", "docker0", "veth1a2b3c4", "br-5f6e7d8c9b0a"), ("nvml", "rapl", "cpu"), GPUS,
    ),
    Host("vm", 2, 8e9, (Meter("package", "cpu", "estimate", "estimated", 2.1, 8.4),),
         ("eth0", "docker0"), ("estimate", "cpu")),
    Host("node03", 16, 64e9, (Meter("package", "socket0", "rapl", "counter", 38.0, 96.0),),
         ("enp3s0",), ("rapl", "cpu"), silent=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``ago_s``, when it began; its result, and the texts that the runner makes of it.

    ``missing``: "energy" or "accuracy", where it has none.
    """

    ago_s: int
    host: str
    model: str
    workload: str
    boundary: str
    method: str
    verdict: str
    joules: float
    spread: float
    accuracy: float
    texts: Sequence[str]
    gpu: str = ""
    settings: str = ""
    previous: str = ""
    findings: str = "every check passed"
    seconds: int = 10
    missing: str = ""

    def run_id(self, end_s: int) -> str:
        """As the runner makes them, from its start and its model."""
        start = datetime.fromtimestamp(end_s - self.ago_s, UTC)
        return f"{start:%Y%m%d-%H%M%S}-{self.model}-{self.ago_s:06x}"

    @property
    def length_s(self) -> int:
        """Idle, warm-up, five repeats with guards, idle."""
        return 40 + 5 * (self.seconds + 1)


HOUR: Final = 3600
DAY: Final = 24 * HOUR
RUNS: Final = (
    Run(2700, "lab-a100", "cnn-large", "digits", "host", "counter", "valid", 3.7e-3, 0.05, 0.950,
        ("3.70 ± 0.19 mJ", "95.0 ± 2.3 %", "878 ± 44 /mWh"), GPUS[0],
        previous="×1.02 (0.98–1.06): no difference seen", seconds=60),
    Run(1500, "lab-a100", "cnn-small", "digits", "host", "counter", "warned", 1.22e-3, 0.04, 0.942,
        ("1.22 ± 0.05 mJ", "94.2 ± 2.5 %", "2.62 ± 0.10 k/mWh"), GPUS[0],
        previous="×1.40 (1.31–1.50): more", findings="other programs used 0.90 cores in repeat 1",
        seconds=45),
    Run(2100, "vm", "mlp-small", "digits", "cpu", "estimated", "warned", 1e-5, 0.9, 0.908,
        ("≈ 10 µJ (4–30)", "90.8 ± 3.0 %", "≈ 300 k/mWh (90 k–900 k)"),
        findings="energy is ESTIMATED from CPU time; 7 more"),
    Run(900, "vm", "cnn-small", "digits", "cpu", "estimated", "warned", 1.7e-4, 0.9, 0.942,
        ("≈ 170 µJ (50–600)", "94.2 ± 2.5 %", "≈ 19 k/mWh (5 k–70 k)"),
        findings="energy is ESTIMATED from CPU time; 7 more"),
    Run(3 * DAY, "lab-a100", "mlp-small", "digits", "cpu", "counter", "valid", 2.4e-4, 0.4, 0.908,
        ("240 µJ (150–390)", "90.8 ± 3.0 %", "12 k/mWh (8 k–19 k)")),
    Run(3 * DAY + HOUR, "lab-a100", "mlp-wide", "digits", "cpu", "counter", "invalid", 9e-4, 0.3,
        0.925, ("900 ± 270 µJ", "92.5 ± 2.8 %", "–"),
        findings="another window shared its time"),
    Run(4 * DAY, "lab-a100", "cnn-small", "digits", "cpu", "counter", "valid", 3.7e-3, 0.13, 0.942,
        ("3.7 ± 0.5 mJ", "94.2 ± 2.5 %", "860 ± 120 /mWh")),
    Run(4 * DAY + HOUR, "node03", "mlp-small", "digits", "cpu", "counter", "valid", 1.9e-4, 0.1,
        0.908, ("190 ± 19 µJ", "90.8 ± 3.0 %", "15.6 ± 1.6 k/mWh")),
    Run(5 * DAY, "node03", "cnn-small", "digits", "cpu", "counter", "warned", 2.9e-3, 0.1, 0.942,
        ("2.90 ± 0.29 mJ", "94.2 ± 2.5 %", "1.10 ± 0.11 k/mWh"), settings="batch_size=1",
        findings="the idle means before and after differ by 12 %; allowed 5 %"),
    Run(5 * DAY + HOUR, "lab-a100", "cnn-small", "digits", "host", "counter", "valid", 8.7e-4, 0.05,
        0.942, ("870 ± 44 µJ", "94.2 ± 2.5 %", "3.67 ± 0.18 k/mWh"), GPUS[0]),
    Run(2 * DAY, "lab-a100", "mlp-small", "digits", "host", "counter", "warned", 2e-4, 0.1, 0.908,
        ("", "90.8 ± 3.0 %", ""), GPUS[0], findings="no energy: the sensor was away",
        missing="energy"),
    Run(2 * DAY + HOUR, "node03", "cnn-large", "digits", "host", "counter", "valid", 5.1e-3, 0.1,
        0.95, ("5.1 ± 0.5 mJ", "", ""), missing="accuracy"),
    Run(6 * DAY, "lab-a100", "efficientnet-lite0", "ilsvrc2012", "gpu", "counter", "valid", 0.0231,
        0.02, 0.754, ("23.1 ± 0.5 mJ", "75.4 ± 0.4 %", "88.6 ± 1.8 /mWh"), GPUS[1]),
)  # fmt: skip


def busy(host: str, ago_s: float) -> bool:
    """Whether a run works on the host so many seconds before the end; in the days before, twice
    in each hour."""
    if ago_s > HOUR:
        return ago_s % 1800 < 420
    return any(
        run.host == host and 0 < run.ago_s - ago_s - 20 < run.length_s - 40
        for run in RUNS if run.ago_s <= HOUR
    )  # fmt: skip


def watts(host: Host, meter: Meter, ago_s: float) -> float:
    """What a meter's device draws so many seconds before the end, W."""
    high = meter.busy if busy(host.name, ago_s) else meter.idle
    wave = math.sin(ago_s / 7) + 0.5 * math.sin(ago_s / 31) + 0.3 * math.sin(ago_s * 2.1)
    return high * (1 + 0.02 * wave)
