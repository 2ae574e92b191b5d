"""How many threads the frameworks start: with a CPU quota no more than can run all the time.

They look at the CPUs that a process may run on, and know nothing of its quota: with more threads
than cores in it they are all held back for a part of every period.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from wattmark_runner.worker.limits import cpu_quota, usable_cpus

VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
)
"""Of OpenMP (PyTorch), MKL, OpenBLAS (NumPy), TensorFlow, and XLA (JAX): read when each starts."""


def keep_within_quota(environment: MutableMapping[str, str], root: Path = Path("/")) -> None:
    """Set the variables that the owner has not set, if there is a quota."""
    if cpu_quota(root) is None:
        return
    for name in VARIABLES:
        environment.setdefault(name, str(usable_cpus(root)))
