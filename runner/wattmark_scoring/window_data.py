"""What was read of one window: all that its energy, its checks and its means are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Window
from wattmark_core.units import seconds_to_ns
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.window_facts import WindowFacts

NEIGHBOURS: Final = 8
"""Samples on each side of an edge that its interpolation's error is made of."""


@dataclass(frozen=True, slots=True)
class CounterSamples:
    """Of one pinned counter, inside the window and around it. ``power``: what the same sensor says
    of it; None if it says nothing."""

    series: EnergySeries
    counter: CounterData
    power: GaugeData | None = None

    def edges(self, window: Window) -> CounterData:
        """The samples around both edges, from which a counter's energy is made: what a run keeps
        of them. A sensor that averages lags, by half of the time over which it does."""
        lag_ns = seconds_to_ns(self.series.averaging_seconds / 2.0)
        instants = window.start_ns + lag_ns, window.end_ns + lag_ns
        return self.counter.near(instants, NEIGHBOURS)


@dataclass(frozen=True, slots=True)
class FieldSeries:
    """Of one other series: each field's samples, those without a value left out."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, GaugeData]


@dataclass(frozen=True, slots=True)
class WindowData:
    """A window, its counters' samples, and those of the machine and of Wattmark's own programs.

    No sample in it is one that might have been missing when the window was first read. ``facts``:
    what was noted of it while it lasted.
    """

    window: Window
    counters: tuple[CounterSamples, ...] = ()
    others: tuple[FieldSeries, ...] = ()
    facts: WindowFacts = field(default_factory=WindowFacts)

    def gauges(self, measurement: str, field: str, device: str = "") -> Iterator[GaugeData]:
        """A field of each series of the window's host, and of ``device`` if one is named."""
        for other in self.others:
            if other.measurement != measurement or field not in other.fields:
                continue
            if other.tags["host"] == self.window.host and (
                not device or other.tags.get("device") == device
            ):
                yield other.fields[field]

    def gauge(self, measurement: str, field: str, device: str = "") -> GaugeData | None:
        """The first of ``gauges``, None if there is none."""
        return next(self.gauges(measurement, field, device), None)

    def growth(self, measurement: str, field: str, device: str = "") -> float | None:
        """How much a counter of the host or the device grew in the window; None if not known."""
        gauge = self.gauge(measurement, field, device)
        return None if gauge is None else gauge.growth(self.window.start_ns, self.window.end_ns)
