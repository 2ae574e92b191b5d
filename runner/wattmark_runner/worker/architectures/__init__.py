"""Architectures: Keras models with their size, preprocessing and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wattmark_runner.worker.datasets import Pixels


@dataclass(frozen=True, slots=True)
class Architecture:
    """A classifier. ``pixels``: side of the square that it takes; ``weights``: what they are.

    ``prepare`` turns an image of values 0 to 255 into what the model takes.
    """

    model: Any
    pixels: int
    prepare: Callable[[Pixels], Pixels]
    weights: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """``classes`` None: as many as the weights have. ``trained`` False: random weights.

    ``file``: trained weights that the configuration names; empty: the architecture's own.
    """

    name: str
    trained: bool
    classes: int | None = None
    file: str = ""


IMAGENET_CLASSES = 1000
