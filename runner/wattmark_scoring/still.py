"""Does a counter count? One that gives the same value again and again while the machine is on has
stopped, whatever its sensor says of its state: a zone of a virtual machine that stands at 0, a
driver that hangs. What it cost is then not known, which is not the same as nothing.
"""

from typing import Final

import numpy as np

from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.energy import SeriesEnergy
from wattmark_scoring.sampling import is_slow

LEAST_SECONDS: Final = 1.0
"""Of standing still: RAPL counts 15 to 61 µJ at a time and NVML 1 mJ, platforms 1 J (Sapphire
Rapids' psys), so that a device that draws 1 W moves within it."""
PERIODS: Final = 20.0
"""So many updates that did not come: below them a window fails for its length alone."""

READS: Final = 3.0
"""Where it is read seldom: so many that gave nothing new."""
MISSED: Final = 2.5
"""Periods between two ticks of a slow counter, above which more than one did not come."""
CAUGHT_UP: Final = 0.5
"""Of the usual power: a counter that goes on from where it stood shows a third or less over such a
stretch, one that was only not asked shows all."""
LEAST_USUAL: Final = 2
"""Stretches of one period, for their power to be the usual one."""


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


def missed_seconds(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> float:
    """Of a slow counter, of which ticks alone are kept: how long it did not count within the
    window, s. Ticks that did not come are no fault if the next one makes up for them; one that
    shows less than half of the usual power over that time does not."""
    first = max(0, int(np.searchsorted(counter.times_ns, start_ns, side="right")) - 1)
    last = int(np.searchsorted(counter.times_ns, end_ns, side="left")) + 1
    seconds = np.diff(counter.times_ns[first:last]) / 1e9
    watts = np.diff(counter.joules[first:last]) / seconds
    whole = np.diff(counter.epochs[first:last]) == 0
    period = series.update_period_seconds
    usual = watts[whole & (seconds < MISSED * period)]
    if len(usual) < LEAST_USUAL:
        return 0.0
    still = whole & (seconds > MISSED * period) & (watts < CAUGHT_UP * float(np.median(usual)))
    return float(np.max(seconds[still] - period, initial=0.0))


def without_still(
    energy: SeriesEnergy, counter: CounterData, start_ns: int, end_ns: int
) -> SeriesEnergy:
    """``energy``, or none with the reason, if its counter stood still in the
    window for longer than it can, or for all of it."""
    if energy.joules is None or not energy.complete:
        return energy
    still = _stood(energy.series, counter, start_ns, end_ns)
    if energy.joules > 0.0 and not still:
        return energy
    whole = energy.joules <= 0.0
    how = "throughout" if whole else f"for {still:.3g} s"
    reason = f"gave the same value {how}, so it did not count"
    return SeriesEnergy(energy.series, None, False, reason)


def _stood(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> float:
    """For how long it stood still, s, if that is longer than it can; else 0."""
    still = still_seconds(counter, start_ns, end_ns)
    if still > _most(series):
        return still
    return missed_seconds(series, counter, start_ns, end_ns) if is_slow(series) else 0.0


def _most(series: EnergySeries) -> float:
    updates, reads = PERIODS * series.update_period_seconds, READS * series.interval_seconds
    return max(LEAST_SECONDS, updates, reads)
