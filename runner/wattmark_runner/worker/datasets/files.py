"""Images in files, decoded with Pillow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import BrokenImage, Bytes, ImageFrame, Images, Missing
from wattmark_runner.worker.datasets.arrays import CROP

try:
    from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # comes with an extra
except ImportError as error:
    raise ConfigurationError(
        "images in files are read with Pillow, which is not installed: pip install pillow"
    ) from error

SUFFIXES: Final = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".webp"})
_PNG: Final = b"\x89P"
_ENDS: Final = {b"\xff\xd8": b"\xff\xd9", _PNG: b"IEND"}
"""How JPEG and PNG begin, and what stands near the end of a file that is whole."""
_TAIL_BYTES: Final = 4096
_SIXTEEN_BITS: Final = "I;16"
_RANGE_UNKNOWN: Final = frozenset({"I", "F"})
"""Whole or real numbers of 32 bits: their value of white is not known."""


def of_files(
    root: Path, files: Sequence[tuple[Path, int]], classes: int, missing: Sequence[Missing] = ()
) -> Images:
    """Files and their classes, in this order; their names are relative to ``root``."""
    paths = [path for path, _ in files]

    def name(number: int) -> str:
        return str(paths[number].relative_to(root))

    @contextmanager
    def named(number: int) -> Iterator[Path]:
        try:
            yield paths[number]
        except BrokenImage as error:
            raise BrokenImage(f"{name(number)} ({error})") from error

    def read(number: int, frame: ImageFrame) -> Bytes:
        with named(number) as path:
            return decode(path, frame)

    def check(number: int) -> None:
        with named(number) as path:
            look_at(path)

    labels = tuple(label for _, label in files)
    return Images(len(paths), read, name, labels, classes, tuple(missing), check)


def decode(path: Path, frame: ImageFrame) -> Bytes:
    """The image at ``path``, resized bicubically. Raises ``BrokenImage`` with the reason."""
    with _opened(path) as image:
        width, height = image.size
        across, down = float(width), float(height)
        if frame.resize == "crop":
            across = down = CROP * min(width, height)
        left, top = (width - across) / 2.0, (height - down) / 2.0
        resized = _rgb(image).resize(
            (frame.pixels, frame.pixels), Image.Resampling.BICUBIC,
            box=(left, top, left + across, top + down),
        )  # fmt: skip
    return np.asarray(resized)


def look_at(path: Path) -> None:
    """Raises ``BrokenImage`` for a file that ends too early or is no image, with the reason.

    The end of a JPEG or PNG and a PNG's checksums show it, for a thirtieth of what decoding costs.
    What has no such end is decoded.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
            ending = _ENDS.get(start)
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            whole = ending is not None and ending in file.read()
    except OSError as error:
        raise BrokenImage(error.strerror or type(error).__name__) from error
    if not whole:
        decode(path, ImageFrame(8))
    elif start == _PNG:
        with _opened(path) as image:
            image.verify()


def _rgb(image: Any) -> Any:
    """In red, green and blue, 0 to 255. Pillow itself would cut 16 bits off at 255."""
    if image.mode.startswith(_SIXTEEN_BITS):
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257  # 65,535 is 255
        image = Image.fromarray(grey.astype(np.uint8))
    return image if image.mode == "RGB" else image.convert("RGB")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The image, not decoded yet; whatever turns out to be wrong with it is a ``BrokenImage``."""
    try:
        with Image.open(path) as image:
            if image.mode in _RANGE_UNKNOWN:
                raise ValueError(f"mode {image.mode}: 8 or 16 bits a colour are needed")
            yield image
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        # Its message may hold the whole path, and records are published.
        raise BrokenImage(str(error).replace(str(path), path.name)) from error


def is_image(path: Path) -> bool:
    """Has it the name of an image?"""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
