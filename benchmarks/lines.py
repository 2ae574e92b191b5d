"""Samples as an exporter makes them: package and dram at 10 Hz."""

from collections.abc import Iterator
from typing import Final

from wattmark_core.sample import Sample, make_tags

PERIOD_NS: Final = 100_000_000
START_NS: Final = 1_700_000_000_000_000_000
EPOCH: Final = 1_700_000_000_000
SERIES: Final = tuple(
    make_tags({
        "host": "bench", "domain": domain, "device": "socket0", "source": "rapl",
        "method": "counter",
    })
    for domain in ("package", "dram")
)  # fmt: skip


def samples(ticks: int, first: int = 0) -> Iterator[Sample]:
    """``ticks`` ticks of both series from tick ``first`` on."""
    for tick in range(first, first + ticks):
        time_ns = START_NS + tick * PERIOD_NS
        for tags, watts in zip(SERIES, (35.0, 4.0), strict=True):
            fields = {
                "joules": tick * watts / 10, "epoch": EPOCH, "uncertainty_seconds": 0.000513,
            }  # fmt: skip
            yield Sample("energy", tags, fields, time_ns)
