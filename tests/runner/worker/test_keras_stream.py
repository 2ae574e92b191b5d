"""Networks on streams of images: order, edges, pauses; in virtual time or on a plain classifier."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from wattmark_core.testing import FakeClock
from wattmark_core.units import seconds_to_ns
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images, Pixels
from wattmark_runner.worker.datasets.pipeline import ImageSource, Pipeline
from wattmark_runner.worker.measurement import Measurement, Network
from wattmark_runner.worker.networks.streamed import NONE, StreamedNetwork, count_correct
from wattmark_runner.worker.protocol import Measure, PhaseEnd, WorkerMessage

COUNT = 10
BATCH = 4


@dataclass
class ShadeClassifier:
    """A classifier whose answer is the shade of the image; it is asynchronous, as devices are."""

    under_way: int = 0
    most: int = 0
    sizes: set[int] = field(default_factory=set)

    def start(self, batch: npt.NDArray[np.float32]) -> Any:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.sizes.add(len(batch))
        return batch[:, 0, 0, 0].astype(np.uint16)

    def finish(self, started: Any) -> npt.NDArray[np.uint16]:
        self.under_way -= 1
        found: npt.NDArray[np.uint16] = started
        return found


def shade(number: int, frame: ImageFrame) -> Pixels:
    """Image n is all n; the sixth cannot be read."""
    if number == 5:
        raise BrokenImage("5")
    return np.full((frame.pixels, frame.pixels, 3), number, np.float32)


@pytest.fixture
def network() -> StreamedNetwork:
    """A network that classifies every image but the sixth right."""
    images = Images(COUNT, shade, str, tuple(range(COUNT)), COUNT)
    source = ImageSource(
        images, COUNT, ImageFrame(2), lambda pixels: pixels, BATCH, allow_broken=True
    )
    return StreamedNetwork(ShadeClassifier(), source, Pipeline(source, 2))


def classes(found: bytes) -> list[int]:
    return [int(number) for number in np.frombuffer(found, "<u2")]


def test_a_pass_may_begin_anywhere_and_comes_in_order(network: StreamedNetwork) -> None:
    """The stream is never set back: what a guard has left goes on in the window."""
    expected = [0, 1, 2, 3, 4, NONE, 6, 7, 8, 9]
    assert classes(network.infer(0, 1)) == [0, 1, 2, 3]
    for _ in range(2):
        assert classes(network.infer(0, 3)) == expected
    assert classes(network.infer(0, 6)) == expected * 2
    assert len(network.infer(0, 2)) == 2 * (4 + 2)  # batches 1 and 2
    assert network.broken == {5}


def test_a_broken_image_is_never_right(network: StreamedNetwork) -> None:
    """Nine of ten, though the black image is of some class, too."""
    assert count_correct([network.infer(0, 3)], tuple(range(COUNT))) == 9
    assert count_correct([network.infer(0, 3)], (0,) * COUNT) == 1
    with pytest.raises(ValueError, match="reshape"):
        count_correct([network.infer(0, 2)], tuple(range(COUNT)))


def test_nothing_is_under_way_when_an_edge_is_stamped(network: StreamedNetwork) -> None:
    """A device may be ahead by some batches within a call, and has none at its end."""
    reading = network._classifier
    assert isinstance(reading, ShadeClassifier)
    network.infer(0, 9)
    assert reading.under_way == 0
    assert 1 < reading.most <= 3


def test_a_guard_keeps_the_device_as_busy_as_a_window(network: StreamedNetwork) -> None:
    """Between two looks at the clock it has batches before it, as in a pass; at the end none."""
    reading = network._classifier
    assert isinstance(reading, ShadeClassifier)
    looks: list[int] = []

    def over() -> bool:
        looks.append(reading.under_way)
        return len(looks) == 5

    network.keep_busy(1, over)
    assert looks == [1, 2, 2, 2, 2]
    assert reading.under_way == 0


def test_every_size_of_batch_is_seen_before_anything_is_measured(
    network: StreamedNetwork,
) -> None:
    """Frameworks compile when they meet a new one."""
    network.prime()
    reading = network._classifier
    assert isinstance(reading, ShadeClassifier)
    assert reading.sizes == {4, 2}


@dataclass
class Timed(Network):
    """Takes 10 ms of virtual time a batch of two images."""

    clock: FakeClock
    images: int
    batches: int
    calls: list[tuple[int, int]] = field(default_factory=list)

    def infer(self, first: int, last: int) -> bytes:
        start = self.clock.now_ns
        self.clock.now_ns += (last - first) * 10_000_000
        self.calls.append((start, self.clock.now_ns))
        return bytes(2 * 2 * (last - first))


def windows(batches: int, command: Measure, pause_seconds: float) -> list[PhaseEnd]:
    """All windows of a measurement."""
    clock = FakeClock()
    heard: list[WorkerMessage] = []
    Measurement(
        Timed(clock, 2 * batches, batches), command, clock, lambda: clock.now_ns, heard.append,
        pause_seconds=pause_seconds, image_bytes=2,
    ).run()  # fmt: skip
    return [event for event in heard if isinstance(event, PhaseEnd)]


def test_long_passes_are_not_needed_to_warm_up() -> None:
    """A pass of 100 s: the warm-up is as long as asked, and counts what it inferred."""
    warmup, window = windows(10_000, Measure(1, 1.0, 0.5, 3.0), 0.0)
    seconds = (warmup.end_ns - warmup.start_ns) / 1e9
    assert 3.0 <= seconds < 3.5
    assert warmup.inferences == round(seconds * 200)
    assert window.inferences == 20_000


def test_short_passes_warm_up_whole() -> None:
    """Ten batches at least."""
    warmup, _ = windows(4, Measure(1, 1.0, 0.5, 0.0), 0.0)
    assert warmup.inferences % 8 == 0
    assert warmup.inferences >= 20


def test_repeats_rest_between_their_guards() -> None:
    """Guard, pause, guard; none before the first repeat and none after the last."""
    found = windows(4, Measure(3, 1.0, 0.5, 1.0), 30.0)
    gaps = [after.start_ns - before.end_ns for before, after in pairwise(found)]
    assert gaps[0] < seconds_to_ns(1.0)
    assert all(seconds_to_ns(31.0) <= gap < seconds_to_ns(31.5) for gap in gaps[1:])
