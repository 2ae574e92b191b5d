"""The session of a built-in workload. Importing this module imports the framework."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wattmark_core.clock import SystemClock
from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.worker.datasets.standard import DataSet, load_data
from wattmark_runner.worker.frameworks import environment
from wattmark_runner.worker.measurement import Measurement, count_correct
from wattmark_runner.worker.networks import training
from wattmark_runner.worker.networks.compiled import CompiledNetwork
from wattmark_runner.worker.networks.macs import count_macs
from wattmark_runner.worker.protocol import (
    Done,
    Load,
    Loaded,
    Measure,
    Notice,
    Step,
    Trained,
    WorkerMessage,
)

Emit = Callable[[WorkerMessage], None]


class NetworkSession:
    """One network, loaded and then measured."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._network: CompiledNetwork | None = None
        self._labels = b""

    def load(self, command: Load) -> None:
        """Make the network ready and send ``Loaded``; or train it and send ``Trained``."""
        _require_gpu(command.gpu)
        self._emit(Step("data", 0.0))
        dataset = load_data(command.builtin, Path(command.data_root))
        if dataset.notice:
            self._emit(Notice(dataset.notice))
        path = training.weights_path(
            Path(command.cache), dataset.workload, command.model, _whole(command, "seed")
        )
        try:
            model = training.load_weights(path)
        except ValueError as error:
            self._emit(Notice(f"cached weights {path} are damaged ({error}); training again"))
            model = None
        if model is None:
            self._train(dataset, command, path)
            return
        self._emit(Step("load", 0.5))
        self._network = CompiledNetwork(model, dataset.test, _whole(command, "batch_size"))
        self._labels = dataset.test.labels.astype(np.uint8).tobytes()
        self._emit(
            Loaded(dataset.workload, len(self._labels), model.count_params(), count_macs(model),
                   environment.describe())
        )  # fmt: skip

    def measure(self, command: Measure) -> None:
        """Run the windows, then compare the predictions made in them with the labels."""
        if self._network is None:
            raise RunError("the worker was to measure before a network was loaded")
        measurement = Measurement(
            self._network, command, SystemClock(), time.process_time_ns, self._emit
        )
        measurement.run()
        correct = [count_correct(calls, self._labels) for calls in measurement.predictions]
        made = sum(len(classes) for calls in measurement.predictions for classes in calls)
        self._emit(Done(list(correct), sum(correct) / made))

    def _train(self, dataset: DataSet, command: Load, path: Path) -> None:
        self._emit(Step("train", 0.0))
        training.train(
            dataset, command.model, _whole(command, "seed"), path,
            lambda fraction: self._emit(Step("train", fraction)),
        )  # fmt: skip
        self._emit(Trained(dataset.workload, command.model))


def _whole(command: Load, name: str) -> int:
    """A parameter that the parent has checked to be a whole number."""
    return int(command.parameters[name])


def _require_gpu(gpu: str) -> None:
    if gpu and not environment.gpu_names():
        raise ConfigurationError(
            f"TensorFlow sees no GPU, so nothing can be measured on {gpu}; install"
            " tensorflow[and-cuda] and check nvidia-smi, or run on the CPU"
        )
