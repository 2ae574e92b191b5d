"""What is read in one call: samples of several measurements, each of its own stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """All samples of a measurement in [start, end], of the series whose tags include ``tags``."""

    measurement: str
    start_ns: int
    end_ns: int
    tags: Mapping[str, str]
