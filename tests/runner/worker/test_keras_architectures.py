"""The paper's eight architectures, each in a child process with bounded memory, on a folder of two
images."""

import sys
from pathlib import Path

import numpy as np
import pytest

from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.worker.protocol import (
    Done,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    WorkerMessage,
)
from wattmark_runner.workloads.keras import APPLICATIONS, KERAS_PARAMETERS

keras = pytest.importorskip("keras")

EIGHT = {
    "InceptionResNetV2": (55_873_736, 13.1558, 299),
    "NASNetMobile": (5_326_716, 0.5636, 224),
    "NASNetLarge": (88_949_818, 23.7834, 331),
    "MobileNetV3Small": (2_554_968, 0.0565, 224),
    "MobileNetV3Large": (5_507_432, 0.2166, 224),
    "EfficientNetV2S": (21_612_360, 8.3656, 384),
    "EfficientNetV2M": (54_431_388, 24.5825, 480),
    "EfficientNetV2L": (119_027_848, 56.0797, 480),
}
"""Parameters, 10⁹ MACs and the image's side, counted elsewhere on Keras's models."""
MEMORY_BYTES = 6_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images, and labels of ImageNet's."""
    image = pytest.importorskip("PIL.Image")
    root = tmp_path_factory.mktemp("images")
    for number in (1, 2):
        noise = np.random.default_rng(number).integers(0, 256, (300, 400, 3), np.uint8)
        image.fromarray(noise).save(root / f"{number}.jpg")
    (root / "val.txt").write_text("1.jpg 7\n2.jpg 999\n")
    return root


def measure(log: Path, folder: Path, model: str) -> list[WorkerMessage]:
    """All that a worker says of one short window on the images."""
    parameters = {parameter.name: parameter.default for parameter in KERAS_PARAMETERS} | {
        "weights": "random", "batch_size": 1, "pipeline_threads": 1,
    }  # fmt: skip
    files = {
        "kind": "ilsvrc2012", "path": str(folder), "labels": str(folder / "val.txt"),
        "weights": "", "images": "",
    }  # fmt: skip
    heard: list[WorkerMessage] = []
    with WorkerProcess(log) as worker:
        worker.send(Load("", model, parameters, "", "", memory_bytes=MEMORY_BYTES, files=files))
        for event in worker.messages(None, 300.0):
            heard.append(event)
            if isinstance(event, Loaded):
                worker.send(Measure(1, 0.01, 0.01, 0.0))
            if isinstance(event, Done):
                return heard
    raise AssertionError


@pytest.mark.slow
@pytest.mark.parametrize("model", EIGHT)
def test_the_papers_architectures_run(tmp_path: Path, folder: Path, model: str) -> None:
    """Each infers within its memory; parameters and MACs are those of the published tables."""
    heard = measure(tmp_path / "log", folder, model)
    parameters, giga_macs, pixels = EIGHT[model]
    (loaded,) = (event for event in heard if isinstance(event, Loaded))
    assert loaded.parameters == parameters
    assert loaded.macs is not None
    assert round(loaded.macs / 1e9, 4) == giga_macs
    assert loaded.environment["input_pixels"] == str(pixels)
    (window,) = (e for e in heard if isinstance(e, PhaseEnd) and e.phase == "inference")
    assert window.inferences >= 2
    assert heard[-1] == Done([None], None)
    notices = [event.text for event in heard if isinstance(event, Notice)]
    assert notices == ["accuracy and scores are withheld: the weights are random"]


def test_every_classifier_of_keras_is_there() -> None:
    """The table names all classifiers that the installed Keras has, and no other."""
    found = [name for name in dir(keras.applications) if name[0].isupper()]
    assert sorted(found) == sorted(APPLICATIONS)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_image_is_prepared_and_left_as_it_is(name: str) -> None:
    """Each classifier's own preprocessing takes an image that may only be read, and does to it
    what Keras does to a copy."""
    from wattmark_runner.worker.architectures.applications import preparation

    grey = np.linspace(0.0, 255.0, 6, dtype=np.float32).reshape(3, 2, 1)
    image = np.broadcast_to(grey, (3, 2, 3))
    ready = preparation(name)(image)
    module = sys.modules[getattr(keras.applications, name).__module__]
    expected = module.preprocess_input(image.copy(), data_format="channels_last")
    assert ready.dtype == np.float32
    assert ready.flags.writeable
    np.testing.assert_array_equal(ready, expected)
    np.testing.assert_array_equal(image[..., 2], grey[..., 0])


@pytest.mark.parametrize(
    ("name", "parameters", "giga_macs"),
    [
        ("efficientnet-lite0", 4.69, 0.385),
        ("efficientnet-lite1", 5.47, 0.600),
        ("efficientnet-lite2", 6.15, 0.860),
    ],
)
def test_efficientnet_lite_has_its_published_size(
    name: str, parameters: float, giga_macs: float
) -> None:
    """Parameters (million) and MACs (10⁹) are those of the definition."""
    from wattmark_runner.worker.architectures.efficientnet_lite import SCALES, network
    from wattmark_runner.worker.networks.macs import count_macs

    model = network(name, SCALES[name], 1000)
    macs = count_macs(model)
    assert macs is not None
    assert round(model.count_params() / 1e6, 2) == parameters
    assert round(macs / 1e9, 3) == giga_macs


@pytest.mark.parametrize(
    ("name", "giga_macs"),
    [
        ("ConvNeXtTiny", 4.5),  # Liu et al. 2022
        ("DenseNet121", 2.83),  # torchvision
        ("EfficientNetB0", 0.39),  # Tan and Le 2019
        ("MobileNetV2", 0.30),  # Sandler et al. 2018
        ("ResNet50", 3.8),  # He et al. 2016
        ("VGG16", 15.5),
        ("Xception", 8.4),
    ],
)
def test_macs_of_other_families_are_known(name: str, giga_macs: float) -> None:
    """They are those of the published tables."""
    from wattmark_runner.worker.networks.macs import count_macs

    macs = count_macs(getattr(keras.applications, name)(weights=None))
    assert macs is not None
    assert macs / 1e9 == pytest.approx(giga_macs, rel=0.02)
