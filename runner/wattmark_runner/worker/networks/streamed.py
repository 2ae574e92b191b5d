"""A classifier over a stream of images."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wattmark_runner.worker.datasets.pipeline import Batch, ImageSource
from wattmark_runner.worker.measurement import Network

NONE = 0xFFFF
"""Stands for the class of an image that could not be read: no label is equal to it."""
CLASS_BYTES = 2
IN_FLIGHT = 2
"""Batches that a device may have before the first one's result is awaited."""
Classes = npt.NDArray[np.uint16]
UnderWay = deque[tuple[Batch, Any]]


class Classifier(Protocol):
    """A compiled model on a framework."""

    def start(self, batch: npt.NDArray[np.float32]) -> Any:
        """Set the device to work."""
        ...

    def finish(self, started: Any) -> Classes:
        """The classes, once the device has them."""
        ...


class Stream(Protocol):
    """Batches in order, for ever."""

    waited_ns: int

    def next(self) -> Batch:
        """The next batch of images."""
        ...


class StreamedNetwork(Network):
    """Its answers have two bytes an image.

    The stream goes on where it is, wherever a call begins: a pass is every image once, from
    whichever batch on, and its classes are put into the data set's order. So decoding is under way
    at both edges of a window alike. ``broken``: numbers of images that could not be read.
    """

    def __init__(self, classifier: Classifier, source: ImageSource, stream: Stream) -> None:
        self.images = source.count
        self.batches = source.batches
        self.broken: set[int] = set()
        self.on_batch: Callable[[], None] = _nothing
        """Called after each batch of a window."""
        self._classifier = classifier
        self._source = source
        self._stream = stream

    def infer(self, first: int, last: int) -> bytes:
        """The classes of as many batches, sorted within each pass, when the device has them all."""
        under_way: UnderWay = deque()
        done: list[tuple[int, bytes]] = []
        for _ in range(first, last):
            done += self._next(under_way)
            self.on_batch()
        done += [self._finish(*started) for started in under_way]
        passes = (done[at : at + self.batches] for at in range(0, len(done), self.batches))
        return b"".join(classes for one_pass in passes for _, classes in sorted(one_pass))

    def keep_busy(self, batches: int, over: Callable[[], bool]) -> None:
        """As in a window the device has its next batch before it has done the last."""
        under_way: UnderWay = deque()
        busy = True
        while busy:
            for _ in range(batches):
                self._next(under_way)
            busy = not over()
        for started in under_way:
            self._finish(*started)

    def prime(self) -> None:
        """One batch of each size that occurs: some frameworks compile when they see it."""
        batch = self._stream.next()
        self._finish(batch, self._classifier.start(batch.pixels))
        rest = self.images % self._source.batch_size
        if rest and self.batches > 1:
            part = Batch(0, batch.pixels[:rest], ())
            self._finish(part, self._classifier.start(part.pixels))

    def _next(self, under_way: UnderWay) -> list[tuple[int, bytes]]:
        """Set the device to work on one more batch; what it has done by then."""
        batch = self._stream.next()
        under_way.append((batch, self._classifier.start(batch.pixels)))
        return [self._finish(*under_way.popleft())] if len(under_way) > IN_FLIGHT else []

    def _finish(self, batch: Batch, started: Any) -> tuple[int, bytes]:
        classes = self._classifier.finish(started)
        if batch.broken:
            self.broken.update(batch.broken)
            first = batch.number * self._source.batch_size
            classes = classes.copy()
            classes[[number - first for number in batch.broken]] = NONE
        return batch.number, classes.astype("<u2").tobytes()


def count_correct(calls: list[bytes], labels: tuple[int, ...]) -> int:
    """How many of the predictions of whole passes are right.

    Raises ``ValueError`` if predictions and labels do not go together.
    """
    classes = np.frombuffer(b"".join(calls), "<u2").reshape(-1, len(labels))
    return int((classes == np.asarray(labels)).sum())


def _nothing() -> None:
    pass
