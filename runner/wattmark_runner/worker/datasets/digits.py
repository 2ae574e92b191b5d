"""scikit-learn's digits: the last 360 of 1,797 handwritten ones, 8 × 8, as in ``data.digits``."""

from wattmark_runner.worker.datasets import Images
from wattmark_runner.worker.datasets import standard as data
from wattmark_runner.worker.datasets.arrays import of_arrays


def read(path: str, labels: str) -> Images:
    """The test images; there are no files."""
    del path, labels
    digits = data.digits()
    return of_arrays(digits.test.images * 255.0, digits.test.labels, digits.classes)
