"""JAX: the model is one ``jax.jit``, its weights arguments, so that they are not compiled in."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from wattmark_runner.worker.frameworks import gpu_given

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else it takes most of the board
# Empty: what there is. A JAX with CUDA that sees no GPU fails if it may look for one.
os.environ["JAX_PLATFORMS"] = "" if gpu_given() else "cpu"
os.environ["JAX_PLATFORM_NAME"] = ""
import jax  # type: ignore[import-not-found, unused-ignore]


class Compiled:
    """A model whose output is the class with the highest score."""

    def __init__(self, model: Any, shape: tuple[int, int, int]) -> None:
        del shape  # it compiles when it first sees a batch

        def classify(trained: Any, other: Any, batch: Any) -> Any:
            scores, _ = model.stateless_call(trained, other, batch, training=False)
            return scores.argmax(axis=-1)

        self._classify = jax.jit(classify)
        self._weights = [
            [jax.device_put(variable.value) for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]

    def start(self, batch: npt.NDArray[np.float32]) -> Any:
        """Set the device to work; it may go on after the return."""
        return self._classify(*self._weights, batch)

    def finish(self, started: Any) -> npt.NDArray[np.uint16]:
        """The classes, once the device has them."""
        return np.asarray(started).astype(np.uint16)


def gpu_names() -> list[str]:
    """The GPUs that the framework sees."""
    return [device.device_kind for device in jax.devices() if device.platform == "gpu"]


def on_gpu(weight: Any) -> bool:
    """Does a tensor of the model lie on a GPU?"""
    return all(device.platform == "gpu" for device in weight.devices())


def facts() -> dict[str, str]:
    """What the numbers depend on."""
    return {"jax": jax.__version__, "jaxlib": jax.lib.__version__}
