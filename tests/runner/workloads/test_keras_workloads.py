"""``keras`` workloads in ``workloads.toml``: what a request can and cannot ask for."""

from pathlib import Path

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.workloads import ParameterError, RunnerConfig
from wattmark_runner.workloads.keras import ARCHITECTURES, DATASETS, FRAMEWORKS
from wattmark_runner.workloads.reading import load_config

NAME = 'workloads."keras:mine"'


def config(folder: Path, text: str) -> RunnerConfig:
    """What a file with that workload says."""
    path = folder / "workloads.toml"
    path.write_text(f"[{NAME}]\n{text}\n")
    return load_config(path)


def test_every_architecture_may_run_unless_fewer_are_named(tmp_path: Path) -> None:
    """A data set alone is enough; ``models`` narrows what may run on it."""
    workload = config(tmp_path, 'keras = "synthetic"').find("keras:mine")
    assert workload.models == tuple(ARCHITECTURES)
    assert len(workload.models) == 43
    narrow = config(tmp_path, 'keras = "synthetic"\nmodels = ["VGG16"]').find("keras:mine")
    assert narrow.models == ("VGG16",)
    with pytest.raises(ParameterError, match="has no model 'VGG19'; it has VGG16"):
        narrow.check("VGG19", {})


def test_a_request_sets_what_is_declared_and_no_path(tmp_path: Path) -> None:
    """Backends, precisions and weights are choices; where files lie is the configuration's."""
    workload = config(tmp_path, 'keras = "digits"').find("keras:mine")
    checked = workload.check("MobileNet", {"backend": "jax", "precision": "bfloat16"})
    expected = {"backend": "jax", "weights": "imagenet", "batch_size": 32}
    assert checked.items() >= expected.items()
    for parameters, field in (
        ({"backend": "mxnet"}, "backend"),
        ({"weights": "/etc/passwd"}, "weights"),
        ({"path": "/etc"}, "path"),
        ({"precision": "int8"}, "precision"),
        ({"batch_size": 0}, "batch_size"),
    ):
        with pytest.raises(ParameterError) as caught:
            workload.check("MobileNet", parameters)
        assert caught.value.field == f"parameters.{field}"


def test_files_are_the_configurations(tmp_path: Path) -> None:
    """The worker gets the paths of the data set and of the architecture's weights."""
    weights = tmp_path / "small.weights.h5"
    weights.touch()
    table = f'keras = "folders"\npath = "{tmp_path}"\nimages = 7'
    text = f'{table}\n[{NAME}.weights]\nMobileNetV3Small = "{weights}"'
    workload = config(tmp_path, text).find("keras:mine")
    assert workload.keras is not None
    assert workload.keras.options_for("MobileNetV3Small") == {
        "kind": "folders", "path": str(tmp_path), "labels": "", "images": "7",
        "weights": str(weights),
    }  # fmt: skip
    assert workload.keras.options_for("VGG16")["weights"] == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('keras = "cifar"', "no data set 'cifar'; known are ilsvrc2012, folders"),
        ('keras = "folders"', "path: is needed"),
        ('keras = "folders"\npath = "nowhere/at/all"', "nowhere/at/all is not there"),
        ('keras = "digits"\npath = "."', "path: digits has no files"),
        ('keras = "digits"\nmodels = ["AlexNet"]', "keras has no model 'AlexNet'"),
        ('keras = "digits"\nweigths = 1', "unknown key"),
        ('keras = "digits"\nimages = 0', "images: must be a whole number from 1"),
        ('keras = "digits"\nbuiltin = "digits"', "exactly one of builtin"),
        (f'keras = "digits"\n[{NAME}.weights]\nAlexNet = "."', "is no architecture"),
        (f'keras = "digits"\n[{NAME}.weights]\nVGG16 = "nowhere"', "nowhere is not there"),
        (f'keras = "digits"\n[{NAME}.parameters.size]\ntype = "integer"\ndefault = 1',
         "declares its own"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(tmp_path: Path, text: str, says: str) -> None:
    """One line that names the key."""
    with pytest.raises(ConfigurationError) as caught:
        config(tmp_path, text)
    assert says in str(caught.value)
    assert "keras:mine" in str(caught.value)


def test_the_tables_name_modules_that_are_there() -> None:
    """A line in the registry leads to a file."""
    import wattmark_runner

    (package,) = wattmark_runner.__path__
    modules = {*ARCHITECTURES.values(), *FRAMEWORKS.values()}
    modules |= {kind.module for kind in DATASETS.values()}
    for module in modules:
        assert (Path(package).parent / (module.replace(".", "/") + ".py")).is_file(), module
