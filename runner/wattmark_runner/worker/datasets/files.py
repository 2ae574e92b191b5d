"""Images in files, decoded with Pillow."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import BrokenImage, Frame, Images, Pixels
from wattmark_runner.worker.datasets.arrays import CROP

try:
    from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # comes with an extra
except ImportError as error:
    raise ConfigurationError(
        "images in files are read with Pillow, which is not installed: pip install pillow"
    ) from error

SUFFIXES: Final = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".webp"})
_ENDS: Final = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}
"""How JPEG and PNG begin, and what stands near the end of a file that is whole."""
_TAIL_BYTES: Final = 4096
_SCANNERS: Final = 8


def of_files(
    root: Path, files: Sequence[tuple[Path, int]], classes: int, missing: Sequence[str] = ()
) -> Images:
    """Files and their classes, in this order; names are told as seen from ``root``."""
    paths = [path for path, _ in files]

    def name(number: int) -> str:
        return str(paths[number].relative_to(root))

    def read(number: int, frame: Frame) -> Pixels:
        try:
            return decode(paths[number], frame)
        except BrokenImage as error:
            raise BrokenImage(f"{name(number)} ({error})") from error

    return Images(
        len(paths), read, name, tuple(label for _, label in files), classes, tuple(missing),
        _broken(paths),
    )  # fmt: skip


def decode(path: Path, frame: Frame) -> Pixels:
    """The image at ``path``, resized bicubically. Raises ``BrokenImage`` with the reason."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            across, down = float(width), float(height)
            if frame.resize == "crop":
                across = down = CROP * min(width, height)
            left, top = (width - across) / 2.0, (height - down) / 2.0
            resized = image.convert("RGB").resize(
                (frame.pixels, frame.pixels), Image.Resampling.BICUBIC,
                box=(left, top, left + across, top + down),
            )  # fmt: skip
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        # Its message may hold the whole path, and records are published.
        raise BrokenImage(str(error).replace(str(path), path.name)) from error
    return np.asarray(resized, np.float32)


def is_image(path: Path) -> bool:
    """Does its name say so?"""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _broken(paths: Sequence[Path]) -> tuple[tuple[int, str], ...]:
    """Those that end too early; all are looked at, and only the suspicious are decoded."""
    with ThreadPoolExecutor(_SCANNERS) as scanners:
        reasons = scanners.map(_reason, paths)
        return tuple((number, reason) for number, reason in enumerate(reasons) if reason)


def _reason(path: Path) -> str:
    """Why it cannot be read; empty if it can."""
    try:
        with path.open("rb") as file:
            ending = _ENDS.get(file.read(2))
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            if ending is not None and ending in file.read():
                return ""
        decode(path, Frame(8))
    except OSError as error:
        return error.strerror or type(error).__name__
    except BrokenImage as error:
        return str(error)
    return ""
