"""Whole runs of ``keras`` workloads, and what may be wrong with their images and weights."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import numpy as np
import pytest

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_core.results import ENERGY_SCORE, Phase
from wattmark_runner.execution.progress import LOAD_SECONDS, SCORE_SECONDS, Progress
from wattmark_runner.execution.run import execute
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.worker.protocol import Load
from wattmark_runner.workloads import Workload
from wattmark_runner.workloads.keras import KERAS_PARAMETERS
from wattmark_runner.workloads.parameters import Value
from wattmark_runner.workloads.pretrained import KERAS_FILES
from wattmark_runner.workloads.reading import load_config
from wattmark_store import Store

keras = pytest.importorskip("keras")

# Keras 3.15's own conversion of its weights to NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MODEL = "MobileNetV3Small"
REQUEST = RunRequest(
    "keras:mine", MODEL, repeats=2, seconds=0.5, warmup_seconds=0.1,
    idle_before_seconds=0.0, idle_after_seconds=0.0,
)  # fmt: skip
Run = Callable[..., RunRecord]
PAUSE_SECONDS = 0.5
StartCollector = Callable[[str], Popen[str]]


def configured(folder: Path, text: str) -> Workload:
    """The workload ``keras:mine`` of a file that says ``text`` of it."""
    path = folder / "workloads.toml"
    path.write_text(f'[workloads."keras:mine"]\n{text}\n')
    return load_config(path).find("keras:mine")


@pytest.fixture
def reported() -> list[Progress]:
    """The progress that the runs reported."""
    return []


@pytest.fixture
def run(
    store: Store, tmp_path: Path, exporter_url: str, start_collector: StartCollector,
    reported: list[Progress],
) -> Run:  # fmt: skip
    """Execute a run on what a configuration says, all parts being real."""
    start_collector(exporter_url)

    def execute_run(text: str, model: str = MODEL, **parameters: Value) -> RunRecord:
        return execute(
            replace(REQUEST, model=model, parameters={"batch_size": 1, **parameters}),
            exporter_url=exporter_url, store=store, cache=tmp_path, log=tmp_path / "worker.log",
            progress=reported.append, workload=configured(tmp_path, text),
        )  # fmt: skip

    return execute_run


def npz(path: Path, labels: list[int]) -> str:
    """A data set of noise of three classes, one image a label; its table."""
    images = np.random.default_rng(1).integers(0, 256, (len(labels), 12, 10), np.uint8)
    np.savez(path, images=images, labels=np.array(labels), classes=3)
    return f'keras = "npz"\npath = "{path}"'


def test_random_weights_are_measured_and_not_scored(run: Run) -> None:
    """Energy, size and counts are reported; so is why there is no accuracy and no score, and that
    the batches are smaller than asked for."""
    record = run('keras = "synthetic"\nimages = 3', weights="random", batch_size=4)
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert record.notices == [
        "batches hold 3 images, all that there are; batch_size 4 was asked for",
        "accuracy and scores are withheld: the weights are random",
    ]
    assert (record.accuracy, record.test_images) == (None, 3)
    assert (record.parameters, record.macs) == (2_554_968, 56_510_400)
    counted = [window for window in record.windows if window.phase is Phase.INFERENCE]
    for window in counted:
        assert window.correct is None
        assert window.inferences
        assert window.inferences % 3 == 0
        assert window.joules
        assert window.cpu_seconds
    assert all(score.value is None for score in record.scores)
    assert record.definition["keras"]["kind"] == "synthetic"
    assert record.environment["weights"] == "random"
    assert record.environment["pipeline_threads"] == str(len(os.sched_getaffinity(0)))
    assert record.environment["env KERAS_BACKEND"] == "tensorflow"
    assert record.environment["tensorflow"]


def test_weights_from_a_file_are_scored(run: Run, tmp_path: Path, reported: list[Progress]) -> None:
    """Accuracy is that of the predictions made: here what the same network says elsewhere. The
    time left that is reported counts the pause."""
    from wattmark_runner.worker.datasets import ImageFrame
    from wattmark_runner.worker.datasets import npz as npz_images

    table = npz(tmp_path / "set.npz", [0, 1, 2, 1, 0])
    keras.utils.set_random_seed(4)
    model = keras.applications.MobileNetV3Small(weights=None, classes=3, input_shape=(224, 224, 3))
    model.save_weights(tmp_path / "mine.weights.h5")
    images = npz_images.read(str(tmp_path / "set.npz"), "")
    batch = np.stack([images.read(number, ImageFrame(224, "crop")) for number in range(5)])
    predicted = np.asarray(model(batch, training=False)).argmax(axis=-1)
    weights = f'[workloads."keras:mine".weights]\n{MODEL} = "{tmp_path}/mine.weights.h5"'
    record = run(f"{table}\n{weights}", batch_size=2, pause_seconds=PAUSE_SECONDS)
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert record.accuracy == float((predicted == [0, 1, 2, 1, 0]).mean())
    assert record.environment["weights"].startswith("mine.weights.h5, sha256 ")
    score = next(candidate for candidate in record.scores if candidate.formula == ENERGY_SCORE)
    assert (score.value is not None) == (record.accuracy > 0)
    counted = [window for window in record.windows if window.phase is Phase.INFERENCE]
    # A guard, the pause and a guard.
    guard_seconds = record.constants["guard_seconds"]
    rest_seconds = guard_seconds + PAUSE_SECONDS + guard_seconds
    assert counted[1].start_ns - counted[0].end_ns >= rest_seconds * 1e9
    measuring = guard_seconds + 0.5 + rest_seconds + 0.5 + guard_seconds
    assert reported[0].seconds_left == pytest.approx(LOAD_SECONDS + 0.1 + measuring + SCORE_SECONDS)


def test_every_fault_is_in_its_record_and_the_next_run_starts_clean(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fails with its own reason, keeps its log, and leaves nothing to the next."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras/models").mkdir(parents=True)
    (tmp_path / "keras/models" / KERAS_FILES[MODEL]).touch()
    (tmp_path / "short.npz").write_bytes(b"PK\x03\x04 cut short")
    (tmp_path / "other.weights.h5").write_bytes(b"no weights")
    fit = npz(tmp_path / "fit.npz", [0, 1, 2])
    weights = f'[workloads."keras:mine".weights]\n{MODEL} = "{tmp_path}/other.weights.h5"'
    cases: list[tuple[str, str, dict[str, Value]]] = [
        (f'keras = "npz"\npath = "{tmp_path}/short.npz"', "short.npz is no .npz file", {}),
        (f"{fit}\n{weights}", f"other.weights.h5 do not fit {MODEL} with 3 classes", {}),
        (fit, "3 classes and the weights of MobileNetV3Small know 1000 others", {}),
        (npz(tmp_path / "minus.npz", [0, -1, 2]), "image 1 has label -1, outside the 3 classes",
         {"weights": "random"}),
    ]  # fmt: skip
    for text, says, parameters in cases:
        record = run(text, **parameters)
        assert record.state is RunState.FAILED
        assert says in record.reason
        assert "\n" not in record.reason
        assert record.scores == ()
    assert "Traceback" in (tmp_path / "worker.log").read_text()
    # Room for 60 MB of images, and not for the 480 MB that the network makes of them.
    limits = "images = 100\nlimits = {memory_bytes = 700000000}"
    synthetic = f'keras = "synthetic"\n{limits}'
    record = run(synthetic, "MobileNetV2", weights="random", batch_size=100)
    assert record.state is RunState.FAILED
    # The framework says so itself, or is killed when it cannot.
    assert re.search("out of memory|memory is limited to 700000000 bytes", record.reason)
    record = run('keras = "synthetic"\nimages = 2', weights="random")
    assert (record.state, record.reason) == (RunState.DONE, "")


def test_truncated_images_fail_the_run_or_count_as_wrong(run: Run, tmp_path: Path) -> None:
    """Named in the reason; with allow_broken in a notice, and the accuracy is of all images."""
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "set"
    for name in ("cat/a.jpg", "cat/b.jpg", "dog/c.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
        image.fromarray(noise).save(folder / name)
    torn = folder / "cat/b.jpg"
    torn.write_bytes(torn.read_bytes()[:-200])
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV3Small(weights=None, classes=2, input_shape=(224, 224, 3))
    model.save_weights(tmp_path / "mine.weights.h5")
    text = (
        f'keras = "folders"\npath = "{folder}"\n'
        f'[workloads."keras:mine".weights]\n{MODEL} = "{tmp_path}/mine.weights.h5"'
    )
    record = run(text)
    assert record.state is RunState.FAILED
    assert "1 of 3 images are broken: cat/b.jpg (" in record.reason
    assert "set allow_broken" in record.reason
    record = run(text, allow_broken=True)
    assert (record.state, record.reason, record.test_images) == (RunState.DONE, "", 3)
    assert any("1 of 3 images are broken, counted as wrong" in notice for notice in record.notices)
    counted = [window for window in record.windows if window.phase is Phase.INFERENCE]
    for window in counted:
        assert window.inferences is not None
        assert window.correct is not None
        assert window.correct <= window.inferences * 2 // 3


def test_an_unknown_architecture_is_refused(run: Run) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigurationError, match="no model 'AlexNet'; it has ConvNeXtBase"):
        run('keras = "synthetic"', "AlexNet")


def worker_fails(log: Path, gpu: str = "", **changed: Value) -> str:
    """Why a worker cannot load."""
    parameters = {parameter.name: parameter.default for parameter in KERAS_PARAMETERS} | changed
    files = {"kind": "synthetic", "path": "", "labels": "", "weights": "", "images": ""}
    with WorkerProcess(log, gpu=gpu) as worker:
        worker.send(Load("", MODEL, parameters, "", "", gpu=gpu, files=files))
        with pytest.raises(RunError) as caught:
            list(worker.messages(None, 60.0))
    return str(caught.value)


def test_a_gpu_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nothing is measured on another device than the one that was asked for."""
    gpu = "GPU-00000000-0000-0000-0000-000000000000"
    assert f"tensorflow sees no GPU, so nothing can be measured on {gpu}" in worker_fails(
        tmp_path / "log", gpu
    )
