"""How busy the machine was in a run's measured windows, so that a table outlives the samples."""

from collections.abc import Callable, Sequence

from wattmark_core.results import Phase
from wattmark_scoring.window_data import WindowData


def usage(windows: Sequence[WindowData], gpu: str) -> dict[str, float]:
    """Means over the inference windows' time; what one of them was not sampled for is left out.

    ``gpu``: UUID of the GPU in use, if any.
    """
    measured = [data for data in windows if data.window.phase is Phase.INFERENCE]

    def mean(measurement: str, field: str, device: str = "") -> float | None:
        return _mean(measured, lambda data: _sampled(data, measurement, field, device))

    means = {
        "gpu_utilization_ratio": mean("gpu", "utilization_ratio", gpu) if gpu else None,
        "gpu_memory_used_bytes": mean("gpu", "memory_used_bytes", gpu) if gpu else None,
        "cpu_utilization_ratio": _mean(measured, _busy),
        "memory_used_bytes": mean("memory", "used_bytes"),
    }
    return {name: value for name, value in means.items() if value is not None}


def _mean(
    windows: Sequence[WindowData], value: Callable[[WindowData], float | None]
) -> float | None:
    """Weighted by the windows' lengths."""
    values = [(value(data), data.window.seconds) for data in windows]
    known = [(mean, seconds) for mean, seconds in values if mean is not None]
    total = sum(seconds for _, seconds in known)
    if len(known) < len(values) or not total:
        return None
    return sum(mean * seconds for mean, seconds in known) / total


def _sampled(data: WindowData, measurement: str, field: str, device: str) -> float | None:
    """The mean of the samples inside the window; None where two series have some."""
    start_ns, end_ns = data.window.start_ns, data.window.end_ns
    gauges = [g.inside(start_ns, end_ns) for g in data.gauges(measurement, field, device)]
    sampled = [gauge for gauge in gauges if len(gauge.values)]
    return float(sampled[0].values.mean()) if len(sampled) == 1 else None


def _busy(data: WindowData) -> float | None:
    """Busy CPU time over all CPUs' time: of counters, so that nothing between samples is missed."""
    window, gauge = data.window, data.gauge("cpu", "cpus")
    grown = data.growth("cpu", "busy_seconds")
    cpus = gauge.at(window.start_ns) if gauge else None
    return grown / (cpus * window.seconds) if grown is not None and cpus else None
