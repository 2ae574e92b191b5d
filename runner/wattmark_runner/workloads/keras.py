"""What a ``keras`` workload is made of: architectures, data sets, frameworks.

A line here and a module that does the work make a new one; docs/adding-workloads.md shows each.
The modules are imported by the worker alone.
"""

from dataclasses import dataclass
from typing import Final

from wattmark_runner.workloads.parameters import Parameter

_ZOO: Final = "wattmark_runner.worker.architectures"
_SETS: Final = "wattmark_runner.worker.datasets"
_ON: Final = "wattmark_runner.worker.frameworks"

APPLICATIONS: Final = (
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    "DenseNet121", "DenseNet169", "DenseNet201", "EfficientNetB0", "EfficientNetB1",
    "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6",
    "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2",
    "EfficientNetV2B3", "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S",
    "InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large",
    "MobileNetV3Small", "NASNetLarge", "NASNetMobile", "ResNet101", "ResNet101V2", "ResNet152",
    "ResNet152V2", "ResNet50", "ResNet50V2", "VGG16", "VGG19", "Xception",
)  # fmt: skip
"""Every classifier of ``keras.applications``."""

ARCHITECTURES: Final = {
    **dict.fromkeys(APPLICATIONS, f"{_ZOO}.applications"),
    "efficientnet-lite0": f"{_ZOO}.efficientnet_lite",
    "efficientnet-lite1": f"{_ZOO}.efficientnet_lite",
    "efficientnet-lite2": f"{_ZOO}.efficientnet_lite",
}
"""Name → module with ``build(name, weights, classes)``."""


@dataclass(frozen=True, slots=True)
class DataSetKind:
    """A module with ``read(files)``, and whether the configuration must give a ``path``."""

    module: str
    needs_path: bool = True


DATASETS: Final = {
    "ilsvrc2012": DataSetKind(f"{_SETS}.ilsvrc2012"),
    "folders": DataSetKind(f"{_SETS}.folders"),
    "npz": DataSetKind(f"{_SETS}.npz"),
    "digits": DataSetKind(f"{_SETS}.digits", needs_path=False),
    "synthetic": DataSetKind(f"{_SETS}.synthetic", needs_path=False),
}

FRAMEWORKS: Final = {
    "tensorflow": f"{_ON}.tensorflow",
    "torch": f"{_ON}.torch",
    "jax": f"{_ON}.jax",
}
"""Name, as Keras calls its backend → module with ``Compiled`` and ``facts()``."""

PRECISIONS: Final = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")

KERAS_PARAMETERS: Final = (
    Parameter("batch_size", "integer", 32, 1, 65536, meaning="images in a batch"),
    Parameter("backend", "string", "tensorflow", choices=tuple(FRAMEWORKS),
              meaning="the framework that infers"),
    Parameter("precision", "string", "float32", choices=PRECISIONS,
              meaning="of weights and arithmetic; mixed: weights stay float32"),
    Parameter("weights", "string", "imagenet", choices=("imagenet", "random"),
              meaning="trained ones, or random ones: energy is measured, nothing is scored"),
    Parameter("seed", "integer", 20231015, 0, 2**31 - 1, meaning="of random weights"),
    Parameter("pipeline_threads", "integer", 0, 0, 1024,
              meaning="that decode images; 0: as many as the run may use CPUs"),
    Parameter("keep_decoded", "boolean", False,
              meaning="decode every image once, before measuring, and keep it in memory"),
    Parameter("resize", "string", "crop", choices=("crop", "squash"),
              meaning="the middle of the image (87.5 %), or all of it"),
    Parameter("allow_broken", "boolean", False,
              meaning="go on without images that are missing; broken ones count as wrong"),
    Parameter("pause_seconds", "number", 0.0, 0.0, 86400.0, meaning="of rest between repeats"),
)  # fmt: skip
"""What a request may set, beside the repeats, the warm-up and the GPU of every run."""
