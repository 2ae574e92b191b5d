"""Boards in virtual time: what their registers show of a load, and what the exporter makes of it.

A board's habits are those of arXiv 2312.02741 (A100, H100, V100) and of nvml.h (averages of a
second); its readings go through the exporter's own meters.
"""

import random
from dataclasses import dataclass

import numpy as np

from tests.truth.loads import Floats, Load
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_exporters.meter import CounterMeter, EnergyPoint, PowerMeter
from wattmark_exporters.readings import Traits
from wattmark_exporters.schedule import Schedule
from wattmark_scoring.arrays import CounterData, GaugeData

LEAST_READ_SECONDS = 0.005
READ_NS = 20_000
LIMIT_WATTS = 400.0


@dataclass(frozen=True)
class Board:
    """T, how much of it the sensor sees before a tick, and over how long power is averaged.

    ``counts``: it has an energy counter, in mJ; else its power is integrated.
    """

    name: str
    period_seconds: float
    look_seconds: float
    counts: bool = True

    @property
    def coverage_ratio(self) -> float:
        """The share of time that it sees."""
        return min(1.0, self.look_seconds / self.period_seconds)

    @property
    def averaging_seconds(self) -> float:
        """As the exporter says: only where an average is longer than T does it lag."""
        return self.look_seconds if self.look_seconds > self.period_seconds else 0.0

    @property
    def traits(self) -> Traits:
        """What the exporter knows of it."""
        return Traits(
            self.period_seconds, ticking=self.counts, averaging_seconds=self.averaging_seconds,
            coverage_ratio=self.coverage_ratio, limit_watts=LIMIT_WATTS,
        )  # fmt: skip

    @property
    def series(self) -> EnergySeries:
        """The series that an exporter would offer."""
        method = Method.COUNTER if self.counts else Method.INTEGRATED
        return EnergySeries(
            Domain.GPU, "GPU-1", "nvml", method, self.period_seconds,
            averaging_seconds=self.averaging_seconds, coverage_ratio=self.coverage_ratio,
            limit_watts=LIMIT_WATTS,
        )  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """What a store would hold of a board."""

    counter: CounterData
    power: GaugeData


def observe(board: Board, load: Load, seconds: float, dice: np.random.Generator) -> Samples:
    """What is read of a board from 0 to ``seconds`` while it bears a load; its clock runs up to
    0.5 % fast or slow, and where in its period it looks is left to the dice."""
    period = board.period_seconds * dice.uniform(0.995, 1.005)
    ticks = np.arange(dice.uniform(0.0, period), seconds, period)
    seen_to = ticks - dice.uniform(0.0, max(0.0, period - board.look_seconds))
    seen = load.joules(seen_to) - load.joules(seen_to - board.look_seconds)
    watts = np.round(seen / board.look_seconds, 3)
    joules = np.floor(np.cumsum(watts * period) * 1e3) / 1e3
    reads = _reads(max(LEAST_READ_SECONDS, board.period_seconds / 5.0), seconds, dice)
    at = np.searchsorted(ticks, reads, side="right") - 1
    reads, at = reads[at >= 0], at[at >= 0]
    times_ns = np.round(reads * 1e9).astype(np.int64)
    power = GaugeData(times_ns, watts[at])
    meter = CounterMeter(board.traits) if board.counts else PowerMeter(board.traits)
    values = joules[at] if board.counts else watts[at]
    points = [
        meter.read(value, time_ns, READ_NS)
        for value, time_ns in zip(values.tolist(), times_ns.tolist(), strict=True)
    ]
    return Samples(_counter([point for point in points if point is not None]), power)


def _reads(interval: float, seconds: float, dice: np.random.Generator) -> Floats:
    schedule = Schedule(interval, 0, random.Random(int(dice.integers(2**32))))  # noqa: S311
    times = []
    while schedule.next_ns < seconds * 1e9:
        times.append(schedule.next_ns / 1e9)
        schedule.passed(schedule.next_ns, taken=True)
    return np.array(times)


def _counter(points: list[EnergyPoint]) -> CounterData:
    return CounterData.of(
        [point.time_ns for point in points],
        [point.joules for point in points],
        [point.epoch for point in points],
        [point.uncertainty_seconds for point in points],
    )
