"""Data sets that need no image library, and the pipeline that reads any of them."""

import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images, Pixels, npz, synthetic
from wattmark_runner.worker.datasets.arrays import enlarge, of_arrays
from wattmark_runner.worker.datasets.pipeline import (
    PART,
    CachedBatches,
    ImageSource,
    Pipeline,
    Prepare,
    batches_ahead,
    require_memory,
)

FITTING: dict[str, Any] = {"images": np.zeros((2, 4, 4)), "labels": np.zeros(2, int)}


def images_of(count: int, *, broken: frozenset[int] = frozenset()) -> Images:
    """Image n is all n; those that are ``broken`` cannot be read."""

    def read(number: int, frame: ImageFrame) -> Pixels:
        if number in broken:
            raise BrokenImage(f"{number}.png (torn)")
        time.sleep(0.001 * ((number * 7) % 3))  # they are not ready in order
        return np.full((frame.pixels, frame.pixels, 3), number, np.float32)

    return Images(count, read, "{}.png".format, tuple(range(count)), count)


def source(images: Images, batch_size: int = 4, *, allow_broken: bool = False) -> ImageSource:
    """Doubles every pixel."""
    return ImageSource(
        images, images.count, ImageFrame(2), lambda pixels: pixels * 2, batch_size, allow_broken
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_come_in_order_for_ever(threads: int) -> None:
    """Whatever the threads do, image follows image, pass follows pass, each prepared."""
    pipeline = Pipeline(source(images_of(10)), threads)
    batches = [pipeline.next() for _ in range(7)]
    assert [batch.number for batch in batches] == [0, 1, 2, 0, 1, 2, 0]
    assert [len(batch.pixels) for batch in batches[:3]] == [4, 4, 2]
    seen = np.concatenate([batch.pixels[:, 0, 0, 0] for batch in batches[:3]])
    assert seen.tolist() == [2.0 * number for number in range(10)]


def test_decoding_ahead_is_bounded() -> None:
    """Threads stop when enough batches wait: memory does not grow with the data set."""
    read: list[int] = []
    enough = threading.Event()

    def count(number: int, frame: ImageFrame) -> Pixels:
        read.append(number)
        if len(read) >= 4:
            enough.set()
        return np.zeros((frame.pixels, frame.pixels, 3), np.float32)

    pipeline = Pipeline(source(Images(1000, count, str, None, None), 1), 2)
    assert enough.wait(10.0)
    assert sorted(read) == [0, 1, 2, 3]
    pipeline.next()
    assert pipeline.waited_ns >= 0


def test_a_large_batch_is_decoded_by_all_threads() -> None:
    """Its parts are decoded side by side: none is long in coming, and few batches are ahead."""
    together = threading.Barrier(4)

    def read(number: int, frame: ImageFrame) -> Pixels:
        if number < 4 * PART and number % PART == 0:
            together.wait(10.0)
        return np.full((frame.pixels, frame.pixels, 3), number, np.float32)

    large = source(Images(8 * PART, read, str, None, None), 4 * PART)
    batch = Pipeline(large, 4).next()
    assert batch.pixels[:, 1, 1, 2].tolist() == [2.0 * number for number in range(4 * PART)]
    assert (batches_ahead(large, 4), batches_ahead(large, 16)) == (3, 6)
    assert batches_ahead(source(images_of(10), 1), 16) == 18


def test_batches_that_memory_cannot_hold_are_refused() -> None:
    """All that the threads decode ahead, and what is inferred meanwhile: here 3 + 2 + 3 batches of
    4 images of 2 × 2 pixels of 12 bytes. The last, smaller batch changes nothing."""
    images = source(images_of(10))
    require_memory(images, 3, 3, 8 * 4 * 48)
    with pytest.raises(ConfigurationError) as caught:
        require_memory(images, 3, 3, 8 * 4 * 48 - 1)
    assert str(caught.value).startswith("8 batches of 4 images, decoded ahead or being inferred")
    assert "take a smaller batch_size, or fewer pipeline_threads" in str(caught.value)


def in_place(image: Pixels) -> Pixels:
    image += 1.0
    return image


def in_place_and_reversed(image: Pixels) -> Pixels:
    """As Keras prepares images for ResNet and VGG."""
    image = image[..., ::-1]
    image += 1.0
    return image


@pytest.mark.parametrize("prepare", [in_place, in_place_and_reversed, lambda image: image + 1.0])
def test_an_architecture_prepares_in_place_or_in_a_copy(prepare: Prepare) -> None:
    """The network gets what is returned."""

    def read(number: int, frame: ImageFrame) -> Pixels:
        return np.full((frame.pixels, frame.pixels, 3), (number, 10.0, 20.0), np.float32)

    images = Images(2, read, str, None, None)
    batch = Pipeline(
        ImageSource(images, 2, ImageFrame(2), prepare, 2, allow_broken=False), 1
    ).next()
    expected = [2.0, 11.0, 21.0]
    if prepare is in_place_and_reversed:
        expected.reverse()
    assert batch.pixels[1, 0, 1].tolist() == expected


def test_a_broken_image_ends_the_run_by_name() -> None:
    """Unless broken ones are allowed, nothing goes on as if it were whole."""
    pipeline = Pipeline(source(images_of(10, broken=frozenset({5}))), 2)
    pipeline.next()
    with pytest.raises(RunError, match=r"image 5.png \(torn\) cannot be read; repair it, or set"):
        pipeline.next()


def test_an_allowed_broken_image_is_black_and_reported() -> None:
    """It is inferred, so that every pass costs the same, and known to be void."""
    pipeline = Pipeline(source(images_of(10, broken=frozenset({5, 9})), allow_broken=True), 2)
    batches = [pipeline.next() for _ in range(3)]
    assert [batch.broken for batch in batches] == [(), (5,), (9,)]
    assert batches[1].pixels[:, 0, 0, 0].tolist() == [8.0, 0.0, 12.0, 14.0]


def test_kept_images_are_decoded_once() -> None:
    """They come from memory, if there is enough of it."""
    cached = CachedBatches(source(images_of(10)), 2, 10**6)
    first = [cached.next() for _ in range(3)]
    assert cached.next() is first[0]
    with pytest.raises(ConfigurationError, match=r"10 images that .* need 0\.0 GB"):
        CachedBatches(source(images_of(10)), 2, 100)


def test_frames_are_the_middle_or_all() -> None:
    """The crop leaves out the margins; grey becomes three channels."""
    image = np.arange(64, dtype=np.float32).reshape(8, 8, 1)
    squashed = enlarge(image, ImageFrame(8, "squash"))
    assert squashed.shape == (8, 8, 3)
    assert squashed[:, :, 1].tolist() == image[:, :, 0].tolist()
    cropped = enlarge(image, ImageFrame(7, "crop"))  # 7 of 8 pixels
    assert len(np.unique(cropped)) == 49
    wide = enlarge(np.zeros((4, 9, 3), np.float32), ImageFrame(16, "squash"))
    assert squashed.flags.writeable  # an architecture may prepare it in place
    assert wide.flags.writeable
    assert wide.shape == (16, 16, 3)


def test_synthetic_images_are_the_same_in_every_run() -> None:
    """Noise without labels: there is no accuracy on it."""
    found = synthetic.read("", "")
    assert found.labels is None
    first, again, other = (found.read(number, ImageFrame(5)) for number in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_npz_holds_images_and_labels(tmp_path: Path) -> None:
    """Either pair of names will do; labels may be a column."""
    path = tmp_path / "set.npz"
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    labels = np.array([[2], [0]])
    for named in (True, False):
        if named:
            np.savez(path, x_test=images, y_test=labels)
        else:
            np.savez(path, images=images, labels=labels)
        found = npz.read(str(path), "")
        assert (found.count, found.labels, found.classes) == (2, (2, 0), 3)
        assert (found.read(1, ImageFrame(4, "squash")) == images[1]).all()


def test_npz_may_say_how_many_classes_there_are(tmp_path: Path) -> None:
    """Its labels may not show the last one."""
    path = tmp_path / "set.npz"
    arrays: dict[str, Any] = {"images": np.zeros((2, 4, 4), np.uint8), "labels": np.array([2, 0])}
    np.savez(path, **arrays)
    assert npz.read(str(path), "").classes == 3
    np.savez(path, **arrays, classes=np.array(7))
    assert npz.read(str(path), "").classes == 7


def test_only_the_test_images_of_an_npz_are_read(tmp_path: Path) -> None:
    """The training images beside them may be many."""
    path = tmp_path / "set.npz"
    images, labels = np.zeros((2, 4, 4), np.uint8), np.array([2, 0])
    np.savez(path, x_train=np.array([object()]), x_test=images, y_test=labels)
    assert npz.read(str(path), "").count == 2


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.linspace(0.0, 1.0, 32, dtype=np.float32), "are 0 to 1, and 0 to 255 is needed; mul"),
        (np.array([0, 1] * 16, np.uint8), "are 0 to 1, and 0 to 255 is needed; multiply them by"),
        (np.linspace(-1.0, 1.0, 32), "values are -1 to 1; bring them to 0 to 255"),
        (np.arange(0, 320, 10), "values are 0 to 310; bring"),
        (np.array([0.0] * 31 + [np.nan]), "values are nan to nan; bring"),
        (np.array([0.0] * 31 + [np.inf]), "values are 0 to inf; bring"),
        (np.zeros(32, np.bool_), "type bool cannot be used"),
        (np.zeros(32, np.uint8), ""),
        (np.linspace(0.0, 255.0, 32, dtype=np.float16), ""),
    ],
)
def test_values_are_from_0_to_255(values: npt.NDArray[Any], says: str) -> None:
    """What is in another unit would be black to the network, and its accuracy wrong."""
    images, labels = values.reshape(2, 4, 4), np.array([0, 1])
    if says:
        with pytest.raises(ConfigurationError) as caught:
            of_arrays(images, labels)
        assert says in str(caught.value)
    else:
        assert of_arrays(images, labels).count == 2


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": np.zeros(1)}, "set.npz holds x; x_test and y_test are needed"),
        ({"images": np.zeros((2, 4)), "labels": np.zeros(2, int)}, "shape (2, 4) cannot be used"),
        ({"images": np.zeros((2, 4, 4)), "labels": np.zeros(3, int)}, "labels of shape (3,)"),
        ({"images": np.zeros((2, 4, 4)), "labels": np.zeros(2)}, "type float64"),
        ({"images": np.zeros((0, 4, 4)), "labels": np.zeros(0, int)}, "cannot be used"),
        ({"images": np.array([object()]), "labels": np.zeros(1, int)}, "is no .npz file"),
        ({**FITTING, "classes": np.array([1, 2])}, "classes is to be one whole number from 1"),
        ({**FITTING, "classes": np.array(2.0)}, "classes is to be one whole number from 1"),
        ({**FITTING, "classes": np.array(0)}, "classes is to be one whole number from 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, Any], says: str
) -> None:  # fmt: skip
    """One line; nothing in the file is ever run."""
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, array, allow_pickle=True)
    with pytest.raises(ConfigurationError) as caught:
        npz.read(str(path), "")
    assert says in str(caught.value)


def test_a_lone_array_is_no_npz(tmp_path: Path) -> None:
    """One line, as for any other file."""
    path = tmp_path / "set.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ConfigurationError, match=r"^set.npz is no .npz file of arrays: "):
        npz.read(str(path), "")
