"""Base units inside, named at the edge. Milliwatt-hours appear in display and in the score only."""

from typing import Final

NS_PER_S: Final = 1_000_000_000
JOULES_PER_MWH: Final = 3.6
"""1 mWh = 1e-3 W · 3600 s."""


def seconds_to_ns(seconds: float) -> int:
    """Seconds to whole nanoseconds, rounded to nearest."""
    return round(seconds * NS_PER_S)


def ns_to_seconds(nanoseconds: int) -> float:
    """Nanoseconds to seconds. Use it on differences: a float holds no absolute ns exactly."""
    return nanoseconds / NS_PER_S


def joules_to_mwh(joules: float) -> float:
    """Joules to milliwatt-hours, the unit of energy in the score (arXiv 2310.09554, eq. 3)."""
    return joules / JOULES_PER_MWH
