"""Batches of images, decoded ahead by threads, in the data set's order, for ever."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images, Pixels

Prepare = Callable[[Pixels], Pixels]
AHEAD = 2
"""Batches that are decoded already when all threads are at work on others."""
PART = 8
"""Images that a thread decodes in one go: a large batch is the work of all threads, so that few
batches are in memory and none is long in coming."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``number`` of the batch in its pass, its images, and which of them could not be read."""

    number: int
    pixels: Pixels
    broken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImageSource:
    """``count`` images of a data set as a network wants them.

    ``prepare`` is the architecture's own preprocessing of an image, which it may change in place.
    With ``allow_broken`` an image that cannot be read is black, and reported; else it is an error.
    """

    images: Images
    count: int
    frame: ImageFrame
    prepare: Prepare
    batch_size: int
    allow_broken: bool

    @property
    def batches(self) -> int:
        """Batches in a pass; the last may be smaller."""
        return -(-self.count // self.batch_size)

    @property
    def bytes(self) -> int:
        """Of all images, decoded, in bytes."""
        return self.count * self.frame.pixels**2 * 3 * np.dtype(np.float32).itemsize

    @property
    def batch_bytes(self) -> int:
        """Of the images of a whole batch."""
        return self.bytes // self.count * min(self.batch_size, self.count)

    @property
    def parts(self) -> int:
        """Parts that a whole batch is decoded in."""
        return -(-min(self.batch_size, self.count) // PART)

    def order(self, number: int, pool: ThreadPoolExecutor) -> "Ordered":
        """Have a batch decoded by all threads of ``pool``."""
        first = number * self.batch_size
        last = min(first + self.batch_size, self.count)
        pixels = np.zeros((last - first, self.frame.pixels, self.frame.pixels, 3), np.float32)
        parts = tuple(
            pool.submit(self._decode, pixels[at : at + PART], first + at)
            for at in range(0, last - first, PART)
        )
        return Ordered(number, pixels, parts)

    def _decode(self, pixels: Pixels, first: int) -> list[int]:
        """Images from number ``first`` on, in place; which of them cannot be read.

        Raises ``RunError`` naming one that cannot be read, unless that is allowed.
        """
        broken = []
        for number, image in enumerate(pixels, start=first):
            try:
                image[...] = self.images.read(number, self.frame)
            except BrokenImage as error:
                if not self.allow_broken:
                    raise RunError(
                        f"image {error} cannot be read; repair it, or set allow_broken to count"
                        " it as wrong"
                    ) from error
                broken.append(number)
            prepared = self.prepare(image)
            if prepared is not image:
                image[...] = prepared
        return broken


@dataclass(frozen=True, slots=True)
class Ordered:
    """A batch that is being decoded; each part knows in the end what could not be read."""

    number: int
    pixels: Pixels
    parts: tuple[Future[list[int]], ...]

    @property
    def done(self) -> bool:
        """Need nobody wait for it?"""
        return all(part.done() for part in self.parts)

    def batch(self) -> Batch:
        """Wait for it. Raises ``RunError`` naming an image that cannot be read."""
        broken = tuple(number for part in self.parts for number in part.result())
        return Batch(self.number, self.pixels, broken)


def batches_ahead(source: ImageSource, threads: int) -> int:
    """How many are decoded or being decoded: all threads have work while ``AHEAD`` wait."""
    return AHEAD + -(-threads // source.parts)


def require_memory(source: ImageSource, threads: int, inferred: int, available_bytes: int) -> None:
    """Raise ``ConfigurationError`` if a pipeline needs more.

    ``inferred``: batches that it has handed out and that are still in use.
    """
    batches = batches_ahead(source, threads) + inferred
    wanted_bytes = batches * source.batch_bytes
    if wanted_bytes > available_bytes:
        size = min(source.batch_size, source.count)
        raise ConfigurationError(
            f"{batches} batches of {size} images, decoded ahead or being inferred, need"
            f" {wanted_bytes / 1e9:.1f} GB of memory, {available_bytes / 1e9:.1f} GB are available"
            " for them; take a smaller batch_size, or fewer pipeline_threads"
        )


class Pipeline:
    """``next()`` is batch 0, 1, …, the last, 0, 1, …

    The threads go on decoding while nobody asks, up to ``batches_ahead``. ``waited_ns``: how long
    ``next`` has had to wait in all.
    """

    def __init__(self, source: ImageSource, threads: int) -> None:
        self._source = source
        self._number = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._coming: deque[Ordered] = deque()
        self.waited_ns = 0
        for _ in range(batches_ahead(source, threads)):
            self._order()

    def next(self) -> Batch:
        """Raises ``RunError`` naming an image that cannot be read."""
        first = self._coming.popleft()
        self._order()
        if first.done:
            return first.batch()
        start = time.monotonic_ns()
        batch = first.batch()
        self.waited_ns += time.monotonic_ns() - start
        return batch

    def _order(self) -> None:
        self._coming.append(self._source.order(self._number, self._pool))
        self._number = (self._number + 1) % self._source.batches


class CachedBatches:
    """The same from memory: every image is decoded once, by ``threads``, before the first batch.

    Raises ``ConfigurationError`` if the images need more than ``available_bytes``.
    """

    waited_ns = 0

    def __init__(self, source: ImageSource, threads: int, available_bytes: int) -> None:
        if source.bytes > available_bytes:
            raise ConfigurationError(
                f"{source.count} images that are kept decoded need {source.bytes / 1e9:.1f} GB of"
                f" memory, {available_bytes / 1e9:.1f} GB are available for them; take fewer"
                " images, or leave out keep_decoded"
            )
        pool = ThreadPoolExecutor(threads)
        try:
            ordered = [source.order(number, pool) for number in range(source.batches)]
            self._batches = [order.batch() for order in ordered]
        finally:
            pool.shutdown(cancel_futures=True)
        self._number = 0

    def next(self) -> Batch:
        """The next batch."""
        batch = self._batches[self._number]
        self._number = (self._number + 1) % len(self._batches)
        return batch
