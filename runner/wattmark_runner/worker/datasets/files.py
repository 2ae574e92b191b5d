"""Images in files, decoded with Pillow."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable
from wattmark_core.regular_file import open_regular
from wattmark_runner.worker.datasets import (
    BrokenImage,
    Bytes,
    ImageFrame,
    Images,
    Missing,
    named,
)
from wattmark_runner.worker.datasets.arrays import CROP

try:
    from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # comes with an extra
except ImportError as error:
    raise ConfigurationError(
        "images in files are read with Pillow, which is not installed: pip install pillow"
    ) from error

_NAMES: Final = frozenset({
    ".jpeg", ".jpg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".avif",
})  # fmt: skip
"""Ends of the names of pictures; formats that may hold programs or vectors are none."""
SUFFIXES: Final = frozenset(
    suffix for suffix, kind in Image.registered_extensions().items()
    if suffix in _NAMES and kind in Image.OPEN
)  # fmt: skip
"""Those that the Pillow in use can read. Of an animation the first picture counts."""
_PNG: Final = b"\x89P"
_ENDS: Final = {b"\xff\xd8": b"\xff\xd9", _PNG: b"IEND"}
"""How JPEG and PNG begin, and what stands near the end of a file that is whole."""
_TAIL_BYTES: Final = 4096
_SIXTEEN_BITS: Final = "I;16"
_RANGE_UNKNOWN: Final = frozenset({"I", "F"})
"""Whole or real numbers of 32 bits: their value of white is not known."""


def of_files(
    root: Path, files: Sequence[tuple[Path, int]], classes: int, missing: Sequence[Missing] = (),
    notices: Sequence[str] = (),
) -> Images:  # fmt: skip
    """Files and their classes, in this order; their names are relative to ``root``, printable."""
    paths = [path for path, _ in files]

    def name(number: int) -> str:
        return printable(str(paths[number].relative_to(root)))

    @contextmanager
    def opened(number: int) -> Iterator[Path]:
        try:
            yield paths[number]
        except BrokenImage as error:
            raise BrokenImage(f"{name(number)} ({error})") from error

    def read(number: int, frame: ImageFrame) -> Bytes:
        with opened(number) as path:
            return decode(path, frame)

    def check(number: int) -> None:
        with opened(number) as path:
            look_at(path)

    labels = tuple(label for _, label in files)
    return Images(len(paths), read, name, labels, classes, tuple(missing), check, tuple(notices))


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
        with open_regular(path) as file:
            start = file.read(2)
            ending = _ENDS.get(start)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            whole = ending is not None and ending in file.read()
    except OSError as error:
        raise BrokenImage(_reason(error)) from error
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
        with open_regular(path) as file, Image.open(file) as image:
            if image.mode in _RANGE_UNKNOWN:
                raise ValueError(f"mode {image.mode}: 8 or 16 bits a colour are needed")
            yield image
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise what they like of a damaged file
        raise BrokenImage(_reason(error)) from error


def is_image(path: Path) -> bool:
    """Has it the name of an image?"""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def sorted_out(folder: Path) -> tuple[list[Path], list[Path]]:
    """What lies in the folder, by name: images, and all else but hidden files.

    Raises ``ConfigurationError``.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        name = printable(folder.name)
        raise ConfigurationError(f"data set: folder {name}: {error.strerror}") from error
    images = [path for path in paths if is_image(path)]
    return images, [path for path in paths if not is_image(path)]


def left_out(root: Path, others: Sequence[Path]) -> list[str]:
    """A notice of what is no image by its name, if there is any."""
    if not others:
        return []
    names = [str(path.relative_to(root)) for path in others]
    which = "entry is" if len(names) == 1 else "entries are"
    return [f"{len(names)} {which} left out, with names of no image: {named(names)}"]


def _reason(error: Exception) -> str:
    """One line. The file's path is not in it: Pillow was given an open file."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = re.sub(r" ?<_io\.\w+ [^>]*>", "", text)
    return printable(" ".join(text.split())) or type(error).__name__
