"""What the collector says of itself: the measurement ``collector``."""

from collections.abc import Callable, Mapping

from wattmark_core.clock import Clock
from wattmark_core.sample import Sample, make_tags


def pulse(host: str, clock: Clock) -> Callable[[Mapping[str, float | int]], Sample]:
    """Makes samples of the collector on ``host``."""
    tags = make_tags({"host": host})
    return lambda fields: Sample("collector", tags, dict(fields), clock.realtime_ns())
