"""The networks: five of clearly different size and shape, for any small image.

Batch normalisation uses momentum .9: Keras's .99 leaves its averages unsettled after a short
training.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import keras
from keras import layers

from wattmark_runner.worker.frameworks.keras_config import use_defaults

Shape = tuple[int, int, int]


def _network(name: str, shape: Shape, classes: int, body: Sequence[Any]) -> Any:
    """Layers between an image and the class scores (logits)."""
    image = keras.Input(shape)
    value = image
    for layer in [*body, layers.Dense(classes)]:
        value = layer(value)
    return keras.Model(image, value, name=name)


def _norm() -> Any:
    return layers.BatchNormalization(momentum=0.9)


def _conv(filters: int) -> Any:
    return layers.Conv2D(filters, 3, padding="same", activation="relu")


def _separable(filters: int) -> Any:
    return layers.SeparableConv2D(filters, 3, padding="same", activation="relu")


def _mlp_small() -> list[Any]:
    return [layers.Flatten(), layers.Dense(32, activation="relu")]


def _mlp_wide() -> list[Any]:
    return [
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(512, activation="relu"),
    ]


def _cnn_small() -> list[Any]:
    return [
        _conv(16), layers.MaxPooling2D(2),
        _conv(32), layers.MaxPooling2D(2),
        layers.Flatten(),
    ]  # fmt: skip


def _cnn_separable() -> list[Any]:
    return [
        _conv(16), layers.MaxPooling2D(2), _norm(),
        _separable(32), _norm(),
        _separable(64), layers.MaxPooling2D(2), _norm(),
        _separable(64), _norm(),
        layers.Flatten(),
    ]  # fmt: skip


def _cnn_large() -> list[Any]:
    return [
        _conv(32), layers.MaxPooling2D(2), _norm(),
        _conv(64), _norm(),
        _conv(64), layers.MaxPooling2D(2), _norm(),
        _conv(128), _norm(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
    ]  # fmt: skip


BODIES: Final[dict[str, Callable[[], list[Any]]]] = {
    "mlp-small": _mlp_small,
    "mlp-wide": _mlp_wide,
    "cnn-small": _cnn_small,
    "cnn-separable": _cnn_separable,
    "cnn-large": _cnn_large,
}


def build(model: str, shape: Shape, classes: int) -> Any:
    """An untrained network for images of ``shape`` (height, width, channels)."""
    use_defaults()
    return _network(model, shape, classes, BODIES[model]())
