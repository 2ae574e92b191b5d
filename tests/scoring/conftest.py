"""Counters made by hand, for the scoring's tests."""

from collections.abc import Callable, Sequence

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData

MakeCounter = Callable[..., CounterData]
MakeSeries = Callable[..., EnergySeries]


@pytest.fixture
def make_counter() -> MakeCounter:
    """A counter from (seconds, joules) pairs; ``epochs`` and ``uncertainty`` if they matter."""

    def make(
        points: Sequence[tuple[float, float]],
        epochs: Sequence[int] | None = None,
        uncertainty: float = 0.0,
    ) -> CounterData:
        return CounterData.of(
            [round(seconds * 1e9) for seconds, _ in points],
            [joules for _, joules in points],
            list(epochs) if epochs is not None else [1] * len(points),
            [uncertainty] * len(points),
        )

    return make


@pytest.fixture
def make_series() -> MakeSeries:
    """An energy series of a RAPL package unless set otherwise."""

    def make(
        domain: Domain = Domain.PACKAGE,
        device: str = "socket0",
        source: str = "rapl",
        method: Method = Method.COUNTER,
        update_period_seconds: float = 0.001,
        coverage_ratio: float = 1.0,
        limit_watts: float | None = None,
        interval_seconds: float = 0.1,
    ) -> EnergySeries:
        return EnergySeries(
            domain, device, source, method, update_period_seconds,
            coverage_ratio=coverage_ratio, limit_watts=limit_watts,
            interval_seconds=interval_seconds,
        )  # fmt: skip

    return make
