"""The compiled network and the counter of multiply-accumulates, with the framework itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets.standard import LabelledImages

keras = pytest.importorskip("keras")


def random_images(count: int) -> LabelledImages:
    """Noise in the shape of digits."""
    values = np.random.default_rng(1).random((count, 8, 8, 1), np.float32)
    return LabelledImages(values, np.zeros(count, np.int64))


def network(name: str = "cnn-separable") -> Any:
    from wattmark_runner.worker.architectures.builtin import build

    keras.utils.set_random_seed(1)
    return build(name, (8, 8, 1), 10)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 64])
def test_the_compiled_walk_predicts_what_the_network_predicts(batch_size: int) -> None:
    """Whatever the batches, each image gets the class that the plain network gives it."""
    from wattmark_runner.worker.networks.compiled import CompiledNetwork

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
    from wattmark_runner.worker.networks.compiled import CompiledNetwork

    with pytest.raises(ConfigurationError, match="needs images"):
        CompiledNetwork(network(), random_images(0), 32)


def test_macs_and_parameters_agree_with_the_published_ones() -> None:
    """MobileNet (Howard et al. 2017, table 4): 569 million multiply-adds, 4.2 million weights."""
    from wattmark_runner.worker.networks.macs import count_macs

    model = keras.applications.MobileNet(weights=None)
    macs = count_macs(model)
    assert macs is not None
    assert round(macs / 1e6) == 569
    assert round(model.count_params() / 1e5) == 43  # with the statistics of batch normalisation


def test_macs_of_an_unknown_layer_are_missing_and_not_zero() -> None:
    """A network with a layer that the counter does not know has no count."""
    from wattmark_runner.worker.networks.macs import count_macs

    model = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(2), keras.layers.Dense(1)])
    assert count_macs(model) is None


def shared(image: Any) -> Any:
    """A convolution at two sizes, and a dense layer three times."""
    layers = keras.layers
    convolution, dense = layers.Conv2D(3, 3, padding="same"), layers.Dense(3)
    value = layers.Flatten()(convolution(layers.MaxPooling2D(2)(convolution(image))))
    value = layers.Dense(3)(value)
    return dense(dense(dense(value)) + 1.0)


def test_a_layer_counts_as_often_as_it_is_called() -> None:
    """At the size of each call; calls in other networks do not count."""
    from wattmark_runner.worker.networks.macs import count_macs

    image = keras.Input((8, 8, 3))
    kernel = 3 * 3 * 3 * 3
    expected = kernel * 8 * 8 + kernel * 4 * 4 + 4 * 4 * 3 * 3 + 3 * 3 * 3
    model = keras.Model(image, shared(image))
    assert count_macs(model) == expected
    other = keras.Input((8, 8, 3))
    twice = keras.Model(other, keras.layers.Add()([model(other), model(other)]))
    assert count_macs(twice) == 2 * expected
    assert count_macs(model) == expected


class Own(keras.layers.Layer):  # type: ignore[misc, name-defined]  # untyped
    """A layer without weights that multiplies matrices."""

    def call(self, value: Any) -> Any:
        return keras.ops.matmul(value, value)


class Imperative(keras.Model):  # type: ignore[misc, name-defined]  # untyped
    """A network that is no graph."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, value: Any) -> Any:
        return self.dense(self.dense(value))


@pytest.mark.parametrize(
    "multiply",
    [
        lambda value: keras.layers.Dot(1)([value, value]),
        lambda value: keras.layers.Attention()([value, value]),
        lambda value: keras.layers.AdditiveAttention(use_scale=False)([value, value]),
        lambda value: keras.layers.Lambda(lambda tensor: tensor)(value),
        lambda value: keras.ops.matmul(value, value),
        lambda value: keras.ops.einsum("bij,bjk->bik", value, value),
        lambda value: keras.layers.Dense(4)(keras.ops.matmul(value, value)),
        lambda value: Own()(value),
    ],
)
def test_products_without_a_known_kernel_are_unknown(multiply: Callable[[Any], Any]) -> None:
    """Layers without weights and operations between layers are not taken for nothing."""
    from wattmark_runner.worker.networks.macs import count_macs

    value = keras.Input((4, 4))
    assert count_macs(keras.Model(value, multiply(value))) is None


def test_macs_without_graph_or_size_are_unknown() -> None:
    """A subclass of ``keras.Model`` may call its layers how it likes."""
    from wattmark_runner.worker.networks.macs import count_macs

    model = Imperative()
    model(np.zeros((1, 2), np.float32))
    assert count_macs(model) is None
    assert count_macs(keras.Sequential([keras.layers.Dense(2)])) is None
    image = keras.Input((None, None, 3))
    assert count_macs(keras.Model(image, keras.layers.Conv2D(2, 3)(image))) is None


def test_the_networks_differ_clearly_in_size_and_shape() -> None:
    """No two have the same MACs and parameters, and every count is known."""
    from wattmark_runner.worker.architectures.builtin import BODIES, build
    from wattmark_runner.worker.networks.macs import count_macs
    from wattmark_runner.workloads import find_workload

    assert tuple(BODIES) == find_workload("fashion-mnist").models
    built = [build(name, (28, 28, 1), 10) for name in BODIES]
    sizes = [(count_macs(model), model.count_params()) for model in built]
    assert len(set(sizes)) == len(sizes)
    assert all(macs is not None for macs, _ in sizes)
