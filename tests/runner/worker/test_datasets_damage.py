"""Damage to a file of a data set: it is named, and nothing else changes."""

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runner.worker.test_datasets_files import flat, names, picture
from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import BrokenImage, ImageFrame, Images

Image = pytest.importorskip("PIL.Image")
T = TypeVar("T")


def error_or(read: Callable[[], T]) -> T | str:
    """What is read, or the message of one of the two errors that may come of it."""
    try:
        return read()
    except (BrokenImage, ConfigurationError) as error:
        return str(error)


def archive() -> bytes:
    """An ``.npz`` file."""
    file = io.BytesIO()
    np.savez(file, x_test=np.full((3, 4, 4), 9, np.uint8), y_test=np.arange(3), classes=4)
    return file.getvalue()


ARCHIVE = archive()


def damaged(whole: bytes, at: int, length: int, with_: bytes) -> bytes:
    """A run of bytes replaced."""
    at %= len(whole)
    return whole[:at] + with_ + whole[at + length :]


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 10**6), length=st.integers(0, 40), with_=st.binary(max_size=40))
def test_damage_to_an_archive_is_one_line(
    at: int, length: int, with_: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Either its images are there as they were, or it is named; never another error."""
    from wattmark_runner.worker.datasets import npz

    path = tmp_path_factory.mktemp("npz") / "digits.npz"
    path.write_bytes(damaged(ARCHIVE, at, length, with_))
    images = error_or(lambda: npz.read(str(path), ""))
    if isinstance(images, str):
        assert images.isprintable()
    else:
        assert (zipfile.is_zipfile(path), images.count) == (True, 3)


def encoded(kind: str) -> bytes:
    """A picture as a file of that kind."""
    noise = np.random.default_rng(3).integers(0, 256, (24, 24, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format=kind)
    return file.getvalue()


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "TGA", "JPEG2000"]),
    at=st.integers(0, 10**6), length=st.integers(0, 60), with_=st.binary(max_size=60),
)  # fmt: skip
def test_damage_to_an_image_is_named_and_touches_no_other(
    kind: str, at: int, length: int, with_: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is read, or broken by name; the image beside it is as it was."""
    from wattmark_runner.worker.datasets import folders

    root = tmp_path_factory.mktemp("images")
    good = picture(root / "x/good.png")
    (root / "x/odd.jpg").write_bytes(damaged(encoded(kind), at, length, with_))
    images = folders.read(str(root), "")
    for number in range(images.count):
        for read in (images.check, _reads(images)):
            error = error_or(partial(read, number))
            if error is not None:
                assert error.startswith("x/odd.jpg (")
                assert error.isprintable()
    assert images.read(names(images).index(f"x/{good.name}"), ImageFrame(4)).mean() == 100


def _reads(images: Images) -> Callable[[int], None]:
    def read(number: int) -> None:
        assert images.read(number, ImageFrame(4)).shape == (4, 4, 3)

    return read


LABELS = "".join(f"ILSVRC2012_val_{n:08}.JPEG {n % 7}\n" for n in range(1, 5))


@settings(max_examples=150, deadline=None)
@given(line=st.integers(0, 3), with_=st.binary(max_size=40))
def test_damage_to_a_line_of_labels_touches_no_other(
    line: int, with_: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An error that names the line or the file, or all other images keep their labels."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    folder = tmp_path_factory.mktemp("labels")
    root = folder / "val"
    root.mkdir()
    for number in range(1, 5):
        (root / f"ILSVRC2012_val_{number:08}.JPEG").touch()
    lines = LABELS.encode().splitlines()
    lines[line] = with_.replace(b"\n", b"").replace(b"\r", b"")
    (folder / "val.txt").write_bytes(b"\n".join(lines))
    images = error_or(lambda: ilsvrc2012.read(str(root), str(folder / "val.txt")))
    if isinstance(images, str):
        assert "\n" not in images
        assert "val.txt" in images
        return
    assert images.labels is not None
    labels = {images.name(number): label for number, label in enumerate(images.labels)}
    for number in range(1, 5):
        if number != line + 1:
            assert labels[f"ILSVRC2012_val_{number:08}.JPEG"] == number % 7


@pytest.mark.parametrize("text", ["9" * 5000, "٣", "²", "1e3", "-1", "0x1"])
def test_a_label_is_a_number_of_few_digits(text: str, tmp_path: Path) -> None:
    """Or the line is named."""
    from wattmark_runner.worker.datasets import ilsvrc2012

    root = flat(tmp_path / "val", 1)
    (tmp_path / "val.txt").write_text(f"ILSVRC2012_val_00000001.JPEG {text}\n")
    with pytest.raises(ConfigurationError, match="line 1: not NAME CLASS"):
        ilsvrc2012.read(str(root), str(tmp_path / "val.txt"))
