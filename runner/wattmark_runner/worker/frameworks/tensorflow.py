"""TensorFlow: the model is one ``tf.function``."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from wattmark_runner.worker.frameworks.environment import gpu_names, on_gpu, tensorflow_facts

__all__ = ["Compiled", "facts", "gpu_names", "on_gpu"]

for _gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(_gpu, True)  # else it takes the whole board


class Compiled:
    """A model whose output is the class with the highest score."""

    def __init__(self, model: Any, shape: tuple[int, int, int]) -> None:
        signature = [tf.TensorSpec([None, *shape], tf.float32)]

        @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]  # TensorFlow's
        def classify(batch: Any) -> Any:
            return tf.cast(tf.argmax(model(batch, training=False), axis=-1), tf.uint16)

        self._classify = classify.get_concrete_function()

    def start(self, batch: npt.NDArray[np.float32]) -> Any:
        """Set the device to work; it may go on after the return."""
        return self._classify(tf.constant(batch))

    def finish(self, started: Any) -> npt.NDArray[np.uint16]:
        """The classes, once the device has them."""
        classes: npt.NDArray[np.uint16] = started.numpy()
        return classes


def facts() -> dict[str, str]:
    """What the numbers depend on."""
    return tensorflow_facts()
