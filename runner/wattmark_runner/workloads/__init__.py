"""Which workloads and models there are, known without importing a framework."""

from wattmark_runner.workloads.registry import DATA_ROOT, WORKLOADS, Workload, find_workload

__all__ = ["DATA_ROOT", "WORKLOADS", "Workload", "find_workload"]
