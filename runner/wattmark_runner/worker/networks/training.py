"""Training, once, on the standard split with fixed seeds; the weights are kept in a cache."""

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import tensorflow as tf

from wattmark_runner.worker.architectures import builtin as models
from wattmark_runner.worker.datasets import standard as data
from wattmark_runner.worker.datasets.standard import DataSet

BATCH: Final = 64
_PARTS: Final = 20
"""Reports of progress per training."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """``passes`` over the training images (parts of a pass count) at Adam's ``rate``."""

    passes: float
    rate: float = 0.001


RECIPES: Final[dict[tuple[str, str], Recipe]] = {
    ("fashion-mnist", "mlp-small"): Recipe(2),
    ("fashion-mnist", "mlp-wide"): Recipe(1),
    ("fashion-mnist", "cnn-small"): Recipe(1, 0.002),
    ("fashion-mnist", "cnn-separable"): Recipe(0.4, 0.002),
    ("fashion-mnist", "cnn-large"): Recipe(0.4),
    ("digits", "mlp-small"): Recipe(40, 0.003),
    ("digits", "mlp-wide"): Recipe(15),
    ("digits", "cnn-small"): Recipe(30, 0.002),
    ("digits", "cnn-separable"): Recipe(15, 0.002),
    ("digits", "cnn-large"): Recipe(10),
}


def weights_path(cache: Path, workload: str, model: str, seed: int) -> Path:
    """Where the trained network is kept: its name changes with anything that made it."""
    sources = (Path(file).read_bytes() for file in (__file__, models.__file__, data.__file__))
    versions = f"{tf.__version__} {keras.__version__} {seed}".encode()
    key = hashlib.sha256(b"\0".join([*sources, versions])).hexdigest()[:16]
    return cache / workload / f"{model}-{key}.keras"


def load_weights(path: Path) -> Any:
    """The trained network, or None if there is none. Raises ``ValueError`` if it is damaged."""
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} is damaged")
        return keras.saving.load_model(path, compile=False)
    except (OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error


def train(
    dataset: DataSet, model: str, seed: int, path: Path, progress: Callable[[float], None]
) -> None:
    """Train ``model`` and save it at ``path``, whole or not at all.

    Determinism is switched on for the process, which slows it: measure in another one.
    """
    recipe = RECIPES[dataset.workload, model]
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    network = models.build(model, dataset.train.images.shape[1:], dataset.classes)
    network.compile(
        optimizer=keras.optimizers.Adam(recipe.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    batches = round(recipe.passes * len(dataset.train.labels) / BATCH)
    network.fit(
        _shuffled(dataset, seed), steps_per_epoch=batches, epochs=1, shuffle=False, verbose=0,
        callbacks=[_progress(batches, progress)],
    )  # fmt: skip
    _save(network, path)


def _shuffled(dataset: DataSet, seed: int) -> Any:
    count = len(dataset.train.labels)
    pairs = tf.data.Dataset.from_tensor_slices((dataset.train.images, dataset.train.labels))
    return pairs.shuffle(count, seed=seed).repeat().batch(BATCH).prefetch(2)


def _progress(batches: int, progress: Callable[[float], None]) -> Any:
    every = max(1, batches // _PARTS)

    def on_batch(batch: int, logs: object) -> None:
        del logs  # Keras passes it by name
        if batch % every == 0:
            progress(batch / batches)

    return keras.callbacks.LambdaCallback(on_train_batch_end=on_batch)


def _save(network: Any, path: Path) -> None:
    """Atomic: two runs that train at once cannot damage each other's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.keras")
    network.save(part)
    part.replace(path)
