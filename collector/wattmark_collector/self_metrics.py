"""The collector's own measurement, ``collector``."""

import time
from collections.abc import Callable, Mapping

from wattmark_core.clock import Clock
from wattmark_core.sample import Sample, make_tags


def self_sample(
    host: str, clock: Clock, boot: str = ""
) -> Callable[[Mapping[str, float | int]], Sample]:
    """Makes samples of the collector on ``host``. ``boot``: the kernel's id of this boot, by which
    runs know whether the collector is on their machine, whatever the machine is called."""
    tags = make_tags({"host": host, "boot_id": boot})
    return lambda fields: Sample("collector", tags, dict(fields), clock.realtime_ns())


def self_cpu() -> dict[str, float | int]:
    """CPU time of this process; runs read it for the cost of measuring."""
    return {"cpu_seconds": time.process_time()}
