"""The table of workloads: a labelled test set and the networks that are measured on it.

The networks themselves are defined in ``worker/models.py``, beside the framework.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError

DATA_ROOT: Final = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` puts Fashion-MNIST."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A test set, what it is, and the names of the networks that run on it."""

    name: str
    meaning: str
    models: tuple[str, ...]

    def require(self, model: str) -> str:
        """``model``, if the workload has it. Raises ``ConfigurationError`` naming those it has."""
        if model not in self.models:
            raise ConfigurationError(
                f"workload {self.name} has no model {model!r}; it has {', '.join(self.models)}"
            )
        return model


NETWORKS: Final = ("mlp-small", "mlp-wide", "cnn-small", "cnn-separable", "cnn-large")
"""The same names on both test sets, so that one can stand in for the other."""

WORKLOADS: Final = (
    Workload("fashion-mnist", "10,000 labelled test images of clothes, 28 × 28", NETWORKS),
    Workload("digits", "360 labelled test images of handwritten digits, 8 × 8", NETWORKS),
)


def find_workload(name: str) -> Workload:
    """The workload called ``name``. Raises ``ConfigurationError`` naming the known ones."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    known = ", ".join(workload.name for workload in WORKLOADS)
    raise ConfigurationError(f"unknown workload {name!r}; known are {known}")
