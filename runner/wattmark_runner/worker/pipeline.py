"""Batches of images, decoded ahead by threads, in the data set's order, for ever."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.worker.datasets import BrokenImage, Frame, Images, Pixels

Prepare = Callable[[Pixels], Pixels]
AHEAD = 2
"""Batches that are decoded already when all threads are at work on others."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``number`` of the batch in its pass, its images, and which of them could not be read."""

    number: int
    pixels: Pixels
    broken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """``count`` images of a data set as a network wants them.

    ``prepare`` is the architecture's own preprocessing of an image. With ``allow_broken`` an image
    that cannot be read is black, and told; else it is an error.
    """

    images: Images
    count: int
    frame: Frame
    prepare: Prepare
    batch_size: int
    allow_broken: bool

    @property
    def batches(self) -> int:
        """Batches in a pass; the last may be smaller."""
        return -(-self.count // self.batch_size)

    @property
    def bytes(self) -> int:
        """Of all images, decoded."""
        return self.count * self.frame.pixels**2 * 3 * np.dtype(np.float32).itemsize

    def batch(self, number: int) -> Batch:
        """Decode one. Raises ``RunError`` naming an image that cannot be read."""
        first = number * self.batch_size
        last = min(first + self.batch_size, self.count)
        side = self.frame.pixels
        pixels = np.zeros((last - first, side, side, 3), np.float32)
        broken = []
        for place, image in enumerate(range(first, last)):
            try:
                pixels[place] = self.prepare(self.images.read(image, self.frame))
            except BrokenImage as error:
                if not self.allow_broken:
                    raise RunError(
                        f"image {error} cannot be read; repair it, or set allow_broken to count"
                        " it as wrong"
                    ) from error
                broken.append(image)
        return Batch(number, pixels, tuple(broken))


class Pipeline:
    """``next()`` is batch 0, 1, …, the last, 0, 1, …

    The threads go on decoding while nobody asks, up to ``threads + AHEAD`` batches. ``waited_ns``:
    how long ``next`` has had to wait in all.
    """

    def __init__(self, source: Source, threads: int) -> None:
        self._source = source
        self._number = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._coming: deque[Future[Batch]] = deque()
        self.waited_ns = 0
        for _ in range(threads + AHEAD):
            self._order()

    def next(self) -> Batch:
        """Raises ``RunError`` naming an image that cannot be read."""
        first = self._coming.popleft()
        self._order()
        if first.done():
            return first.result()
        start = time.monotonic_ns()
        batch = first.result()
        self.waited_ns += time.monotonic_ns() - start
        return batch

    def _order(self) -> None:
        self._coming.append(self._pool.submit(self._source.batch, self._number))
        self._number = (self._number + 1) % self._source.batches


class Kept:
    """The same from memory: every batch is decoded once, by ``threads``, before the first.

    Raises ``ConfigurationError`` if the images need more than ``available_bytes``.
    """

    waited_ns = 0

    def __init__(self, source: Source, threads: int, available_bytes: int) -> None:
        if source.bytes > available_bytes:
            raise ConfigurationError(
                f"keep_decoded: {source.count} images need {source.bytes / 1e9:.1f} GB of memory,"
                f" {available_bytes / 1e9:.1f} GB are available; leave it out, or take fewer images"
            )
        with ThreadPoolExecutor(threads) as pool:
            self._batches = list(pool.map(source.batch, range(source.batches)))
        self._number = 0

    def next(self) -> Batch:
        """The next batch."""
        batch = self._batches[self._number]
        self._number = (self._number + 1) % len(self._batches)
        return batch
