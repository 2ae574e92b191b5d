"""A meter whose energy is a formula of time: what every window must come to is known."""

import math
import time
from collections.abc import Iterable
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_exporters import Counter, Reading, Sensor, Traits

MEAN_WATTS: Final = 60.0
WAVES: Final = ((25.0, 11.0), (12.0, 0.7), (8.0, 61.0))
"""Amplitude, W, and period, s, of each."""
TRAITS: Final = Traits(update_period_seconds=0.001, limit_watts=120.0, label="simulated package")


def joules(seconds: float) -> float:
    """Since boot, at CLOCK_BOOTTIME ``seconds``: the integral of 60 W and its waves."""
    waves = sum(
        amplitude * period / math.tau * (1.0 - math.cos(math.tau * seconds / period))
        for amplitude, period in WAVES
    )
    return MEAN_WATTS * seconds + waves


class Meter(Sensor):
    """A CPU package that draws what the formula says, whatever the CPU does."""

    name = "soak"
    measures = "a simulated package"
    interval_seconds = 0.1

    def read(self) -> Iterable[Reading]:
        """The formula, now."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        return [Counter(Domain.PACKAGE, "socket0", joules(now), TRAITS)]
