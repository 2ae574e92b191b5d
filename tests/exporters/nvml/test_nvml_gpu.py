"""The NVML sensor on a real GPU."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from wattmark_core.errors import SensorAbsent
from wattmark_exporters.readings import Counter, Power, Values
from wattmark_exporters.sensors.nvml.sensor import Nvml

pytestmark = pytest.mark.gpu
SECONDS = 5.0


@pytest.fixture
def nvml() -> Iterator[Nvml]:
    """Started; skipped where NVML does not answer."""
    with closing(Nvml()) as sensor:
        try:
            sensor.start()
        except SensorAbsent as absent:
            pytest.skip(f"NVML does not answer: {absent.reason}")
        yield sensor


def test_the_counter_agrees_with_power(nvml: Nvml) -> None:
    """Counter and integral of power over 5 s differ by less than 10 %, on every board."""
    energy: dict[str, list[tuple[float, float]]] = {}
    power: dict[str, list[tuple[float, float]]] = {}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        before = time.monotonic()
        readings = list(nvml.read())
        now = (before + time.monotonic()) / 2
        for reading in readings:
            if isinstance(reading, Counter):
                energy.setdefault(reading.device, []).append((now, reading.joules))
            elif isinstance(reading, Power):
                power.setdefault(reading.device, []).append((now, reading.watts))
        time.sleep(0.005)
    if not energy:
        pytest.skip("no GPU here has an energy counter")
    for device, points in energy.items():
        ticks = [after for before, after in pairwise(points) if after[1] != before[1]]
        (start, low), (stop, high) = ticks[0], ticks[-1]
        inside = [point for point in power[device] if start <= point[0] <= stop]
        integral = sum((b[1] + a[1]) / 2 * (b[0] - a[0]) for a, b in pairwise(inside))
        integral *= (stop - start) / (inside[-1][0] - inside[0][0])
        assert high - low == pytest.approx(integral, rel=0.1)


def test_what_is_known_of_a_real_board(nvml: Nvml) -> None:
    """T lies in 5 to 200 ms, the power below the limit, the temperature on Earth."""
    readings = [reading for _ in range(20) for reading in nvml.read()]
    counters = [reading for reading in readings if isinstance(reading, Counter)]
    values = [reading for reading in readings if isinstance(reading, Values)]
    for counter in counters:
        assert 0.005 <= counter.traits.update_period_seconds <= 0.2
        assert counter.traits.limit_watts is not None
        assert 30 < counter.traits.limit_watts < 3000
        assert counter.device.startswith("GPU-")
    assert values
    for value in values:
        assert 5 < value.fields["temperature_celsius"] < 110
        assert 0 <= value.fields["memory_used_bytes"] < value.fields["memory_total_bytes"]
