"""Power stored ready, on a real InfluxDB: whatever is late, is replaced or is cut short."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.core.stored_power import LATER, T0, S, energy_tags, load, shown, times
from wattmark_core.errors import StoreUnavailable
from wattmark_core.sample import Sample
from wattmark_store.databases import POWER

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")


@pytest.fixture
def store(opened: Callable[[], Any]) -> Any:
    """A store of the collector's."""
    return opened()


def test_a_bucket_waits_until_it_is_over_and_all_hosts_have_had_time(
    influx: Any, store: Any
) -> None:
    """10 s after its end; coarser ones are there from their first part on, and grow."""
    store.write(load(50.0, 0.0, 75.0))
    store.roll_up(T0 + 75 * S)
    assert times(shown(influx, "power_10s"), "h total counter") == [0, 10, 20, 30, 40, 50]
    assert shown(influx, "power_1h")["h total counter", 0] == pytest.approx((50.0, 60.0))
    store.write(load(50.0, 75.5, 100.0))
    store.roll_up(T0 + 111 * S)
    assert shown(influx, "power_1h")["h total counter", 0][1] == pytest.approx(99.5)


def test_late_samples_make_their_buckets_again(influx: Any, store: Any) -> None:
    """The hole that they fill, and what reached into it on both sides; no point is there twice."""
    samples = load(50.0, 0.0, 300.0, 0.3)
    hole = [sample for sample in samples if 95 * S < sample.time_ns - T0 < 215 * S]
    store.write([sample for sample in samples if sample not in hole])
    store.roll_up(LATER)
    late = [Sample(sample.measurement, sample.tags, {**sample.fields, "epoch": 7}, sample.time_ns)
            for sample in hole]  # fmt: skip
    middle = [Sample("energy", sample.tags, {"joules": sample.fields["joules"], "epoch": 8},
                     sample.time_ns) for sample in hole[100:200]]  # fmt: skip
    store.write(middle)
    store.roll_up(LATER)
    found = shown(influx, "power_10s")
    assert set(times(found, "h total counter")) == {
        second // 10 * 10 for start, end in ((0, 95), (125.3, 155.3), (215, 300))
        for second in range(int(start), int(end))
    }  # fmt: skip
    store.write(late)
    store.roll_up(LATER)
    for each in POWER:
        found = shown(influx, each.database)
        assert len(found) == 3 * len(range(0, 300, each.seconds))
        for (_, time), (watts, seconds) in found.items():
            assert watts == pytest.approx(50.0)
            assert seconds == pytest.approx(min(each.seconds, 300 - time), abs=0.31)


def test_a_total_that_gets_a_better_method_leaves_no_other_behind(influx: Any, store: Any) -> None:
    """The counter of the package comes late: its total, and its part of that, replace those of the
    estimate at every width. What each source said stays, and so does the GPU's part."""
    store.write(load(70.0, 0.0, 130.0, tags=energy_tags("package", "cpu", "estimate", "estimated")))
    store.write(load(200.0, 0.0, 130.0, tags=energy_tags("gpu", "GPU-1", "nvml")))
    store.roll_up(LATER)
    found = shown(influx, "power_1m")
    for name, watts in (("total", 270.0), ("package", 70.0)):
        assert times(found, f"h {name} estimated") == [0, 60, 120]
        assert found[f"h {name} estimated", 60] == pytest.approx((watts, 60.0))
    store.write(load(50.0, 0.0, 130.0))
    store.roll_up(LATER)
    expected = {
        "h package estimate estimated": 70.0, "h package rapl counter": 50.0,
        "h gpu nvml counter": 200.0, "h package counter": 50.0, "h gpu counter": 200.0,
        "h total counter": 250.0,
    }  # fmt: skip
    for resolution in POWER:
        found = shown(influx, resolution.database)
        assert {name for name, _ in found} == set(expected)
        for name, watts in expected.items():
            assert times(found, name) == list(range(0, 130, resolution.seconds))
            held = [found[name, time][0] for time in times(found, name)]
            assert held == pytest.approx([watts] * len(held))


def test_a_new_collector_makes_what_the_one_before_did_not(
    influx: Any, opened: Callable[[], Any]
) -> None:
    """From the newest bucket, less the exporters' ring, on."""
    first = opened()
    first.write(load(50.0, 0.0, 300.0))
    first.roll_up(T0 + 320 * S)
    first.write(load(50.0, 300.5, 420.0))  # and it is killed before it makes them
    second = opened()
    second.roll_up(T0 + 500 * S)
    assert times(shown(influx, "power_10s"), "h total counter") == list(range(0, 420, 10))
    assert shown(influx, "power_10m")["h total counter", 0][1] == pytest.approx(419.5)


def test_the_first_collector_that_makes_power_goes_back_an_hour(
    influx: Any, opened: Callable[[], Any]
) -> None:
    """What was before is for back-fill."""
    opened().write(load(50.0, 0.0, 7260.0, 1.0))
    opened().roll_up(T0 + 7300 * S)
    assert times(shown(influx, "power_10s"), "h total counter") == list(range(3690, 7260, 10))
    assert shown(influx, "power_1h")["h total counter", 3600][1] == pytest.approx(3510.0)


def test_killed_between_two_widths_the_next_one_ends_the_work(
    influx: Any, opened: Callable[[], Any]
) -> None:
    """Whatever was written last: 10 s, then 1 min, 10 min, 1 h."""
    for n, each in enumerate(POWER[1:]):
        influx.make_databases()
        store = opened()
        store.write(load(50.0, 0.0, 700.0))
        send = store._power_points._send

        def until(database: str, lines: Any, last: str = each.database, send: Any = send) -> None:
            if database == last:
                raise StoreUnavailable("killed")
            send(database, lines)

        store._power_points._send = until
        with pytest.raises(StoreUnavailable, match="killed"):
            store.roll_up(T0 + 720 * S)
        assert shown(influx, POWER[n].database)
        assert not shown(influx, each.database)
        opened().roll_up(T0 + 730 * S)
        found = shown(influx, "power_1h")
        assert found["h total counter", 0] == pytest.approx((50.0, 700.0))


def test_what_failed_stays_due(influx: Any, store: Any) -> None:
    """A server without the databases, as one that was not updated: logged, made up for later."""
    influx.query("", "DROP DATABASE power_1m")
    store.write(load(50.0, 0.0, 130.0))
    with pytest.raises(StoreUnavailable, match="power_1m"):
        store.roll_up(LATER)
    assert len(store.series("energy_1m", 0, LATER, {})) == 1
    influx.query("", "CREATE DATABASE power_1m")
    influx.query("", "GRANT ALL ON power_1m TO collector")
    store.roll_up(LATER)
    assert times(shown(influx, "power_1m"), "h total counter") == [0, 60, 120]


def test_samples_that_the_server_would_forget_at_once_hold_up_nothing(
    influx: Any, store: Any
) -> None:
    """Where power is kept for a shorter time than the samples."""
    influx.query("", "ALTER RETENTION POLICY autogen ON power_1h DURATION 1h SHARD DURATION 1h")
    store.write(load(50.0, 0.0, 130.0))
    store.roll_up(LATER)
    assert shown(influx, "power_1h") == {}
    assert shown(influx, "power_10m")
