"""What a request asks of a ``keras`` workload."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from wattmark_runner.worker.limits import usable_cpus
from wattmark_runner.worker.protocol import Load


@dataclass(frozen=True, slots=True)
class Choice:
    """The parameters of ``workloads.keras.KERAS_PARAMETERS``, checked by the parent, and the files.

    ``kind``, ``path`` and ``labels`` are the data set's, of which ``count`` images are used (None:
    all), ``file`` the architecture's weights.
    """

    model: str
    kind: str
    path: str
    labels: str
    file: str
    count: int | None
    batch_size: int
    backend: str
    precision: str
    weights: Literal["imagenet", "random"]
    seed: int
    pipeline_threads: int
    keep_decoded: bool
    resize: Literal["crop", "squash"]
    allow_broken: bool
    pause_seconds: float

    @classmethod
    def of(cls, command: Load) -> Self:
        """What a ``Load`` command from the runner asks for."""
        parameters: dict[str, Any] = dict(command.parameters)
        files = command.files
        return cls(
            command.model, files["kind"], files["path"], files["labels"], files["weights"],
            int(files["images"]) if files["images"] else None,
            **parameters,
        )  # fmt: skip

    @property
    def threads(self) -> int:
        """That decode; as many as the process can keep CPUs busy, unless a number is asked for."""
        return self.pipeline_threads or usable_cpus()

    @property
    def trained(self) -> bool:
        """Has the network learnt anything?"""
        return self.weights != "random"
