"""What the numbers of a run depend on beside the network: versions, machine, variables."""

import os
import platform
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf

RELEVANT: Final = (
    "CUDA_", "GLIBC_TUNABLES", "KERAS_", "KMP_", "LD_PRELOAD", "MALLOC_", "NVIDIA_", "OMP_",
    "ONEDNN_", "TF_", "XLA_",
)  # fmt: skip
"""Beginnings of the names of variables that change how fast a framework runs."""


def describe(procfs: Path = Path("/proc")) -> dict[str, str]:
    """Name → value. A fact that cannot be had is left out; an empty variable is a fact."""
    cpus = os.sched_getaffinity(0)
    facts = {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu_model": _cpu_model(procfs),
        "cpus_visible": str(os.cpu_count()),
        "cpus_allowed": str(len(cpus)),
        "threads_intra_op": _threads(tf.config.threading.get_intra_op_parallelism_threads()),
        "threads_inter_op": _threads(tf.config.threading.get_inter_op_parallelism_threads()),
        "gpus": ", ".join(gpu_names()),
    }
    variables = {
        f"env {name}": value for name, value in os.environ.items() if name.startswith(RELEVANT)
    }
    return {name: value for name, value in facts.items() if value} | variables


def gpu_names() -> list[str]:
    """The GPUs that the framework sees."""
    return [
        str(tf.config.experimental.get_device_details(device).get("device_name", device.name))
        for device in tf.config.list_physical_devices("GPU")
    ]


def _threads(number: int) -> str:
    return str(number) if number else "framework's default"


def _cpu_model(procfs: Path) -> str:
    for line in (procfs / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return ""
