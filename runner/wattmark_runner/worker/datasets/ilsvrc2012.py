"""ILSVRC2012's validation images (Russakovsky et al. 2015), in the class order of Keras.

Keras's classes are the WordNet ids of the 1,000 classes in alphabetical order. The images lie in
class folders named by these ids, or flat; their order is that of their names either way, in which
the classes are mixed. Flat images have labels from one of:

- the development kit's folder: ``data/ILSVRC2012_validation_ground_truth.txt`` (the kit's own class
  number, a line per image) and ``data/meta.mat`` (which id each number is);
- a text file of lines ``NAME CLASS``, CLASS 0 to 999 in the order above (``val.txt``).
"""

import re
from bisect import bisect_left
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable, quoted
from wattmark_core.regular_file import open_regular
from wattmark_runner.worker.datasets import Images, Missing
from wattmark_runner.worker.datasets.files import is_image, left_out, of_files, sorted_out
from wattmark_runner.worker.datasets.folders import class_folders, in_folders

CLASSES: Final = 1000
IMAGES: Final = 50_000
_WORDNET: Final = re.compile(r"n\d{8}")
_DIGITS: Final = 9
_VALIDATION: Final = "ILSVRC2012_val_"
_GROUND_TRUTH: Final = "ILSVRC2012_validation_ground_truth.txt"


def read(path: str, labels: str) -> Images:
    """The images that are there, by name. Raises ``ConfigurationError``."""
    root = Path(path)
    try:
        # A folder with the name of an image, such as n01440764.JPEG, may be one of classes.
        paths = sorted(path for path in root.iterdir() if is_image(path))
        flat = [path for path in paths if not path.is_dir()]
    except OSError as error:
        raise ConfigurationError(f"data set {printable(root.name)}: {error.strerror}") from error
    if not flat:
        files, notices = _in_folders(root, _ids(Path(labels)) if labels else None)
        return of_files(root, files, CLASSES, (), notices)
    if not labels:
        raise ConfigurationError(
            "ILSVRC2012 images without class folders need labels: the development kit's folder, or"
            " a file of lines NAME CLASS"
        )
    known = _labels(Path(labels))
    files = [(path, known[path.name]) for path in flat if path.name in known]
    if not files:
        raise ConfigurationError(f"{Path(labels).name} has a label for none of the images")
    names = [path.name for path, _ in files]
    unpaired = sorted({path.name for path in flat} ^ known.keys())
    missing = [Missing(name, bisect_left(names, name)) for name in unpaired]
    _, others = sorted_out(root)
    beside = [path for path in others if path.resolve() != Path(labels).resolve()]
    return of_files(root, files, CLASSES, missing, left_out(root, beside))


def _in_folders(root: Path, ids: list[str] | None) -> tuple[list[tuple[Path, int]], list[str]]:
    """Images of other names, such as the training images', begin with their class: as they come."""
    folders, others = class_folders(root)
    files, notices = in_folders(root, _classes(folders, ids))
    if all(path.name.startswith(_VALIDATION) for path, _ in files):
        files.sort(key=lambda file: file[0].name)
    return files, [*left_out(root, others), *notices]


def _classes(folders: list[str], ids: list[str] | None) -> dict[str, int]:
    """Folder → class. With fewer than all folders, ``ids`` (all, in order) give the class."""
    strange = [name for name in folders if not _WORDNET.fullmatch(name)]
    if strange:
        raise ConfigurationError(
            f"class folder {quoted(strange[0])} is no WordNet id such as n01440764; a data set of"
            ' other classes is of kind "folders"'
        )
    ids = ids or (folders if len(folders) == CLASSES else None)
    if ids is None:
        raise ConfigurationError(
            f"{len(folders)} of {CLASSES} class folders: which class each is cannot be known; give"
            " labels, a file of all WordNet ids in order (synset_words.txt)"
        )
    unknown = [name for name in folders if name not in ids]
    if unknown:
        raise ConfigurationError(f"class folder {unknown[0]} is none of the {CLASSES} classes")
    return {name: ids.index(name) for name in folders}


def _ids(path: Path) -> list[str]:
    """The first word of each line of ``synset_words.txt`` or ``LOC_synset_mapping.txt``."""
    ids = [line.split()[0] for line in _lines(path)]
    if len(set(ids)) != CLASSES or ids != sorted(ids):
        raise ConfigurationError(f"{path.name} does not name {CLASSES} WordNet ids in order")
    return ids


def _labels(path: Path) -> dict[str, int]:
    """Name of the image → class."""
    if path.is_dir():
        return _kit(path)
    labels: dict[str, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        name, _, label = line.rpartition(" ")
        if not name or not _is_number(label):
            raise ConfigurationError(f"{path.name}, line {number}: not NAME CLASS: {line[:60]!r}")
        labels[Path(name.strip()).name] = int(label)
    return labels


def _kit(folder: Path) -> dict[str, int]:
    data = folder / "data" if (folder / "data").is_dir() else folder
    order = _kit_classes(data / "meta.mat")
    truth = _text(data / _GROUND_TRUTH).rstrip().splitlines()
    if len(truth) != IMAGES:
        raise ConfigurationError(
            f"{_GROUND_TRUTH} has {len(truth)} lines and not {IMAGES}, so which image a line is of"
            " cannot be known; take the development kit's own"
        )
    labels: dict[str, int] = {}
    for number, line in enumerate(truth, start=1):
        label = order.get(int(line)) if _is_number(line.strip()) else None
        if label is None:
            raise ConfigurationError(f"{_GROUND_TRUTH}, line {number}: no class: {line[:60]!r}")
        labels[f"{_VALIDATION}{number:08}.JPEG"] = label
    return labels


def _kit_classes(path: Path) -> dict[int, int]:
    """The kit's class number → Keras's class. Numbers over 1,000 are groups of classes."""
    from scipy.io import loadmat

    try:
        with open_regular(path) as file:
            synsets = loadmat(file, squeeze_me=True)["synsets"]
        numbers = {str(synset["WNID"]): int(synset["ILSVRC2012_ID"]) for synset in synsets}
    except Exception as error:  # of a damaged file SciPy raises what it likes
        raise ConfigurationError(
            f"the development kit's {path.name} cannot be read: {_reason(error)}"
        ) from error
    leaves = sorted(name for name, number in numbers.items() if number <= CLASSES)
    if len(leaves) != CLASSES:
        raise ConfigurationError(f"the development kit's {path.name} names {len(leaves)} classes")
    return {numbers[name]: order for order, name in enumerate(leaves)}


def _lines(path: Path) -> list[str]:
    """Lines that are not empty."""
    return [line for line in _text(path).splitlines() if line.strip()]


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"labels {printable(path.name)} cannot be read: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(" ".join(text.split())[:200]) or type(error).__name__


def _is_number(text: str) -> bool:
    """A class is a number of a few digits."""
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
