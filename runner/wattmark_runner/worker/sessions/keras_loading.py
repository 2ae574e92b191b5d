"""Framework, data set and architecture of a choice, each with its faults in one line."""

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.worker.architectures import Architecture, ModelRequest
from wattmark_runner.worker.datasets import BrokenImage, Images, named
from wattmark_runner.worker.datasets.pipeline import (
    CachedBatches,
    ImageSource,
    Pipeline,
    require_memory,
)
from wattmark_runner.worker.frameworks import gpu_given
from wattmark_runner.worker.frameworks.out_of_memory import is_out_of_memory
from wattmark_runner.worker.memory import available_bytes, explained
from wattmark_runner.worker.networks.streamed import IN_FLIGHT, NONE
from wattmark_runner.worker.sessions.keras_choice import Choice
from wattmark_runner.workloads.keras import ARCHITECTURES, DATASETS, FRAMEWORKS

CHECK_THREADS: Final = 8
"""Threads that look at files before anything is measured; they mostly wait for the disk."""
MEMORY_RATIO: Final = 0.5
"""Of the memory that is available; so much may decoded images take."""


def framework_of(choice: Choice, gpu: str) -> Any:
    """The framework's module. Raises ``ConfigurationError`` if it or the GPU is not there."""
    name = choice.backend
    try:
        framework = importlib.import_module(FRAMEWORKS[name])
    except ImportError as error:
        raise ConfigurationError(
            f"backend {name} cannot be imported ({error}); install it, or ask for another"
        ) from error
    if gpu and not framework.gpu_names():
        raise ConfigurationError(
            f"{name} sees no GPU, so nothing can be measured on {gpu}; install {name} with CUDA and"
            " check nvidia-smi, or run on the CPU"
        )
    return framework


def require_on_gpu(framework: Any, model: Any, gpu: str) -> None:
    """Raise ``ConfigurationError`` if a GPU was asked for and the weights do not lie on it.

    Those that are no floating-point numbers are a framework's own affair.
    """
    weights = [weight.value for weight in model.weights if "float" in weight.dtype]
    if gpu and not all(map(framework.on_gpu, weights)):
        raise ConfigurationError(
            f"{framework.__name__.rpartition('.')[2]} put the weights of {model.name} elsewhere"
            f" than on {gpu}; look for a variable that chooses its device in the service's"
            " environment"
        )


def images_of(choice: Choice, notice: Callable[[str], None]) -> Images:
    """Those in use. Raises ``ConfigurationError`` for images among them that are missing or broken.

    Those beyond are not looked at. Notices say what else lies there.
    """
    module = importlib.import_module(DATASETS[choice.kind].module)
    images: Images = module.read(choice.path, choice.labels)
    if choice.count is not None:
        images = images.first(choice.count)
    for text in images.notices:
        notice(text)
    count = images.count + len(images.missing)
    missing = [image.name for image in images.missing]
    for names, how in ((missing, "missing, or have no label"), (_broken(images), "broken")):
        if names and not choice.allow_broken:
            raise ConfigurationError(
                f"{len(names)} of {count} images are {how}: {named(names)}; repair the data set,"
                " or set allow_broken"
            )
    if missing:  # broken ones are reported once they have been inferred
        notice(
            f"{len(missing)} of {count} images are missing, or have no label; they are left"
            f" out, the accuracy is that of the others: {named(missing)}"
        )
    return images


def _broken(images: Images) -> list[str]:
    """Those that are known not to be readable, each with its reason."""

    def reason(number: int) -> str:
        try:
            images.check(number)
        except BrokenImage as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(CHECK_THREADS) as checks:
        return [text for text in checks.map(reason, range(images.count)) if text]


def architecture_of(choice: Choice, classes: int | None) -> Architecture:
    """The model with its weights.

    Raises ``ConfigurationError`` for weights that do not fit and for too many classes.
    """
    import keras

    from wattmark_runner.worker.frameworks.keras_config import use_defaults

    require_countable(classes or 0)
    use_defaults(choice.precision)
    keras.utils.set_random_seed(choice.seed)
    module = importlib.import_module(ARCHITECTURES[choice.model])
    request = ModelRequest(choice.model, choice.trained, classes, choice.file)
    architecture: Architecture = module.build(request)
    require_countable(int(architecture.model.output.shape[-1]))
    return architecture


def require_countable(classes: int) -> None:
    """Raise ``ConfigurationError`` for more classes than an answer of two bytes can name."""
    if classes > NONE:  # which is the answer for a broken image
        raise ConfigurationError(
            f"{classes} classes are too many: {NONE} can be told apart; take fewer"
        )


def labels_of(images: Images, classes: int) -> tuple[int, ...] | None:
    """Raises ``ConfigurationError`` for one that is no class."""
    for number, label in enumerate(images.labels or ()):
        if not 0 <= label < classes:
            raise ConfigurationError(
                f"image {images.name(number)} has label {label}, outside the {classes} classes"
                f" (0 to {classes - 1}); mend the labels"
            )
    return images.labels


def stream_of(source: ImageSource, choice: Choice) -> Pipeline | CachedBatches:
    """From memory, or decoded in every pass. Raises ``ConfigurationError`` if memory is short."""
    available = int(available_bytes() * MEMORY_RATIO)
    limit = explained()
    try:
        if choice.keep_decoded or choice.kind == "synthetic":
            return CachedBatches(source, choice.threads, available)
        require_memory(source, choice.threads, IN_FLIGHT + 1, available)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}; {limit}") from error
    return Pipeline(source, choice.threads)


@contextmanager
def memory_explained(choice: Choice) -> Iterator[None]:
    """Raise ``RunError`` for a framework's or NumPy's own error that memory was short."""
    try:
        yield
    except (ConfigurationError, RunError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise RunError(
                f"out of memory: {choice.model} in batches of {choice.batch_size} on"
                f" {choice.backend}; {'the GPU is full, or ' if gpu_given() else ''}{explained()};"
                " take a smaller batch_size, or raise the limit"
            ) from error
        raise
