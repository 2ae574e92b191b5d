"""Labelled images on their standard splits, as floats 0 to 1.

Fashion-MNIST: Xiao et al. 2017 (arXiv 1708.07747), 60,000 + 10,000 images, IDX files. Digits:
scikit-learn's ``load_digits``, 1,797 images of the UCI set.
"""

import gzip
from dataclasses import dataclass
from math import prod
from pathlib import Path
from struct import error as StructError
from typing import Final
from zlib import error as ZlibError

import numpy as np
import numpy.typing as npt

from wattmark_core.errors import ConfigurationError
from wattmark_core.regular_file import open_regular
from wattmark_runner.workloads import DATA_ROOT

DIGITS_TEST_IMAGES: Final = 360
Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images (count, height, width, channels), values 0 to 1, and the class of each."""

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ConfigurationError(
                f"{len(self.images)} images but {len(self.labels)} labels: predictions without"
                " labels have no accuracy and so no score; give one label per image"
            )


@dataclass(frozen=True, slots=True)
class DataSet:
    """A workload's standard split. ``notice``: what the user should know about it."""

    workload: str
    train: LabelledImages
    test: LabelledImages
    classes: int
    notice: str = ""


def load_data(workload: str, root: Path = DATA_ROOT) -> DataSet:
    """The data of ``workload``; digits, with a notice, where Fashion-MNIST cannot be had."""
    if workload == "digits":
        return digits()
    if any(root.glob("*-images-idx3-ubyte.gz")):
        return fashion_files(root)
    try:
        return fashion_download()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the download raises what it likes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return digits(
            f"Fashion-MNIST is neither in {root} nor can it be downloaded ({reason[:120]}); using"
            " digits instead (Debian: apt install dataset-fashion-mnist)"
        )


def fashion_files(root: Path) -> DataSet:
    """Fashion-MNIST from four IDX files. Raises ``ConfigurationError`` for one that is missing."""
    train, test = (_idx_pair(root, part) for part in ("train", "t10k"))
    return DataSet("fashion-mnist", train, test, classes=10)


def fashion_download() -> DataSet:
    """Fashion-MNIST by way of Keras, which keeps it in its own cache."""
    from keras.datasets import fashion_mnist

    train, test = (_labelled(*pair) for pair in fashion_mnist.load_data())
    return DataSet("fashion-mnist", train, test, classes=10)


def digits(notice: str = "") -> DataSet:
    """Digits: the last 360 images in the set's own order are the test set.

    The order keeps writers together, so no writer of the test images is among the training ones
    beyond the one whose images the cut divides.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images / 16.0).astype(np.float32)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    cut = len(labels) - DIGITS_TEST_IMAGES
    train = LabelledImages(images[:cut], labels[:cut])
    return DataSet("digits", train, LabelledImages(images[cut:], labels[cut:]), 10, notice)


def _idx_pair(root: Path, part: str) -> LabelledImages:
    images = read_idx(root / f"{part}-images-idx3-ubyte.gz")
    return _labelled(images, read_idx(root / f"{part}-labels-idx1-ubyte.gz"))


def _labelled(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> LabelledImages:
    scaled = (images.astype(np.float32) / np.float32(255.0))[..., np.newaxis]
    return LabelledImages(scaled, labels.astype(np.int64))


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """A gzipped IDX file of bytes: two zero bytes, type 8, rank, sizes (big-endian), values."""
    raw = _unzip(path)
    rank = raw[3] if len(raw) > 3 else 0
    if raw[:3] != b"\0\0\x08" or rank == 0 or len(raw) < 4 + 4 * rank:
        raise ConfigurationError(f"{path} is no IDX file of bytes; install the data set again")
    sizes = [int(size) for size in np.frombuffer(raw, ">u4", count=rank, offset=4)]
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * rank)
    if values.size != prod(sizes):
        raise ConfigurationError(f"{path} is cut short; install the data set again")
    return values.reshape(sizes)


def _unzip(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return gzip.decompress(file.read())
    except FileNotFoundError as error:
        contents = "labels" if "labels" in path.name else "images"
        raise ConfigurationError(
            f"{path.name} is missing in {path.parent}: without {contents} there is no accuracy and"
            " so no score; install the data set again"
        ) from error
    except (OSError, EOFError, StructError, ZlibError) as error:
        raise ConfigurationError(f"{path} cannot be read ({error}); install it again") from error
