"""Data sets, networks and their size, inside a process that may import the framework."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets.standard import (
    LabelledImages,
    digits,
    fashion_files,
    load_data,
    read_idx,
)


def write_idx(path: Path, values: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(gzip.compress(bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()))


def write_fashion(root: Path, labels: int = 6) -> None:
    """Six tiny images in the files of Fashion-MNIST."""
    for part in ("train", "t10k"):
        images = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
        write_idx(root / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(root / f"{part}-labels-idx1-ubyte.gz", np.arange(labels, dtype=np.uint8))


def test_images_without_labels_are_refused() -> None:
    """Predictions without labels have no score: the counts are named."""
    with pytest.raises(ConfigurationError, match="3 images but 2 labels"):
        LabelledImages(np.zeros((3, 2, 2, 1), np.float32), np.zeros(2, np.int64))


def test_idx_files_are_read(tmp_path: Path) -> None:
    """Images come as floats from 0 to 1 with a channel, labels as integers."""
    write_fashion(tmp_path)
    data = fashion_files(tmp_path)
    assert data.workload == "fashion-mnist"
    assert data.test.images.shape == (6, 2, 2, 1)
    assert data.test.images[1, 0, 0, 0] == pytest.approx(4 / 255)
    assert list(data.test.labels) == [0, 1, 2, 3, 4, 5]


def test_fewer_labels_than_images_are_refused(tmp_path: Path) -> None:
    """A data set whose files do not go together is refused, not cut to fit."""
    write_fashion(tmp_path, labels=5)
    with pytest.raises(ConfigurationError, match="6 images but 5 labels"):
        load_data("fashion-mnist", tmp_path)


def test_a_missing_file_of_labels_is_named(tmp_path: Path) -> None:
    """Where images lie without their labels, nothing else is measured in their place."""
    write_fashion(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ConfigurationError, match=r"t10k-labels.* without labels"):
        load_data("fashion-mnist", tmp_path)


TRUNCATED = gzip.compress(b"\0\0\x08\x01\0\0\0\x09abc", mtime=0)


@pytest.mark.parametrize("content", [b"", b"plain", TRUNCATED])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, not gzipped and cut short: each gives one line that names the file."""
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"x\.gz"):
        read_idx(path)


def test_digits_are_split_the_same_way_every_time() -> None:
    """360 test images, all ten digits among them, the others for training."""
    data = digits()
    assert (len(data.train.labels), len(data.test.labels)) == (1437, 360)
    assert set(data.test.labels) == set(range(10))
    assert float(data.test.images.max()) == 1.0
