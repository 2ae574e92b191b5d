"""A trained network as one compiled function over a test set that already lies on its device."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from wattmark_core.errors import ConfigurationError

from wattmark_runner.worker.data import LabelledImages

Classes = npt.NDArray[np.uint8]


class CompiledNetwork:
    """Implements ``measure.Network``: predicts the class of each image, batch by batch.

    The class is chosen inside the graph; nothing is interpreted but the call. Raises
    ``ConfigurationError`` for a test set without images or with over 256 classes.
    """

    def __init__(self, model: Any, test: LabelledImages, batch_size: int) -> None:
        if not len(test.labels) or model.output.shape[-1] > 256 or batch_size < 1:
            raise ConfigurationError(
                "a test set needs images and at most 256 classes, and a batch at least one image"
            )
        self.images = len(test.labels)
        self._batches = [
            tf.constant(test.images[first : first + batch_size])
            for first in range(0, self.images, batch_size)
        ]
        signature = tf.TensorSpec([None, *test.images.shape[1:]], tf.float32)
        self._predict = tf.function(
            lambda images: tf.cast(tf.argmax(model(images, training=False), axis=-1), tf.uint8),
            input_signature=[signature],
        ).get_concrete_function()

    @property
    def batches(self) -> int:
        """Batches in one pass over the test set."""
        return len(self._batches)

    def infer(self, batch: int) -> Any:
        """Start one batch; its result may still be under way on a GPU."""
        return self._predict(self._batches[batch])

    def finish(self, results: list[Any]) -> bytes:
        """Wait until all ``results`` are there: one byte per image, its class."""
        classes: Classes = tf.concat(results, axis=0).numpy()
        return classes.tobytes()
