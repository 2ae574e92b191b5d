"""What a client says of a window of code that runs elsewhere."""

from dataclasses import dataclass, field

from wattmark_core.results import Boundary, Phase


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """A window to open or to record.

    ``run_id``: the external run that it joins; None: a run is made. ``max_seconds``: an open window
    is abandoned after this time. ``gpu``: UUID of the GPU to count; empty: none.
    """

    workload: str = ""
    model: str = ""
    phase: Phase = Phase.INFERENCE
    label: str = ""
    run_id: str | None = None
    max_seconds: float = 3600.0
    gpu: str = ""
    boundary: Boundary | None = None
    owner: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    test_images: int | None = None


@dataclass(frozen=True, slots=True)
class WindowResults:
    """What was done in a window that has ended. ``label`` None: the label stays as it is."""

    inferences: int | None = None
    correct: int | None = None
    cpu_seconds: float | None = None
    label: str | None = None
