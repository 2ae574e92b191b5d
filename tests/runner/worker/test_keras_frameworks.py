"""Where each framework computes is what the run asked for, whatever the service's environment."""

import importlib.util
import os
import subprocess
import sys

import pytest

from wattmark_runner.execution.worker_process import worker_environment
from wattmark_runner.worker.frameworks import gpu_given

ELSEWHERE = {
    "KERAS_TORCH_DEVICE": "meta", "JAX_PLATFORMS": "cuda", "JAX_PLATFORM_NAME": "gpu",
}  # fmt: skip
"""What may be in the service's environment, and is not what a run on the CPU asked for."""
CHILD = """
import importlib, os, sys
os.environ["KERAS_BACKEND"] = sys.argv[1]
framework = importlib.import_module("wattmark_runner.worker.frameworks." + sys.argv[1])
import keras, numpy
from wattmark_core.errors import ConfigurationError
from wattmark_runner.worker.sessions.keras_loading import require_on_gpu
assert framework.gpu_names() == []
image = keras.Input((4, 4, 3))
flat = keras.layers.Flatten()(keras.layers.Normalization()(image))
model = keras.Model(image, keras.layers.Dense(2)(flat))
require_on_gpu(framework, model, "")
compiled = framework.Compiled(model, (4, 4, 3))
assert compiled.finish(compiled.start(numpy.ones((5, 4, 4, 3), numpy.float32))).shape == (5,)
try:
    require_on_gpu(framework, model, "GPU-1")
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_run_on_the_cpu_stays_on_it(backend: str) -> None:
    """Though the environment names another device; had a GPU been asked for, it would be told
    that the weights do not lie on it."""
    for needed in (backend, "keras"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, backend],
        env={**worker_environment(""), **ELSEWHERE, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"{backend} put the weights of functional elsewhere than on GPU-1"
    )


@pytest.mark.parametrize(("visible", "given"), [("GPU-1", True), ("", False), (None, False)])
def test_the_gpu_is_the_one_that_the_worker_is_left(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, given: bool
) -> None:
    """None is left to a run on the CPU."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_given() is given
