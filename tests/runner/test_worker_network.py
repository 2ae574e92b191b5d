"""The compiled network and the counter of multiply-accumulates, with the framework itself."""

from typing import Any

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.data import LabelledImages

keras = pytest.importorskip("keras")


def random_images(count: int) -> LabelledImages:
    """Noise in the shape of digits."""
    values = np.random.default_rng(1).random((count, 8, 8, 1), np.float32)
    return LabelledImages(values, np.zeros(count, np.int64))


def network(name: str = "cnn-separable") -> Any:
    from wattmark_runner.worker.models import build

    keras.utils.set_random_seed(1)
    return build(name, (8, 8, 1), 10)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 64])
def test_the_compiled_walk_predicts_what_the_network_predicts(batch_size: int) -> None:
    """Whatever the batches, each image gets the class that the plain network gives it."""
    from wattmark_runner.worker.network import CompiledNetwork

    images, model = random_images(20), network()
    expected = np.argmax(np.asarray(model(images.images, training=False)), axis=-1).tolist()
    compiled = CompiledNetwork(model, images, batch_size)
    assert list(compiled.infer(0, compiled.batches)) == expected
    assert list(compiled.infer(0, 2 * compiled.batches)) == expected * 2
    assert list(compiled.infer(1, compiled.batches + 1)) == (
        expected[batch_size:] + expected[:batch_size]
    )


def test_a_test_set_without_images_is_refused() -> None:
    """Nothing can be measured on nothing."""
    from wattmark_runner.worker.network import CompiledNetwork

    with pytest.raises(ConfigurationError, match="needs images"):
        CompiledNetwork(network(), random_images(0), 32)


def test_macs_and_parameters_agree_with_the_published_ones() -> None:
    """MobileNet (Howard et al. 2017, table 4): 569 million multiply-adds, 4.2 million weights."""
    from wattmark_runner.worker.macs import count_macs

    model = keras.applications.MobileNet(weights=None)
    macs = count_macs(model)
    assert macs is not None
    assert round(macs / 1e6) == 569
    assert round(model.count_params() / 1e5) == 43  # with the statistics of batch normalisation


def test_macs_of_an_unknown_layer_are_missing_and_not_zero() -> None:
    """A network with a layer that the counter does not know has no count."""
    from wattmark_runner.worker.macs import count_macs

    model = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(2), keras.layers.Dense(1)])
    assert count_macs(model) is None


def test_the_networks_differ_clearly_in_size_and_shape() -> None:
    """No two have the same MACs and parameters, and every count is known."""
    from wattmark_runner.worker.macs import count_macs
    from wattmark_runner.worker.models import BODIES, build
    from wattmark_runner.workloads import find_workload

    assert tuple(BODIES) == find_workload("fashion-mnist").models
    built = [build(name, (28, 28, 1), 10) for name in BODIES]
    sizes = [(count_macs(model), model.count_params()) for model in built]
    assert len(set(sizes)) == len(sizes)
    assert all(macs is not None for macs, _ in sizes)
