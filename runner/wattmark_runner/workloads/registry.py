"""The built-in workloads: a labelled test set and the networks that are measured on it.

The networks themselves are defined in ``worker/models.py``, beside the framework.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_runner.workloads.parameters import Parameter

DATA_ROOT: Final = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` puts Fashion-MNIST."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A test set, what it is, and the names of the networks that run on it."""

    name: str
    meaning: str
    models: tuple[str, ...]


NETWORKS: Final = ("mlp-small", "mlp-wide", "cnn-small", "cnn-separable", "cnn-large")
"""The same names on both test sets, so that one can stand in for the other."""

WORKLOADS: Final = (
    BuiltIn("fashion-mnist", "10,000 labelled test images of clothes, 28 × 28", NETWORKS),
    BuiltIn("digits", "360 labelled test images of handwritten digits, 8 × 8", NETWORKS),
)

BUILT_IN_PARAMETERS: Final = (
    Parameter("batch_size", "integer", 32, 1, 65536, meaning="images in a batch"),
    Parameter("seed", "integer", 20231015, 0, 2**31 - 1, meaning="of weights and training"),
)
