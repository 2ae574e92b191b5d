"""Weights from a configured file, in the network that they were trained in."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wattmark_runner.worker.architectures import ModelRequest

keras = pytest.importorskip("keras")

# Keras 3.15's own conversion of its weights to NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
NAME = "EfficientNetB0"


def with_weights(model: Any, values: list[Any], mean: Any, variance: Any) -> Any:
    """The model with these weights, but for those of its normalisation."""
    model.set_weights(values)
    (layer,) = (
        candidate for candidate in model.layers if isinstance(candidate, keras.layers.Normalization)
    )
    layer.set_weights([np.zeros(3) + mean, np.zeros(3) + variance, np.array(0)])
    layer.finalize_state()
    return model


@pytest.fixture(scope="module")
def plain() -> Any:
    """Keras's network of ``weights=None``."""
    keras.utils.set_random_seed(1)
    model = keras.applications.EfficientNetB0(weights=None)
    return with_weights(model, model.get_weights(), 0.4, 0.23)


@pytest.fixture(scope="module")
def imagenet(plain: Any) -> Any:
    """Keras's network of ``weights="imagenet"`` with the same weights, which needs no download."""
    from wattmark_runner.worker.architectures.efficientnet import rescaled

    return with_weights(rescaled(plain), plain.get_weights(), 0.4, 0.23)


def features(model: Any) -> Any:
    """What the first convolution makes of an image of noise."""
    image = np.random.default_rng(1).uniform(0.0, 255.0, (1, 224, 224, 3)).astype(np.float32)
    stem = keras.Model(model.input, model.get_layer("stem_conv").output)
    return np.asarray(stem(image, training=False))


def kinds(model: Any) -> list[str]:
    """The layers in their order."""
    return [type(layer).__name__ for layer in model.layers]


def built(path: Path, classes: int | None = None) -> Any:
    """The network that a run with this file would measure."""
    from wattmark_runner.worker.architectures.applications import build

    return build(ModelRequest(NAME, True, classes, str(path))).model


def legacy(model: Any, path: Path) -> Path:
    """A file of the format before Keras 3: weights alone, and a list of the layers."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.4.0"
        for layer in model.layers:
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [weight.name.encode() for weight in layer.weights]
            for weight, value in zip(layer.weights, layer.get_weights(), strict=True):
                group[weight.name] = value
    return path


def test_the_imagenet_network_is_keras_own(plain: Any, imagenet: Any) -> None:
    """A layer behind the normalisation that divides by the root of ImageNet's deviations."""
    from keras.src.applications.efficientnet import IMAGENET_STDDEV_RGB

    expected = kinds(plain)
    expected.insert(expected.index("Normalization") + 1, "Rescaling")
    assert kinds(imagenet) == expected
    assert not np.allclose(features(imagenet), features(plain), rtol=1e-3, atol=1e-4)
    clone, variance = keras.models.clone_model(plain), 0.23 * np.array(IMAGENET_STDDEV_RGB)
    wider = with_weights(clone, plain.get_weights(), 0.4, variance)
    np.testing.assert_allclose(features(imagenet), features(wider), rtol=1e-3, atol=1e-4)
    scale = imagenet.layers[expected.index("Normalization") + 1].scale
    assert scale == [1.0 / math.sqrt(deviation) for deviation in IMAGENET_STDDEV_RGB]


@pytest.mark.parametrize("ending", ["weights.h5", "keras"])
def test_a_file_is_loaded_into_the_network_that_it_was_saved_from(
    tmp_path: Path, plain: Any, imagenet: Any, ending: str
) -> None:
    """Whether that was built with ``weights=None`` or with ``weights="imagenet"``."""
    for model in (plain, imagenet):
        path = tmp_path / f"{len(model.layers)}.{ending}"
        (model.save if ending == "keras" else model.save_weights)(path)
        loaded = built(path)
        assert kinds(loaded) == kinds(model)
        np.testing.assert_allclose(features(loaded), features(model), rtol=1e-5, atol=1e-6)


def test_a_file_of_the_old_format_is_keras_own(tmp_path: Path, plain: Any, imagenet: Any) -> None:
    """Those that Keras publishes do not list the layer that they need; a file of other classes
    than ImageNet's cannot be one of them."""
    for model in (plain, imagenet):
        loaded = built(legacy(model, tmp_path / "old.h5"))
        assert kinds(loaded) == kinds(imagenet)
        np.testing.assert_allclose(features(loaded), features(imagenet), rtol=1e-5, atol=1e-6)
    few = keras.applications.EfficientNetB0(weights=None, classes=3)
    assert kinds(built(legacy(few, tmp_path / "few.h5"), 3)) == kinds(few)
