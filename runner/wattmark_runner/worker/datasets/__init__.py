"""Labelled images, read one by one as a network wants them.

A module here has ``read(path, labels)``, which returns ``Images``; a line in ``workloads/keras.py``
makes it known. Imports no framework.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from wattmark_core.printable import printable

Pixels = npt.NDArray[np.float32]
"""Height, width, red-green-blue; 0 to 255."""
Bytes = npt.NDArray[np.uint8]
"""The same, as files hold it."""

NAMED: Final = 10
"""The most images that are named; the rest is a number."""


class BrokenImage(Exception):
    """An image that cannot be read; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class ImageFrame:
    """What a network wants: a square of ``pixels``, of the image's middle or of all of it."""

    pixels: int
    resize: Literal["crop", "squash"] = "crop"


def _unchecked(number: int) -> None:
    """Nothing is known before it is read."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An image that has a label and no file, or a file and no label.

    ``before``: the number of the image that it would come before.
    """

    name: str
    before: int


def named(names: Sequence[str]) -> str:
    """The first of them, printable, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(map(printable, names[:NAMED])) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Images:
    """A data set in an order of which any first part is a fair sample.

    ``read(number, frame)`` and ``check(number)`` may be called from several threads and raise
    ``BrokenImage``; ``check`` is a quick look at what cannot be read.
    ``labels`` None: there is no accuracy. ``classes`` None: as many as the network has.
    ``notices``: what lies there and is left out, and classes without an image.
    """

    count: int
    read: Callable[[int, ImageFrame], Pixels | Bytes]
    name: Callable[[int], str]
    labels: tuple[int, ...] | None
    classes: int | None
    missing: tuple[Missing, ...] = ()
    check: Callable[[int], None] = _unchecked
    notices: tuple[str, ...] = ()

    def first(self, count: int) -> "Images":
        """The first ``count`` of them, and what is missing among these; all, if there are fewer."""
        if count > self.count:
            return self
        labels = None if self.labels is None else self.labels[:count]
        missing = tuple(image for image in self.missing if image.before < count)
        return replace(self, count=count, labels=labels, missing=missing)
