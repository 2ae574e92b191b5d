"""The classifiers of ``keras.applications``, each with its own size and preprocessing."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.architectures import IMAGENET_CLASSES, Architecture, ModelRequest
from wattmark_runner.worker.architectures.efficientnet import as_saved
from wattmark_runner.worker.architectures.weights import load_file, require_classes
from wattmark_runner.worker.datasets import Pixels
from wattmark_runner.worker.frameworks.out_of_memory import is_out_of_memory

SIZES: Final[dict[str, dict[str, Any]]] = {
    "MobileNetV3Small": {"input_shape": (224, 224, 3)},
    "MobileNetV3Large": {"input_shape": (224, 224, 3)},
}
"""Those that would take images of any size, and what they were published with."""


def build(request: ModelRequest) -> Architecture:
    """Raises ``ConfigurationError`` for weights that cannot be had or do not fit."""
    make = getattr(keras.applications, request.name)
    model, weights = made(functools.partial(make, **SIZES.get(request.name, {})), request)
    return Architecture(model, int(model.input.shape[1]), preparation(request.name), weights)


def preparation(name: str) -> Callable[[Pixels], Pixels]:
    """What Keras does to an image before that classifier."""
    own: Any = inspect.getmodule(getattr(keras.applications, name))

    def prepare(image: Pixels) -> Pixels:
        # A copy: many of Keras's functions work in place, and the image may be read-only.
        copy = np.array(image, np.float32, order="C")
        ready: Pixels = own.preprocess_input(copy, data_format="channels_last")
        return ready

    return prepare


def made(make: Any, request: ModelRequest) -> tuple[Any, str]:
    """What Keras's constructor makes, and which weights it has."""
    classes = request.classes or IMAGENET_CLASSES
    if not request.trained:
        return make(weights=None, classes=classes), "random"
    if request.file:
        model = make(weights=None, classes=classes)
        if request.name.startswith("EfficientNetB"):
            model = as_saved(model, Path(request.file))
        return model, load_file(model, request)
    require_classes(request, IMAGENET_CLASSES)
    try:
        return make(weights="imagenet"), "imagenet, of Keras"
    except Exception as error:  # the download raises what it likes
        if is_out_of_memory(error):
            raise
        raise ConfigurationError(
            f"Keras has no weights of {request.name} in its cache and cannot download them"
            f" ({' '.join(str(error).split())[:120]}); name a file under [workloads.NAME.weights],"
            ' or ask for weights "random"'
        ) from error
