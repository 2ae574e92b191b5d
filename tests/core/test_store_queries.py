"""Reading samples: against brute force over random data."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattmark_core.sample import Sample, make_tags
from wattmark_store import Aggregate, SeriesData, Store

SECOND = 1_000_000_000
MakeEnergy = Callable[..., Sample]
TIMES = st.lists(st.integers(0, 120), max_size=60, unique=True)


def brute_edges(times: list[int], start: int, end: int, neighbours: int) -> list[int]:
    """The definition in the protocol, word for word."""
    near = sorted(t for t in times if start - 30 * SECOND <= t <= end + 30 * SECOND)
    chosen: set[int] = set()
    for instant in (start, end):
        chosen.update([t for t in near if t <= instant][-neighbours:])
        chosen.update([t for t in near if t > instant][:neighbours])
    return sorted(chosen)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    first=TIMES, second=TIMES, window=st.tuples(st.integers(0, 120), st.integers(0, 120)),
    neighbours=st.integers(1, 9),
)  # fmt: skip
def test_edges_equal_brute_force(
    empty_store: Callable[[], Store],
    first: list[int], second: list[int], window: tuple[int, int], neighbours: int,
) -> None:  # fmt: skip
    """For two series of the catalogue, and for one that it does not know, of two fields."""
    start, end = (second_ * SECOND for second_ in sorted(window))
    data = {"a": [t * SECOND for t in first], "b": [t * SECOND for t in second]}
    store = empty_store()
    for device, times in data.items():
        tags = make_tags({"host": "h", "device": device})
        store.write(Sample("energy", tags, {"joules": t / 7, "epoch": 1}, t) for t in times)
        store.write(Sample("custom", tags, {"x" if t % 3 else "y": t, "z": 1.5}, t) for t in times)
    for measurement in ("energy", "custom"):
        found = store.edges(measurement, start, end, {"host": "h"}, neighbours=neighbours)
        expected = {
            device: brute_edges(times, start, end, neighbours) for device, times in data.items()
        }
        assert {d.tag["device"]: list(d.times_ns) for d in found} == {
            device: times for device, times in expected.items() if times
        }
        for series in found:
            check_values(series)


def check_values(data: SeriesData) -> None:
    """Each time has the values that it was written with."""
    for i, time_ns in enumerate(data.times_ns):
        if data.measurement == "energy":
            assert data.fields["joules"][i] == time_ns / 7
            assert data.fields["epoch"][i] == 1
        else:
            assert data.fields["z"][i] == 1.5
            assert data.fields["x" if time_ns % 3 else "y"][i] == time_ns


def test_edges_take_the_tags_that_were_asked_for(store: Store, energy: MakeEnergy) -> None:
    """A series must carry all of them, and other hosts stay out."""
    store.write([energy(5, 1.0), energy(5, 2.0, host="h2"), energy(5, 3.0, device="socket1")])
    found = store.edges("energy", 4, 6, {"host": "h1", "device": "socket1"})
    assert [data.fields["joules"] for data in found] == [(3.0,)]
    assert store.edges("energy", 4, 6, {"host": "nobody"}) == []
    assert store.edges("nothing", 4, 6, {}) == []


def test_a_field_without_a_value_is_missing_not_zero(store: Store) -> None:
    """None between values, and no field at all where there is none."""
    store.write([
        Sample("gpu", (("host", "h"),), {"utilization_ratio": 0.5}, 1),
        Sample("gpu", (("host", "h"),), {"memory_used_bytes": 7.0}, 2),
    ])  # fmt: skip
    (data,) = store.series("gpu", 0, 9, {})
    assert data.fields == {"utilization_ratio": (0.5, None), "memory_used_bytes": (None, 7.0)}


def test_the_aggregate_of_a_field(store: Store, start_ns: int) -> None:
    """Count, first, last, extremes, mean and the largest gap, of what lies inside."""
    values = {0: 5.0, 1: 1.0, 4: 9.0, 5: 3.0, 60: 1000.0}
    tags = make_tags({"host": "h"})
    store.write(
        Sample("power", tags, {"watts": v}, start_ns + t * SECOND) for t, v in values.items()
    )
    found = store.aggregate("power", "watts", start_ns, start_ns + 10 * SECOND, {"host": "h"})
    assert found == [Aggregate(tags, 4, 5.0, 3.0, 1.0, 9.0, 4.5, 3 * SECOND)]
    (one,) = store.aggregate("power", "watts", start_ns, start_ns, {})
    assert (one.count, one.largest_gap_ns) == (1, None)
    assert store.aggregate("power", "watts", 0, 1, {}) == []
    assert store.aggregate("power", "no such field", start_ns, start_ns + SECOND, {}) == []


def test_thinning_keeps_the_last_of_counters_and_the_mean_of_gauges(
    store: Store, start_ns: int, energy: MakeEnergy
) -> None:
    """An epoch goes with its counter, and the stamp is that of the stretch's last sample."""
    store.write(energy(start_ns + t * SECOND, t * 10.0, epoch=t) for t in range(100))
    store.write(
        Sample("power", (("host", "h1"),), {"watts": float(t)}, start_ns + t * SECOND)
        for t in range(100)
    )
    end_ns = start_ns + 100 * SECOND - 1
    (data,) = store.series("energy", start_ns, end_ns, {}, points=10)
    last = list(range(9, 100, 10))
    assert list(data.times_ns) == [start_ns + t * SECOND for t in last]
    assert list(data.fields["epoch"]) == last
    assert list(data.fields["joules"]) == [t * 10.0 for t in last]
    (watts,) = store.series("power", start_ns, end_ns, {}, points=10)
    assert watts.fields["watts"] == tuple(t - 4.5 for t in last)
    (whole,) = store.series("energy", start_ns, end_ns, {}, points=100)
    assert len(whole.times_ns) == 100


@pytest.mark.parametrize(("name", "expected"), [("reads_total", (9, 19)), ("depth", (4.5, 14.5))])
def test_an_unknown_measurement_is_thinned_by_its_name(
    store: Store, name: str, expected: tuple[float, ...]
) -> None:
    """``…_total`` counts, as Prometheus has it."""
    store.write(Sample(name, (("host", "h"),), {"value": t}, t) for t in range(20))
    (data,) = store.series(name, 0, 19, {}, points=2)
    assert data.fields["value"] == expected
    assert data.times_ns == (9, 19)
