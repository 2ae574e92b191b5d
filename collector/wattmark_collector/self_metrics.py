"""What the collector says of itself: the measurement ``collector``."""

import time
from collections.abc import Callable, Mapping

from wattmark_core.clock import Clock
from wattmark_core.sample import Sample, make_tags


def pulse(host: str, clock: Clock, boot: str = "") -> Callable[[Mapping[str, float | int]], Sample]:
    """Makes samples of the collector on ``host``, whose kernel calls this boot ``boot``: by that
    runs know whether it is on their machine, whatever each of them calls it."""
    tags = make_tags({"host": host, "boot_id": boot})
    return lambda fields: Sample("collector", tags, dict(fields), clock.realtime_ns())


def own_cost() -> dict[str, float | int]:
    """CPU time of this process, which runs read to tell what measuring them took."""
    return {"cpu_seconds": time.process_time()}
