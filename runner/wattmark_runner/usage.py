"""How much of the machine a run used, beside what it cost."""

from typing import Final

from wattmark_core.results import Phase
from wattmark_runner.records import RunRecord
from wattmark_store import Store

HOST: Final = {
    "cpu_utilization_ratio": ("cpu", "utilization_ratio"),
    "memory_used_bytes": ("memory", "used_bytes"),
}
GPU: Final = {
    "gpu_utilization_ratio": ("gpu", "utilization_ratio"),
    "gpu_memory_used_bytes": ("gpu", "memory_used_bytes"),
}


def usage(record: RunRecord, store: Store) -> dict[str, float]:
    """Means over the measured windows, by their length; what nobody sampled is left out.

    Raises ``StoreError``.
    """
    host = {"host": record.host}
    found = {name: _mean(record, store, *place, host) for name, place in HOST.items()}
    if record.request.gpu:
        gpu = host | {"device": record.request.gpu}
        found |= {name: _mean(record, store, *place, gpu) for name, place in GPU.items()}
    return {name: value for name, value in found.items() if value is not None}


def _mean(
    record: RunRecord, store: Store, measurement: str, field: str, tags: dict[str, str]
) -> float | None:
    seconds, total = 0.0, 0.0
    for window in record.windows:
        if window.phase is not Phase.INFERENCE:
            continue
        found = store.aggregate(measurement, field, window.start_ns, window.end_ns, tags)
        if found and found[0].mean is not None:
            seconds += window.seconds
            total += window.seconds * found[0].mean
    return total / seconds if seconds else None
