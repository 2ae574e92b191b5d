"""The most power that anything may draw: what separates a reading from garbage."""

from typing import Final

from wattmark_core.catalogue import Domain

DEVICE_WATTS: Final = 2000.0
"""More than any package, memory or GPU: the largest of 2026 are limited to about 1.4 kW."""
NODE_WATTS: Final = 20_000.0
"""More than a node of eight such GPUs."""


def most_watts(domain: Domain, limit_watts: float | None = None) -> float:
    """The most that a device of the domain may draw, W; its own ``limit_watts`` where known."""
    if limit_watts is not None:
        return limit_watts
    return NODE_WATTS if domain is Domain.PSYS else DEVICE_WATTS
