"""Images that lie in memory as one array, brought to a network's size by repeating pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import ImageFrame, Images, Pixels

CROP = 0.875
"""The part of an image that is its middle: 224 of 256, as is usual on ImageNet."""


def of_arrays(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], classes: int | None = None
) -> Images:
    """Images (count, height, width[, channels 1 or 3]), 0 to 255, and a class for each.

    ``classes`` None: as many as the labels show. Raises ``ConfigurationError`` for other
    shapes and values.
    """
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in {1, 3} or 0 in images.shape:
        raise ConfigurationError(
            f"images of shape {images.shape} cannot be used; (count, height, width, 1 or 3) can"
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ConfigurationError(
            f"{len(images)} images have labels of shape {labels.shape} and type {labels.dtype};"
            " give one whole number per image"
        )

    _require_range(images)

    def read(number: int, frame: ImageFrame) -> Pixels:
        return enlarge(images[number].astype(np.float32), frame)

    known = tuple(int(label) for label in labels)
    return Images(len(images), read, str, known, classes or max(known) + 1)


def _require_range(images: npt.NDArray[Any]) -> None:
    """All of the array is judged, in place: one unit holds for all of its images.

    Black images are black in any unit.
    """
    if images.dtype.kind not in "uif":
        raise ConfigurationError(f"images of type {images.dtype} cannot be used; numbers can")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 255):  # nor is a NaN
        raise ConfigurationError(
            f"the images' values are {low:.6g} to {high:.6g}; bring them to 0 to 255"
        )
    if 0 < high <= 1:
        raise ConfigurationError(
            f"the images' values are {low:.6g} to {high:.6g}, and 0 to 255 is needed; multiply"
            " them by 255"
        )


def enlarge(image: Pixels, frame: ImageFrame) -> Pixels:
    """The nearest pixel for each of the result; grey becomes red, green and blue alike."""
    height, width, _ = image.shape
    if frame.resize == "crop":
        side = CROP * min(height, width)
        rows, columns = (_centres(length, side, frame.pixels) for length in (height, width))
    else:
        rows, columns = (_centres(length, length, frame.pixels) for length in (height, width))
    pixels = image[rows[:, np.newaxis], columns]
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def _centres(length: int, side: float, pixels: int) -> npt.NDArray[np.intp]:
    """Which of ``length`` pixels lies under each of ``pixels`` that share ``side`` of them."""
    places = (length - side) / 2.0 + (np.arange(pixels) + 0.5) * side / pixels
    return np.clip(places.astype(np.intp), 0, length - 1)
