"""What a ``keras`` workload is made of: architectures, data sets, frameworks.

A line here and a module that does the work make a new one; docs/adding-workloads.md shows each.
The modules are imported by the worker alone.
"""

from dataclasses import dataclass
from typing import Final

from wattmark_runner.workloads.parameters import Parameter

_ARCHITECTURES: Final = "wattmark_runner.worker.architectures"
_DATASETS: Final = "wattmark_runner.worker.datasets"
_FRAMEWORKS: Final = "wattmark_runner.worker.frameworks"

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
    **dict.fromkeys(APPLICATIONS, f"{_ARCHITECTURES}.applications"),
    "efficientnet-lite0": f"{_ARCHITECTURES}.efficientnet_lite",
    "efficientnet-lite1": f"{_ARCHITECTURES}.efficientnet_lite",
    "efficientnet-lite2": f"{_ARCHITECTURES}.efficientnet_lite",
}
"""Name → module with ``build(name, request, classes)``."""


@dataclass(frozen=True, slots=True)
class DataSetKind:
    """A module with ``read(path, labels)``, and whether the configuration must give a ``path``."""

    module: str
    needs_path: bool = True


DATASETS: Final = {
    "ilsvrc2012": DataSetKind(f"{_DATASETS}.ilsvrc2012"),
    "folders": DataSetKind(f"{_DATASETS}.folders"),
    "npz": DataSetKind(f"{_DATASETS}.npz"),
    "digits": DataSetKind(f"{_DATASETS}.digits", needs_path=False),
    "synthetic": DataSetKind(f"{_DATASETS}.synthetic", needs_path=False),
}

FRAMEWORKS: Final = {
    "tensorflow": f"{_FRAMEWORKS}.tensorflow",
    "torch": f"{_FRAMEWORKS}.torch",
    "jax": f"{_FRAMEWORKS}.jax",
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
