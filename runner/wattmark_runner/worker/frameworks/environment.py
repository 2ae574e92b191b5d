"""What the numbers of a run depend on beside the network: the framework and its threads."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from wattmark_core.machine import about_machine


def describe() -> dict[str, str]:
    """Name → value. A fact that cannot be had is left out."""
    facts = {
        "keras": keras.__version__,
        "numpy": np.__version__,
        "gpus": ", ".join(gpu_names()),
    } | tensorflow_facts()
    return {name: value for name, value in facts.items() if value} | about_machine()


def tensorflow_facts() -> dict[str, str]:
    """TensorFlow's version and numbers of threads, for the record."""
    return {
        "tensorflow": tf.__version__,
        "threads_intra_op": _threads(
            tf.config.threading.get_intra_op_parallelism_threads(), "TF_NUM_INTRAOP_THREADS"
        ),
        "threads_inter_op": _threads(
            tf.config.threading.get_inter_op_parallelism_threads(), "TF_NUM_INTEROP_THREADS"
        ),
    }


def gpu_names() -> list[str]:
    """The GPUs that the framework sees."""
    return [
        str(tf.config.experimental.get_device_details(device).get("device_name", device.name))
        for device in tf.config.list_physical_devices("GPU")
    ]


def on_gpu(weight: Any) -> bool:
    """Does a variable of the model lie on a GPU?"""
    return "GPU" in weight.device


def _threads(number: int, variable: str) -> str:
    """TensorFlow goes by the variable where no number is configured."""
    return str(number) if number else os.environ.get(variable) or "framework's default"
