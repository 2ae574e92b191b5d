"""``[workloads.NAME] keras = "KIND"``: the images and weights that the configuration names.

[workloads."keras:imagenet"]
keras = "ilsvrc2012"
path = "/data/ilsvrc2012/val"
labels = "/data/ilsvrc2012/ILSVRC2012_devkit_t12"

[workloads."keras:imagenet".weights]
MobileNetV3Small = "/data/weights/mobilenet_v3_small.weights.h5"
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wattmark_runner.workloads.keras import ARCHITECTURES, DATASETS
from wattmark_runner.workloads.reading import Table


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """A data set: its ``kind``, where it lies, where its labels lie if not there.

    ``images``: the first so many; None: all. ``weights``: architecture → file, in place of
    Keras's own.
    """

    kind: str
    path: str = ""
    labels: str = ""
    images: int | None = None
    weights: Mapping[str, str] = field(default_factory=dict)

    def given_to(self, architecture: str) -> dict[str, str]:
        """What a worker that runs the architecture needs of it."""
        return {
            "kind": self.kind, "path": self.path, "labels": self.labels,
            "images": "" if self.images is None else str(self.images),
            "weights": self.weights.get(architecture, ""),
        }  # fmt: skip


def read_images(table: Table) -> ImageFiles:
    """What the table says. Raises ``ConfigurationError``."""
    kind = table.text("keras", "")
    if kind not in DATASETS:
        raise table.wrong("keras", f"no data set {kind!r}; known are {', '.join(DATASETS)}")
    files = ImageFiles(
        kind,
        table.text("path", ""),
        table.text("labels", ""),
        table.integer("images"),
        table.table("weights").texts(),
    )
    if DATASETS[kind].needs_path != bool(files.path):
        raise table.wrong("path", "is needed" if not files.path else f"{kind} has no files")
    for architecture in files.weights:
        if architecture not in ARCHITECTURES:
            raise table.wrong(f"weights.{architecture}", "is no architecture that is known")
    for name, given in (("path", files.path), ("labels", files.labels), *files.weights.items()):
        if given and not Path(given).exists():
            raise table.wrong(name, f"{given} is not there")
    return files
