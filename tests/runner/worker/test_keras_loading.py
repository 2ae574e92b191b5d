"""Making an architecture ready: settings of Keras, memory, and how many classes there may be."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.execution.worker_process import worker_environment
from wattmark_runner.worker.architectures import ModelRequest
from wattmark_runner.worker.sessions import keras_loading as loading
from wattmark_runner.worker.sessions.keras_choice import Choice

keras = pytest.importorskip("keras")

MODEL = "MobileNetV3Small"
TRAINED = ModelRequest(MODEL, trained=True)
CHOICE = Choice(
    MODEL, "synthetic", "", "", "", count=None, batch_size=32, backend="tensorflow",
    precision="float32", weights="random", seed=1, pipeline_threads=1, keep_decoded=False,
    resize="crop", allow_broken=False, pause_seconds=0.0,
)  # fmt: skip
CHILD = """
from test_keras_loading import CHOICE
from wattmark_runner.worker.architectures.builtin import build
from wattmark_runner.worker.sessions.keras_loading import architecture_of
for model in (architecture_of(CHOICE, None).model, build("cnn-small", (28, 28, 1), 10)):
    print(model.input.shape, model.input.dtype, model.layers[-1].dtype, model.count_params())
"""


def test_keras_settings_of_the_user_change_nothing(tmp_path: Path) -> None:
    """Channels come last and numbers are float32, whatever keras.json says."""
    home = tmp_path / "keras"
    home.mkdir()
    outputs = []
    for settings in ("{}", '{"image_data_format": "channels_first", "floatx": "float16"}'):
        (home / "keras.json").write_text(settings)
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        outputs.append(subprocess.run(
            [sys.executable, "-c", CHILD], check=True, capture_output=True, text=True,
            env={**worker_environment(""), "KERAS_HOME": str(home), "PYTHONPATH": paths},
        ).stdout)  # fmt: skip
    assert outputs[0].startswith("(None, 224, 224, 3) float32 float32 2554968\n(None, 28, 28, 1)")
    assert outputs[0] == outputs[1]


def test_more_classes_than_two_bytes_can_tell_apart_are_refused() -> None:
    """In one line and before the network is built; as many as there are numbers are none."""
    with pytest.raises(ConfigurationError) as caught:
        loading.architecture_of(CHOICE, 65_536)
    assert str(caught.value) == "65536 classes are too many: 65535 can be told apart; take fewer"
    loading.require_countable(65_535)


class Huge:
    """A model whose weights are larger than any memory."""

    output = np.zeros((1, 3))

    def load_weights(self, path: Path) -> Any:
        """Raises what NumPy raises."""
        del path
        return np.empty(1 << 50)


def huge(weights: str) -> Any:
    """A constructor of ``keras.applications`` that loads them."""
    return Huge().load_weights(Path(weights))


def torn(weights: str) -> Any:
    """A constructor of ``keras.applications`` that cannot load them."""
    raise ValueError(f"{weights} cannot be\ndownloaded")


def test_want_of_memory_is_not_taken_for_wrong_weights(tmp_path: Path) -> None:
    """Neither that of a file nor that of Keras's own; what else goes wrong is the weights'."""
    from wattmark_runner.worker.architectures.applications import made
    from wattmark_runner.worker.architectures.weights import load_file

    file = ModelRequest(MODEL, trained=True, file=str(tmp_path / "no.weights.h5"))
    says = "out of memory: MobileNetV3Small in batches of 32"
    with pytest.raises(RunError, match=says), loading.memory_explained(CHOICE):
        load_file(Huge(), file)
    with pytest.raises(RunError, match=says), loading.memory_explained(CHOICE):
        made(huge, TRAINED)
    with pytest.raises(ConfigurationError, match=r"cannot download them \(imagenet cannot be down"):
        made(torn, TRAINED)
