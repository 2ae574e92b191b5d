"""Does a counter count? One that gives the same value again and again while the machine is on has
stopped, whatever its sensor says of its state: a zone of a virtual machine that stands at 0, a
driver that hangs. What it cost is then not known, which is not the same as nothing.
"""

from typing import Final

import numpy as np

from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.energy import SeriesEnergy

LEAST_SECONDS: Final = 1.0
"""Of standing still: RAPL counts 15 to 61 µJ at a time and NVML 1 mJ, platforms 1 J (Sapphire
Rapids' psys), so that a device that draws 1 W moves within it."""
PERIODS: Final = 20.0
"""So many updates that did not come: below them a window fails for its length alone."""

READS: Final = 3.0
"""Where it is read seldom: so many that gave nothing new."""


def still_seconds(counter: CounterData, start_ns: int, end_ns: int) -> float:
    """The longest stretch within the window in which the counter gave the same value, s: between
    the first and the last of equal readings of one epoch, cut off at the window's edges."""
    times = np.clip(counter.times_ns, start_ns, end_ns)
    longest_ns = stretch_ns = 0
    grown = np.diff(counter.joules) > 0.0
    for same, length in zip(~grown & (np.diff(counter.epochs) == 0), np.diff(times), strict=True):
        stretch_ns = stretch_ns + int(length) if same else 0
        longest_ns = max(longest_ns, stretch_ns)
    return longest_ns / 1e9


def without_still(
    energy: SeriesEnergy, counter: CounterData, start_ns: int, end_ns: int
) -> SeriesEnergy:
    """``energy``, or none with the reason, if its counter stood still in the
    window for longer than it can, or for all of it."""
    if energy.joules is None or not energy.complete:
        return energy
    still = still_seconds(counter, start_ns, end_ns)
    if energy.joules > 0.0 and still <= _most(energy.series):
        return energy
    whole = energy.joules <= 0.0
    how = "throughout" if whole else f"for {still:.3g} s"
    reason = f"gave the same value {how}, so it did not count"
    return SeriesEnergy(energy.series, None, False, reason)


def _most(series: EnergySeries) -> float:
    updates, reads = PERIODS * series.update_period_seconds, READS * series.interval_seconds
    return max(LEAST_SECONDS, updates, reads)
