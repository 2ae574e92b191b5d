"""What the numbers of a run depend on, whatever runs: machine, Python, variables."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from wattmark_core.printable import printable

RELEVANT: Final = (
    "CUDA_VISIBLE_DEVICES", "GLIBC_TUNABLES", "JAX_CPU_ENABLE_ASYNC_DISPATCH",
    "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DISABLE_JIT", "JAX_DISABLE_MOST_OPTIMIZATIONS",
    "JAX_ENABLE_X64", "JAX_NUM_CPU_DEVICES", "JAX_PLATFORMS", "JAX_PLATFORM_NAME", "KERAS_BACKEND",
    "KERAS_TORCH_DEVICE", "KMP_AFFINITY", "KMP_BLOCKTIME", "LD_PRELOAD", "MALLOC_ARENA_MAX",
    "MALLOC_CONF", "MKL_NUM_THREADS", "NPROC", "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS",
    "OMP_PLACES", "OMP_PROC_BIND", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_NUM_THREADS",
    "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "TF_GPU_ALLOCATOR", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "XLA_FLAGS", "XLA_PYTHON_CLIENT_ALLOCATOR",
    "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_PREALLOCATE",
)  # fmt: skip
"""Variables that change how fast a framework runs. Whole names: ``TF_TOKEN_…`` and its like are
other programs' secrets, and records are published."""


def wattmark_version() -> str:
    """Of the installed distribution; empty where its rooms are used without being installed."""
    try:
        return version("wattmark")
    except PackageNotFoundError:
        return ""


def about_machine(procfs: Path = Path("/proc")) -> dict[str, str]:
    """Name → value. A fact that cannot be had is left out; an empty variable is a fact."""
    facts = {
        "wattmark": wattmark_version(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu_model": _cpu_model(procfs),
        "nvidia_driver": _nvidia_driver(procfs),
        "cpus_visible": str(os.cpu_count()),
        "cpus_allowed": str(len(os.sched_getaffinity(0))),
    }
    variables = {
        f"env {name}": printable(os.environ[name]) for name in RELEVANT if name in os.environ
    }
    return {name: value for name, value in facts.items() if value} | variables


def _nvidia_driver(procfs: Path) -> str:
    """The version that the kernel module reports."""
    try:
        text = (procfs / "driver/nvidia/version").read_text(
            encoding="utf-8", errors="surrogateescape"
        )
    except OSError:
        return ""
    version = re.search(r"\b(\d+(?:\.\d+)+)\b", text)
    return version[1] if version else printable(text.partition("\n")[0].strip())


def _cpu_model(procfs: Path) -> str:
    try:
        text = (procfs / "cpuinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return printable(value.strip())
    return ""
