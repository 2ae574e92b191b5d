"""A ``.npz`` file with ``x_test`` (or ``images``), 0 to 255, and ``y_test`` (or ``labels``).

``classes``, where given, is how many there are: the labels may not show the last.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable
from wattmark_core.regular_file import open_regular
from wattmark_runner.worker.datasets import Images, named
from wattmark_runner.worker.datasets.arrays import of_arrays

_PAIRS: Final = (("x_test", "y_test"), ("images", "labels"))
_CLASSES: Final = "classes"


def read(path: str, labels: str) -> Images:
    """Its images. Raises ``ConfigurationError``."""
    if labels:
        raise ConfigurationError("the labels of an .npz file are in it; leave out labels")
    name = printable(Path(path).name)
    try:
        with open_regular(Path(path)) as file, np.load(file, allow_pickle=False) as archive:
            images, classes = (archive[key] for key in _pair(archive, name))
            count = _count(archive[_CLASSES], name) if _CLASSES in archive else None
    except (ConfigurationError, MemoryError):
        raise
    except Exception as error:  # of a damaged file NumPy and zipfile raise what they like
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = printable(" ".join(text.split())[:200]) or type(error).__name__
        raise ConfigurationError(f"{name} is no .npz file of arrays: {reason}") from error
    return of_arrays(images, classes.reshape(-1), count)


def _pair(archive: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Images and labels; what else is in the file, such as training images, is not read."""
    for images, labels in _PAIRS:
        if images in archive and labels in archive:
            return images, labels
    raise ConfigurationError(
        f"{name} holds {named(list(archive)) or 'nothing'}; x_test and y_test are needed, or images"
        " and labels"
    )


def _count(classes: npt.NDArray[Any], name: str) -> int:
    if classes.size != 1 or classes.dtype.kind not in "ui" or classes.item() < 1:
        raise ConfigurationError(f"{name}: {_CLASSES} is to be one whole number from 1")
    return int(classes.item())
