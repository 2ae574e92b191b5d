"""Windows and scores: what a run writes into the store, once, when it is known."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.units import ns_to_seconds

GPU_LETTERS: Final = 12
"""``GPU-`` and eight digits."""
ENERGY_SCORE: Final = "accuracy^2/energy"
ACCURACY_PER_PARAMETER: Final = "accuracy/parameters"
NETSCORE: Final = "netscore"


class Phase(StrEnum):
    """What happens in a window."""

    IDLE = "idle"
    GUARD = "guard"
    WARMUP = "warmup"
    INFERENCE = "inference"
    TRAINING = "training"


class Boundary(StrEnum):
    """What a score counts. ``cpu`` = package + dram; ``host`` = gpu + cpu."""

    GPU = "gpu"
    CPU = "cpu"
    HOST = "host"


BOUNDARY_DOMAINS: Final[dict[Boundary, frozenset[Domain]]] = {
    Boundary.GPU: frozenset({Domain.GPU}),
    Boundary.CPU: frozenset({Domain.PACKAGE, Domain.DRAM}),
    Boundary.HOST: frozenset({Domain.GPU, Domain.PACKAGE, Domain.DRAM}),
}
"""No domain stands in another: core and uncore (inside package) and psys (around it) are shown
beside a boundary and never added to one."""


class Verdict(StrEnum):
    """Valid and warned scores rank (warned ones marked); invalid ones are listed below."""

    VALID = "valid"
    WARNED = "warned"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which something was done, and what it cost.

    ``start_ns`` and ``end_ns`` are Unix ns in the exporter's time base. ``cpu_seconds``: CPU time
    of the process that did the work. ``joules`` is None while
    the window is not measured, or cannot be. ``complete`` False: joules are a lower bound.
    ``overlapping`` True: another window of the host shares its time, so it is not ranked.
    ``clock``: ``host`` if the host's monotonic clock stamped it, ``client`` if whoever posted it
    gave the times, which nobody can check.
    """

    window_id: str
    host: str
    phase: Phase
    start_ns: int
    end_ns: int
    model: str = ""
    workload: str = ""
    run_id: str = ""
    repeat: int = 0
    label: str = ""
    inferences: int | None = None
    correct: int | None = None
    cpu_seconds: float | None = None
    joules: float | None = None
    joules_low: float | None = None
    joules_high: float | None = None
    boundary: Boundary | None = None
    method: Method | None = None
    complete: bool = True
    overlapping: bool = False
    clock: str = "host"

    @property
    def seconds(self) -> float:
        """Length, s."""
        return ns_to_seconds(self.end_ns - self.start_ns)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a window or run: the measured value beside its limit.

    ``verdict`` VALID is a pass, WARNED a warning, INVALID a failure. ``value`` None: could not be
    measured, which ``message`` explains.
    """

    name: str
    verdict: Verdict
    value: float | None
    limit: float | None
    unit: str
    message: str


@dataclass(frozen=True, slots=True)
class Score:
    """A score of one model on one host, never without boundary, method, verdict and interval.

    ``low`` and ``high`` are the 95 % measurement interval (repeats and instrument);
    ``population_low`` and ``population_high`` add the binomial error of the accuracy. ``value`` is
    None when energy or accuracy is missing. ``time_ns`` is the run's start. ``settings``: the run's
    parameters that are not at their defaults, as in ``backend=torch batch_size=1``; ``gpu``: UUID
    of the GPU in use, empty for none. The four of use are means over the measured windows, of the
    whole machine or of that GPU.
    """

    run_id: str
    host: str
    model: str
    workload: str
    boundary: Boundary
    formula: str
    time_ns: int
    method: Method | None
    verdict: Verdict
    value: float | None
    low: float | None
    high: float | None
    population_low: float | None = None
    population_high: float | None = None
    accuracy: float | None = None
    joules_per_inference: float | None = None
    joules_per_inference_low: float | None = None
    joules_per_inference_high: float | None = None
    watts: float | None = None
    inferences_per_second: float | None = None
    cpu_seconds_per_inference: float | None = None
    net_joules_per_inference: float | None = None
    parameters: int | None = None
    macs: int | None = None
    checks: tuple[Check, ...] = field(default=())
    settings: str = ""
    gpu: str = ""
    test_images: int | None = None
    cpu_utilization_ratio: float | None = None
    memory_used_bytes: float | None = None
    gpu_utilization_ratio: float | None = None
    gpu_memory_used_bytes: float | None = None

    @property
    def variant(self) -> str:
        """The model with its settings: what is compared on one machine."""
        return f"{self.model} {self.settings}".rstrip()

    @property
    def place(self) -> str:
        """The host, and of the GPU in use as much of its UUID as CUDA needs to know it."""
        return f"{self.host} {self.gpu[:GPU_LETTERS]}".rstrip()
