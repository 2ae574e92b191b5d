"""Which workloads and models may run, known without importing a framework.

``reading`` and ``tables``, which read ``workloads.toml``, need pydantic: a worker does without.
"""

from wattmark_runner.errors import ParameterError
from wattmark_runner.workloads.config import (
    BUILT_IN,
    Limits,
    RunnerConfig,
    Workload,
    find_workload,
)
from wattmark_runner.workloads.parameters import Parameter, Value
from wattmark_runner.workloads.registry import DATA_ROOT

__all__ = [
    "BUILT_IN",
    "DATA_ROOT",
    "Limits",
    "Parameter",
    "ParameterError",
    "RunnerConfig",
    "Value",
    "Workload",
    "find_workload",
]
