"""An architecture of Keras on a data set, measured.

Nothing that is imported here imports Keras: the framework's module comes first.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from wattmark_core.clock import SystemClock
from wattmark_core.machine import about_machine
from wattmark_runner.worker.architectures import Architecture
from wattmark_runner.worker.datasets import ImageFrame, named
from wattmark_runner.worker.datasets.pipeline import ImageSource
from wattmark_runner.worker.measurement import Measurement
from wattmark_runner.worker.networks.streamed import CLASS_BYTES, StreamedNetwork, count_correct
from wattmark_runner.worker.protocol import Done, Load, Loaded, Measure, Notice, Step, WorkerMessage
from wattmark_runner.worker.sessions import keras_loading as loading
from wattmark_runner.worker.sessions.keras_choice import Choice
from wattmark_runner.worker.sessions.keras_progress import ProgressReporter

Emit = Callable[[WorkerMessage], None]
WAITING_RATIO: Final = 0.05
"""Of the time; above it a notice says that the input pipeline is what was measured."""


class KerasSession:
    """One architecture, loaded and then measured."""

    network: StreamedNetwork

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def load(self, command: Load) -> None:
        """Make framework, images and model ready and send ``Loaded``."""
        choice = self._choice = Choice.of(command)
        with loading.memory_explained(choice):
            framework = loading.framework_of(choice, command.gpu)
            self._emit(Step("data", 0.2))
            self._images = loading.images_of(choice, self._notice)
            self._emit(Step("load", 0.4))
            architecture = loading.architecture_of(choice, self._images.classes)
            loading.require_on_gpu(framework, architecture.model, command.gpu)
            self._compile(framework, architecture)
            self._emit(Step("load", 0.8))
            self.network.prime()
            self._withhold()
            self._emit(self._loaded(framework, architecture))

    def _compile(self, framework: Any, architecture: Architecture) -> None:
        choice, model = self._choice, architecture.model
        if choice.batch_size > self._images.count:
            self._notice(
                f"batches hold {self._images.count} images, all that there are; batch_size"
                f" {choice.batch_size} was asked for"
            )
        self._labels = loading.labels_of(self._images, int(model.output.shape[-1]))
        source = ImageSource(
            self._images, self._images.count, ImageFrame(architecture.pixels, choice.resize),
            architecture.prepare, choice.batch_size, choice.allow_broken,
        )  # fmt: skip
        classifier = framework.Compiled(model, tuple(model.input.shape[1:]))
        self._stream = loading.stream_of(source, choice)
        self.network = StreamedNetwork(classifier, source, self._stream)

    def _withhold(self) -> None:
        """Drop the labels of a network whose accuracy means nothing, and give notice of it."""
        if not self._choice.trained:
            self._labels = None
            self._notice("accuracy and scores are withheld: the weights are random")
        elif self._labels is None:
            self._notice("accuracy and scores are withheld: the images have no labels")

    def _loaded(self, framework: Any, architecture: Architecture) -> Loaded:
        import keras

        from wattmark_runner.worker.networks.macs import count_macs

        facts = {
            **framework.facts(), "keras": keras.__version__, "numpy": np.__version__,
            "gpus": ", ".join(framework.gpu_names()), "weights": architecture.weights,
            "data_set": self._choice.kind, "input_pixels": str(architecture.pixels),
            "images_missing": str(len(self._images.missing)),
            "pipeline_threads": str(self._choice.threads),
        }  # fmt: skip
        facts = {name: value for name, value in facts.items() if value} | about_machine()
        model = architecture.model
        return Loaded("", self.network.images, model.count_params(), count_macs(model), facts)

    def measure(self, command: Measure) -> None:
        """Run the windows, then compare the predictions made in them with the labels."""
        pause_seconds = self._choice.pause_seconds
        reporter = ProgressReporter(self._emit, self.network.batches, command.repeats)
        self.network.on_batch = reporter.batch
        waited_ns, start_ns = self._stream.waited_ns, time.monotonic_ns()
        measurement = Measurement(
            self.network, command, SystemClock(), time.process_time_ns, reporter.emit,
            pause_seconds=pause_seconds, image_bytes=CLASS_BYTES,
        )  # fmt: skip
        with loading.memory_explained(self._choice):
            measurement.run()
        took_ns = time.monotonic_ns() - start_ns - (command.repeats - 1) * pause_seconds * 1e9
        self._report_waiting((self._stream.waited_ns - waited_ns) / took_ns)
        self._report_broken()
        self._emit(self._done(measurement.predictions))

    def _done(self, predictions: list[list[bytes]]) -> Done:
        if self._labels is None:
            return Done([None] * len(predictions), None)
        correct = [count_correct(calls, self._labels) for calls in predictions]
        made = sum(len(classes) for calls in predictions for classes in calls) // CLASS_BYTES
        return Done(list(correct), sum(correct) / made)

    def _report_waiting(self, ratio: float) -> None:
        if ratio > WAITING_RATIO:
            self._notice(
                f"the network waited {ratio:.0%} of the time for images: give more"
                " pipeline_threads, or keep_decoded"
            )

    def _report_broken(self) -> None:
        if self.network.broken:
            names = [self._images.name(number) for number in sorted(self.network.broken)]
            self._notice(
                f"{len(names)} of {self.network.images} images are broken, counted as wrong and"
                f" inferred as black ones: {named(names)}"
            )

    def _notice(self, text: str) -> None:
        self._emit(Notice(text))
