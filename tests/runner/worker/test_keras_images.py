"""What a worker makes of a data set before it measures: what it looks at, what it refuses."""

import os
from pathlib import Path

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.datasets import Images
from wattmark_runner.worker.protocol import Load
from wattmark_runner.worker.sessions import keras_loading as loading
from wattmark_runner.worker.sessions.keras_choice import Choice
from wattmark_runner.workloads.keras import KERAS_PARAMETERS
from wattmark_runner.workloads.parameters import Value


def choice(kind: str, path: Path, labels: str = "", images: str = "", **changed: Value) -> Choice:
    """What a request without parameters asks for, but for those that are changed."""
    parameters = {parameter.name: parameter.default for parameter in KERAS_PARAMETERS} | changed
    files = {"kind": kind, "path": str(path), "labels": labels, "images": images, "weights": ""}
    return Choice.of(Load("", "MobileNetV3Small", parameters, "", "", files=files))


def opened(chosen: Choice) -> tuple[Images, list[str]]:
    """The images, and what is reported of them."""
    notices: list[str] = []
    return loading.images_of(chosen, notices.append), notices


def test_as_many_threads_decode_as_there_are_cpus(tmp_path: Path) -> None:
    """Those that this process may use; unless a number is asked for."""
    assert choice("npz", tmp_path).threads == len(os.sched_getaffinity(0))
    assert choice("npz", tmp_path, pipeline_threads=5).threads == 5


def test_images_that_are_not_used_are_not_judged(tmp_path: Path) -> None:
    """Of the first N neither a broken image nor a missing one beyond them fails a run."""
    image = pytest.importorskip("PIL.Image")
    names = [f"{number}.png" for number in range(1, 6)]
    for name in names:
        image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name)
    (tmp_path / "3.png").write_bytes(b"torn")
    labels = tmp_path / "val.txt"
    labels.write_text("".join(f"{name} 7\n" for name in (*names, "4b.png")))

    def first(images: str, *, allow_broken: bool = False) -> tuple[Images, list[str]]:
        chosen = choice("ilsvrc2012", tmp_path, str(labels), images, allow_broken=allow_broken)
        return opened(chosen)

    images, notices = first("2")
    assert (images.count, images.labels, notices) == (2, (7, 7), [])
    with pytest.raises(ConfigurationError, match=r"1 of 4 images are broken: 3\.png \("):
        first("4")
    with pytest.raises(ConfigurationError, match=r"1 of 6 images are missing.*: 4b\.png; repair"):
        first("5")
    images, notices = first("", allow_broken=True)
    assert images.count == 5
    assert [notice.partition(" are")[0] for notice in notices] == ["1 of 6 images"]
