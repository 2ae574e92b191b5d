"""Windows and scores: what a run writes into the store, once, when it is known."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

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
    of the process that did the work. ``joules`` is None while the window is not measured, or
    cannot be. ``complete`` False: joules are a lower bound. ``overlapping`` True: another window of
    the host shares its time, so it is not ranked. ``clock``: ``host`` if the host's monotonic clock
    stamped it, ``client`` if the client that posted it gave the times, which nobody can check.
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
        """Length of the window, s."""
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


def about(meaning: str, unit: str = "") -> dict[str, Any]:
    """Metadata of a result's field, under the names by which pydantic takes them into the OpenAPI
    document. ``unit``: empty for what has none."""
    return {"description": meaning} | ({"json_schema_extra": {"unit": unit}} if unit else {})


@dataclass(frozen=True, slots=True)
class Score:
    """A score of one model on one host, never without boundary, method, verdict and interval.

    Stores, REST, exports and the run records take its fields from here.
    """

    run_id: str = field(metadata=about("the run that it is a score of"))
    host: str = field(metadata=about("where that ran"))
    model: str = field(metadata=about("the network"))
    workload: str = field(metadata=about("what it inferred on"))
    boundary: Boundary = field(metadata=about("what of the machine is counted"))
    formula: str = field(metadata=about("the name of the score: accuracy^2/energy, or another"))
    time_ns: int = field(metadata=about("start of the run, Unix time", "ns"))
    method: Method | None = field(
        metadata=about("how its energy was measured; null: it rests on none")
    )
    verdict: Verdict = field(metadata=about("what the checks amount to"))
    value: float | None = field(metadata=about("null: energy or accuracy is missing"))
    low: float | None = field(
        metadata=about("95 % measurement interval, of repeats and instrument: from")
    )
    high: float | None = field(
        metadata=about("95 % measurement interval, of repeats and instrument: to")
    )
    population_low: float | None = field(
        default=None, metadata=about("the interval with the binomial error of the accuracy: from")
    )
    population_high: float | None = field(
        default=None, metadata=about("the interval with the binomial error of the accuracy: to")
    )
    accuracy: float | None = field(
        default=None, metadata=about("share of right answers, 0 to 1", "1")
    )
    joules_per_inference: float | None = field(
        default=None, metadata=about("energy per inference within the boundary", "J")
    )
    joules_per_inference_low: float | None = field(
        default=None, metadata=about("95 % interval of that energy: from", "J")
    )
    joules_per_inference_high: float | None = field(
        default=None, metadata=about("95 % interval of that energy: to", "J")
    )
    watts: float | None = field(
        default=None, metadata=about("mean power over the measured windows", "W")
    )
    inferences_per_second: float | None = field(
        default=None, metadata=about("in the measured windows", "1/s")
    )
    cpu_seconds_per_inference: float | None = field(
        default=None, metadata=about("CPU time of the process that inferred", "s")
    )
    net_joules_per_inference: float | None = field(
        default=None, metadata=about("energy per inference above the idle baselines", "J")
    )
    parameters: int | None = field(default=None, metadata=about("weights of the network"))
    macs: int | None = field(default=None, metadata=about("multiply-accumulates of an inference"))
    checks: tuple[Check, ...] = field(default=(), metadata=about("what the verdict rests on"))
    settings: str = field(
        default="",
        metadata=about(
            "the run's parameters that are not at their defaults: backend=torch batch_size=1"
        ),
    )
    gpu: str = field(default="", metadata=about("UUID of the GPU in use; empty: none"))
    test_images: int | None = field(default=None, metadata=about("images of the test set"))
    cpu_utilization_ratio: float | None = field(
        default=None, metadata=about("mean use of all CPUs in the measured windows, 0 to 1", "1")
    )
    memory_used_bytes: float | None = field(
        default=None,
        metadata=about("mean memory in use on the machine in the measured windows", "B"),
    )
    gpu_utilization_ratio: float | None = field(
        default=None, metadata=about("mean use of the GPU in the measured windows, 0 to 1", "1")
    )
    gpu_memory_used_bytes: float | None = field(
        default=None, metadata=about("mean memory in use on the GPU in the measured windows", "B")
    )

    @property
    def variant(self) -> str:
        """The model with its settings: what is compared on one machine."""
        return f"{self.model} {self.settings}".rstrip()

    @property
    def place(self) -> str:
        """The host, and of the GPU in use as much of its UUID as CUDA needs to know it."""
        return f"{self.host} {self.gpu[:GPU_LETTERS]}".rstrip()
