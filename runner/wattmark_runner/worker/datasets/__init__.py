"""Labelled images, read one by one as a network wants them.

A module here has ``read(path, labels)``, which returns ``Images``; a line in ``workloads/zoo.py``
makes it known. Imports no framework.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
"""Height, width, red-green-blue; 0 to 255."""


class BrokenImage(Exception):
    """An image that cannot be read; says which and why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a network wants: a square of ``pixels``, of the image's middle or of all of it."""

    pixels: int
    resize: Literal["crop", "squash"] = "crop"


@dataclass(frozen=True, slots=True)
class Images:
    """A data set in its order.

    ``read(number, frame)`` may be called from several threads; raises ``BrokenImage``.
    ``labels`` None: there is no accuracy. ``classes`` None: as many as the network has.
    ``missing``: names of images that have a label and no file, or a file and no label.
    ``broken``: numbers and reasons of those that are known not to be readable.
    """

    count: int
    read: Callable[[int, Frame], Pixels]
    name: Callable[[int], str]
    labels: tuple[int, ...] | None
    classes: int | None
    missing: tuple[str, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()
