"""PyTorch: the model runs in ``torch.inference_mode``, layer by layer."""

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch  # type: ignore[import-not-found, unused-ignore]  # comes with an extra

from wattmark_runner.worker.frameworks import gpu_given

DEVICE: Final = "cuda" if gpu_given() else "cpu"
os.environ["KERAS_TORCH_DEVICE"] = DEVICE  # read when Keras is imported, which comes later


class Compiled:
    """A model whose output is the class with the highest score."""

    def __init__(self, model: Any, shape: tuple[int, int, int]) -> None:
        del shape
        self._model = model

    def start(self, batch: npt.NDArray[np.float32]) -> Any:
        """Set the device to work; it may go on after the return."""
        with torch.inference_mode():
            images = torch.from_numpy(batch).to(DEVICE)
            return self._model(images, training=False).argmax(dim=-1)

    def finish(self, started: Any) -> npt.NDArray[np.uint16]:
        """The classes, once the device has them."""
        classes: npt.NDArray[np.uint16] = started.cpu().numpy().astype(np.uint16)
        return classes


def gpu_names() -> list[str]:
    """The GPUs that the framework sees."""
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def on_gpu(weight: Any) -> bool:
    """Does a tensor of the model lie on a GPU?"""
    return bool(weight.device.type == "cuda")


def facts() -> dict[str, str]:
    """What the numbers depend on."""
    return {
        "torch": torch.__version__,
        "threads_intra_op": str(torch.get_num_threads()),
        "threads_inter_op": str(torch.get_num_interop_threads()),
    }
