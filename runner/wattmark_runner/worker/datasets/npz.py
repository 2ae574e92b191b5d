"""A ``.npz`` file with ``x_test`` (or ``images``), 0 to 255, and ``y_test`` (or ``labels``)."""

import zipfile
from pathlib import Path

import numpy as np

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import Images
from wattmark_runner.worker.datasets.arrays import of_arrays


def read(path: str, labels: str) -> Images:
    """Its images. Raises ``ConfigurationError``."""
    if labels:
        raise ConfigurationError("the labels of an .npz file are in it; leave out labels")
    name = Path(path).name
    try:
        with np.load(path, allow_pickle=False) as archive:
            held = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{name} is no .npz file of arrays: {error}") from error
    for pair in (("x_test", "y_test"), ("images", "labels")):
        if all(key in held for key in pair):
            images, classes = (held[key] for key in pair)
            return of_arrays(images, classes.reshape(-1))
    raise ConfigurationError(
        f"{name} holds {', '.join(held) or 'nothing'}; x_test and y_test are needed, or images and"
        " labels"
    )
