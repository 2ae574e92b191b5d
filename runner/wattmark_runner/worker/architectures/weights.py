"""Weights from a file that the configuration names."""

import hashlib
from pathlib import Path
from typing import Any

from wattmark_core.errors import ConfigurationError
from wattmark_core.regular_file import open_regular, require_regular
from wattmark_runner.worker.architectures import ModelRequest
from wattmark_runner.worker.frameworks.out_of_memory import is_out_of_memory


def load_file(model: Any, request: ModelRequest) -> str:
    """Load them; which they are. Raises ``ConfigurationError`` if they do not fit."""
    path = Path(request.file)
    try:
        if path.exists():
            require_regular(path)
        model.load_weights(path)
    except Exception as error:  # Keras and h5py raise what they like
        if is_out_of_memory(error):
            raise
        raise ConfigurationError(
            f"the weights in {path.name} do not fit {request.name} with"
            f" {model.output.shape[-1]} classes: {' '.join(str(error).split())[:200]}"
        ) from error
    return f"{path.name}, {fingerprint(path)}"


def fingerprint(path: Path) -> str:
    """``sha256`` and the first 16 hexadecimal digits of the file's checksum."""
    with open_regular(path) as file:
        return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


def require_classes(request: ModelRequest, classes: int) -> None:
    """Raise ``ConfigurationError`` for a data set of other classes than the weights know."""
    if request.classes not in {None, classes}:
        raise ConfigurationError(
            f"the data set has {request.classes} classes and the weights of {request.name} know"
            f" {classes} others; name weights trained on it under [workloads.NAME.weights], or ask"
            ' for weights "random"'
        )
