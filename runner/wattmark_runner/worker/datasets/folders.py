"""Class folders: ``path/CLASS/image.jpg``. The classes count in the order of their names."""

from itertools import zip_longest
from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import Images
from wattmark_runner.worker.datasets.files import is_image, of_files


def read(path: str, labels: str) -> Images:
    """Its images, the classes taking turns. Raises ``ConfigurationError``."""
    if labels:
        raise ConfigurationError("the labels of class folders are their names; leave out labels")
    root = Path(path)
    names = class_folders(root)
    return of_files(root, in_folders(root, {name: i for i, name in enumerate(names)}), len(names))


def class_folders(root: Path) -> list[str]:
    """Names of the folders, in order. Raises ``ConfigurationError`` if there is none."""
    try:
        names = sorted(path.name for path in root.iterdir() if path.is_dir())
    except OSError as error:
        raise ConfigurationError(f"data set {root.name}: {error.strerror}") from error
    names = [name for name in names if not name.startswith(".")]
    if not names:
        raise ConfigurationError(f"data set {root.name} holds no class folder")
    return names


def in_folders(root: Path, classes: dict[str, int]) -> list[tuple[Path, int]]:
    """Every image in the folders, and its class. Raises ``ConfigurationError`` if there is none.

    The first image of each class by name, then the second of each: any first part of them is a
    sample of all classes.
    """
    by_class = [
        [(path, label) for path in sorted((root / name).iterdir()) if is_image(path)]
        for name, label in classes.items()
    ]
    images = [image for turn in zip_longest(*by_class) for image in turn if image is not None]
    if not images:
        raise ConfigurationError(f"data set {root.name} holds no image in its class folders")
    return images
