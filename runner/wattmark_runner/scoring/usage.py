"""How busy the machine was in a run's measured windows, so that a table outlives the samples."""

from collections.abc import Callable, Sequence

from wattmark_core.results import Phase, Window
from wattmark_core.units import seconds_to_ns
from wattmark_scoring.arrays import GaugeData
from wattmark_store import Store

MARGIN_NS = seconds_to_ns(5.0)
"""CPU times are read once a second: one beyond each edge is needed."""


def usage(windows: Sequence[Window], gpu: str, store: Store) -> dict[str, float]:
    """Means over the inference windows' time; what one of them was not sampled for is left out.

    ``gpu``: UUID of the GPU in use, if any. Raises ``StoreError``.
    """
    measured = [window for window in windows if window.phase is Phase.INFERENCE]

    def gauge(measurement: str, field: str, tags: dict[str, str]) -> float | None:
        return _mean(measured, lambda window: _sampled(window, store, measurement, field, tags))

    def of_gpu(field: str) -> float | None:
        return gauge("gpu", field, {"device": gpu}) if gpu else None

    found = {
        "gpu_utilization_ratio": of_gpu("utilization_ratio"),
        "gpu_memory_used_bytes": of_gpu("memory_used_bytes"),
        "cpu_utilization_ratio": _mean(measured, lambda window: _busy(window, store)),
        "memory_used_bytes": gauge("memory", "used_bytes", {}),
    }
    return {name: value for name, value in found.items() if value is not None}


def _mean(windows: Sequence[Window], value: Callable[[Window], float | None]) -> float | None:
    """Weighted by the windows' lengths."""
    found = [(value(window), window.seconds) for window in windows]
    known = [(each, seconds) for each, seconds in found if each is not None]
    total = sum(seconds for _, seconds in known)
    if len(known) < len(found) or not total:
        return None
    return sum(each * seconds for each, seconds in known) / total


def _sampled(
    window: Window, store: Store, measurement: str, field: str, tags: dict[str, str]
) -> float | None:
    """The mean of the samples inside the window."""
    found = store.aggregate(
        measurement, field, window.start_ns, window.end_ns, {"host": window.host, **tags}
    )
    return found[0].mean if len(found) == 1 else None


def _busy(window: Window, store: Store) -> float | None:
    """Busy CPU time over all CPUs' time: of counters, so that nothing between samples is missed."""
    around = (window.start_ns - MARGIN_NS, window.end_ns + MARGIN_NS)
    for data in store.series("cpu", *around, {"host": window.host}):
        if {"busy_seconds", "cpus"} <= data.fields.keys():
            busy = GaugeData.of(data.times_ns, data.fields["busy_seconds"])
            cpus = GaugeData.of(data.times_ns, data.fields["cpus"]).at(window.start_ns)
            grown = busy.growth(window.start_ns, window.end_ns)
            if grown is not None and cpus and window.seconds:
                return grown / (cpus * window.seconds)
    return None
