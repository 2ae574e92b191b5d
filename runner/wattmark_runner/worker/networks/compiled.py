"""A trained network as one compiled function over a test set that already lies on its device.

The walk over the batches is part of the graph: a call of a compiled function costs some 150 µs of
interpreter and dispatch, as much as a whole batch of a small network.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets.standard import LabelledImages
from wattmark_runner.worker.measurement import Network


class CompiledNetwork(Network):
    """Predicts the class of each image, batch after batch.

    Raises ``ConfigurationError`` for a test set without images or with over 256 classes.
    """

    def __init__(self, model: Any, test: LabelledImages, batch_size: int) -> None:
        if not len(test.labels) or model.output.shape[-1] > 256 or batch_size < 1:
            raise ConfigurationError(
                "a test set needs images and at most 256 classes, and a batch at least one image"
            )
        self.images = len(test.labels)
        self.batches = -(-self.images // batch_size)
        self._walk = _compile(model, tf.constant(test.images), batch_size, self.batches)

    def infer(self, first: int, last: int) -> bytes:
        """The classes of the images of batches ``first`` to ``last - 1``, one byte each.

        Batch ``batches`` is batch 0 again. Returns when the results are in memory.
        """
        classes: npt.NDArray[np.uint8] = self._walk(tf.constant(first), tf.constant(last)).numpy()
        return classes.tobytes()


def _compile(model: Any, images: Any, batch_size: int, batches: int) -> Any:
    batch_shape = [None, *images.shape[1:]]

    @tf.function(input_signature=[tf.TensorSpec(batch_shape, images.dtype)])  # type: ignore[untyped-decorator]  # TensorFlow's
    def classify(batch: Any) -> Any:
        return tf.cast(tf.argmax(model(batch, training=False), axis=-1), tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)] * 2)  # type: ignore[untyped-decorator]  # TensorFlow's
    def walk(first: Any, last: Any) -> Any:
        classes = tf.TensorArray(
            tf.uint8, size=last - first, element_shape=[None], infer_shape=False
        )
        for number in tf.range(first, last):
            # One batch at a time, as in use: the next does not start beside it.
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            start = (number % batches) * batch_size
            batch = tf.ensure_shape(images[start : start + batch_size], batch_shape)
            classes = classes.write(number - first, classify(batch))
        return classes.concat()

    return walk.get_concrete_function()
