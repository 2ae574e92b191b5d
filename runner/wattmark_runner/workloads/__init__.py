"""Which workloads and models there are, known without importing a framework."""

from wattmark_runner.workloads.registry import WORKLOADS, Workload, find_workload

__all__ = ["WORKLOADS", "Workload", "find_workload"]
