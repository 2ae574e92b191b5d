"""EfficientNetB0 to B7: which of Keras's two networks a file of weights belongs to.

Keras's network of ``weights="imagenet"`` has a second ``Rescaling`` that the one of
``weights=None`` has not (keras/src/applications/efficientnet.py; TensorFlow's issue 49930). It has
no weights, so a file fits either, and only one of them is what was trained.
"""

import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import h5py
import keras
from keras import layers

from wattmark_core.regular_file import require_regular
from wattmark_runner.worker.architectures import IMAGENET_CLASSES

STDDEV: Final = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue."""


def as_saved(model: Any, path: Path) -> Any:
    """``model``, which was built without weights, as the network that the file was saved from."""
    return rescaled(model) if has_rescaling(path, model.output.shape[-1]) else model


def rescaled(model: Any) -> Any:
    """Keras's ImageNet network, untrained."""

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        value = layer(*inputs, **options)
        if isinstance(layer, layers.Normalization):
            return layers.Rescaling([1.0 / math.sqrt(deviation) for deviation in STDDEV])(value)
        return value

    return keras.models.clone_model(model, call_function=call)


def has_rescaling(path: Path, classes: int) -> bool:
    """Was the second ``Rescaling`` in the network that the file was saved from?

    Files list their layers. Those that Keras publishes are older than this one and need it all the
    same; they are of the format before Keras 3, and of 1,000 classes.
    """
    try:
        with _opened(path) as file:
            saved = _rescalings(file.get("layers", ()))  # Keras 3's format
            names = file.get("model_weights", file).attrs.get("layer_names", ())
            listed = _rescalings(map(_text, names))
    except Exception:  # noqa: BLE001 - loading it reports what is wrong with the file
        saved = listed = 0
    if saved or listed > 1:
        return max(saved, listed) > 1
    return classes == IMAGENET_CLASSES


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The HDF5 file, which is one of an archive's if a whole model was saved."""
    require_regular(path)
    if not zipfile.is_zipfile(path):
        with h5py.File(path) as file:
            yield file
        return
    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as part,
        h5py.File(part) as file,
    ):
        yield file


def _rescalings(names: Iterable[str]) -> int:
    return sum(name.startswith("rescaling") for name in names)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
