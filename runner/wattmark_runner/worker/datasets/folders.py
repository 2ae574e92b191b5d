"""Class folders: ``path/CLASS/image.jpg``. The classes count in the order of their names."""

from itertools import zip_longest
from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable
from wattmark_runner.worker.datasets import Images, named
from wattmark_runner.worker.datasets.files import left_out, of_files, sorted_out


def read(path: str, labels: str) -> Images:
    """Its images, the classes taking turns. Raises ``ConfigurationError``."""
    if labels:
        raise ConfigurationError("the labels of class folders are their names; leave out labels")
    root = Path(path)
    names, others = class_folders(root)
    files, notices = in_folders(root, {name: i for i, name in enumerate(names)})
    return of_files(root, files, len(names), (), [*left_out(root, others), *notices])


def class_folders(root: Path) -> tuple[list[str], list[Path]]:
    """Names of the folders, in order, and what else lies beside them. Raises ``ConfigurationError``
    if there is none."""
    try:
        paths = sorted(path for path in root.iterdir() if not path.name.startswith("."))
        names = [path.name for path in paths if path.is_dir()]
    except OSError as error:
        raise ConfigurationError(f"data set {printable(root.name)}: {error.strerror}") from error
    if not names:
        raise ConfigurationError(f"data set {printable(root.name)} holds no class folder")
    return names, [path for path in paths if path.name not in names]


def in_folders(root: Path, classes: dict[str, int]) -> tuple[list[tuple[Path, int]], list[str]]:
    """Every image in the folders, and its class; notices of what else lies there, and of classes
    without an image. Raises ``ConfigurationError`` if there is no image at all.

    The first image of each class by name, then the second of each: any first part of them is a
    sample of all classes.
    """
    found = {name: sorted_out(root / name) for name in classes}
    by_class = [[(path, classes[name]) for path in images] for name, (images, _) in found.items()]
    files = [file for turn in zip_longest(*by_class) for file in turn if file is not None]
    notices = left_out(root, [path for _, others in found.values() for path in others])
    if not files:
        raise ConfigurationError(
            f"data set {printable(root.name)} holds no image in its class folders"
            + "".join(f"; {text}" for text in notices)
        )
    empty = [name for name, (images, _) in found.items() if not images]
    if empty:
        notices.append(f"{len(empty)} of {len(classes)} classes have no image: {named(empty)}")
    return files, notices
