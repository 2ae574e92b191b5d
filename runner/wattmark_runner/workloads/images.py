"""The images and weights of a ``keras`` workload that the configuration names."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """A data set: its ``kind``, where it lies, where its labels lie if not there.

    ``images``: how many of them, from the first; None: all. ``weights``: architecture → file, in
    place of Keras's own.
    """

    kind: str
    path: str = ""
    labels: str = ""
    images: int | None = None
    weights: Mapping[str, str] = field(default_factory=dict)

    def options_for(self, architecture: str) -> dict[str, str]:
        """What a worker that runs the architecture needs of it."""
        return {
            "kind": self.kind, "path": self.path, "labels": self.labels,
            "images": "" if self.images is None else str(self.images),
            "weights": self.weights.get(architecture, ""),
        }  # fmt: skip
