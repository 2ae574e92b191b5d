"""Power stored ready, on a real InfluxDB: from the counters, whatever is late or is cut short."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from wattmark_core.errors import StoreAway, StoreError
from wattmark_core.sample import Sample, Tags, make_tags
from wattmark_store import open_store
from wattmark_store.databases import POWER

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

S = 1_000_000_000
T0 = 1_700_000_400 * S // (3600 * S) * 3600 * S  # a full hour
LATER = T0 + 3600 * S
Shown = dict[tuple[str, int], tuple[float, float]]


@pytest.fixture
def opened(influx: Any) -> Iterator[Callable[[], Any]]:
    """Stores opened as the collector's user."""
    stores: list[Any] = []

    def give() -> Any:
        stores.append(open_store(influx.url("collector"), influx.password_file("collector")))
        return stores[-1]

    yield give
    for each in stores:
        each.close()


@pytest.fixture
def store(opened: Callable[[], Any]) -> Any:
    """A store of the collector's."""
    return opened()


def energy_tags(
    domain: str = "package", device: str = "socket0", source: str = "rapl",
    method: str = "counter", host: str = "h",
) -> Tags:  # fmt: skip
    """Tags of a counter."""
    return make_tags({"host": host, "domain": domain, "device": device, "source": source,
                      "method": method})  # fmt: skip


def load(
    watts: float, start: float, end: float, step: float = 0.5, *, tags: Tags | None = None,
    epoch: int = 7,
) -> list[Sample]:  # fmt: skip
    """Samples of a constant load from ``start`` to ``end``, seconds after T0."""
    instants = [start + n * step for n in range(int((end - start) / step) + 1)]
    return [
        Sample("energy", tags or energy_tags(), {"joules": watts * (t - start), "epoch": epoch},
               T0 + round(t * S))
        for t in instants
    ]  # fmt: skip


def shown(influx: Any, database: str) -> Shown:
    """Watts and seconds by "host domain source method" and second after T0."""
    found: Shown = {}
    for row in influx.query(database, "SELECT * FROM power GROUP BY *").get("series", []):
        tags = row["tags"]
        name = " ".join(tags[n] for n in ("host", "domain", "source", "method") if tags.get(n))
        for time_ns, *values in row["values"]:
            point = dict(zip(row["columns"][1:], values, strict=True))
            assert point["joules"] == pytest.approx(point["watts"] * point["seconds"])
            found[name, (time_ns - T0) // S] = point["watts"], point["seconds"]
    return found


def times(found: Shown, name: str) -> list[int]:
    """When a series has points, seconds after T0."""
    return sorted(time for series, time in found if series == name)


def brute(samples: Iterable[Sample], width: int) -> dict[tuple[str, int], tuple[float, float]]:
    """Joules and seconds of each counter and bucket, from each millisecond's share on its own."""
    series: dict[str, list[Sample]] = {}
    for each in sorted(samples, key=lambda each: each.time_ns):
        series.setdefault(f"{each.tag['domain']} {each.tag['device']}", []).append(each)
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for name, held in series.items():
        for one, two in pairwise(held):
            grown = two.fields["joules"] - one.fields["joules"]
            span = two.time_ns - one.time_ns
            if one.fields["epoch"] != two.fields["epoch"] or grown < 0 or span > 300 * S:
                continue
            for at in range(one.time_ns, two.time_ns, S // 1000):
                key = name, (at - T0) // (width * S) * width
                joules, seconds = found.get(key, (0.0, 0.0))
                found[key] = joules + grown * (S // 1000) / span, seconds + 0.001
    return found


def test_power_is_what_the_counters_say_computed_by_another_way(influx: Any, store: Any) -> None:
    """At random rhythms, with gaps, new epochs and another device: every bucket of every width."""
    dice = random.Random(3)  # noqa: S311 - times, not secrets
    samples = []
    for device, domain, source in (("socket0", "package", "rapl"), ("GPU-1", "gpu", "nvml")):
        at, joules, epoch = 0, 0.0, 1
        while at < 1_500_000:
            fields = {"joules": joules, "epoch": epoch}
            samples.append(Sample("energy", energy_tags(domain, device, source), fields,
                                  T0 + at * 1_000_000))  # fmt: skip
            at += dice.choice((100, 100, 900, 7000)) if at // 1000 != 600 else 301_000
            joules += dice.uniform(0.0, 90.0)
            if dice.random() < 0.01:
                joules, epoch = 0.0, epoch + 1
    store.write(samples)
    store.roll_up(LATER)
    for each in POWER:
        expected = brute(samples, each.seconds)
        found = shown(influx, each.database)
        for name, key in (("h package rapl counter", "package socket0"),
                          ("h gpu nvml counter", "gpu GPU-1")):  # fmt: skip
            mine = {time: value for (series, time), value in found.items() if series == name}
            theirs = {time: value for (series, time), value in expected.items() if series == key}
            assert sorted(mine) == sorted(theirs)
            for time, (joules, seconds) in theirs.items():
                assert mine[time][1] == pytest.approx(seconds, abs=0.002)
                assert mine[time][0] == pytest.approx(joules / seconds, rel=1e-6)
        if each.seconds == 10:
            for time in times(found, "h total counter"):
                names = ("h package rapl counter", "h gpu nvml counter")
                parts = [found[name, time] for name in names if (name, time) in found]
                watts, seconds = found["h total counter", time]
                assert watts == pytest.approx(sum(part[0] for part in parts))
                assert seconds == min(part[1] for part in parts)


def test_a_constant_load_has_its_watts_at_every_width(influx: Any, store: Any) -> None:
    """Each bucket is stamped with its start and tells the seconds that it covers."""
    store.write(load(50.0, 0.0, 1900.0))
    store.roll_up(LATER)
    for each in POWER:
        found = shown(influx, each.database)
        starts = list(range(0, 1900, each.seconds))
        assert times(found, "h package rapl counter") == starts
        assert times(found, "h total counter") == starts
        for (_, time), (watts, seconds) in found.items():
            assert watts == pytest.approx(50.0)
            assert seconds == pytest.approx(min(each.seconds, 1900 - time))


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
    hole = [each for each in samples if 95 * S < each.time_ns - T0 < 215 * S]
    store.write([each for each in samples if each not in hole])
    store.roll_up(LATER)
    late = [Sample(each.measurement, each.tags, {**each.fields, "epoch": 7}, each.time_ns)
            for each in hole]  # fmt: skip
    middle = [Sample("energy", each.tags, {"joules": each.fields["joules"], "epoch": 8},
                     each.time_ns) for each in hole[100:200]]  # fmt: skip
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
        assert len(found) == 2 * len(range(0, 300, each.seconds))
        for (_, time), (watts, seconds) in found.items():
            assert watts == pytest.approx(50.0)
            assert seconds == pytest.approx(min(each.seconds, 300 - time), abs=0.31)


def test_a_slow_counter_fills_the_buckets_between_its_samples(influx: Any, store: Any) -> None:
    """Once the next sample is there, beside a quick one that was complete before."""
    slow = load(20.0, 5.0, 485.0, 240.0, tags=energy_tags("dram", source="node_exporter"))
    quick = load(50.0, 0.0, 600.0)
    for now in range(30, 660, 30):
        part = [each for each in (*slow, *quick) if now - 30 <= (each.time_ns - T0) / S < now]
        store.write(part)
        store.roll_up(T0 + now * S)
    found = shown(influx, "power_10s")
    assert times(found, "h dram node_exporter counter") == list(range(0, 490, 10))
    for time in range(10, 480, 10):
        assert found["h dram node_exporter counter", time] == pytest.approx((20.0, 10.0))
        assert found["h total counter", time] == pytest.approx((70.0, 10.0))
    assert shown(influx, "power_1m")["h total counter", 60] == pytest.approx((70.0, 60.0))


def test_a_total_that_gets_a_better_method_leaves_no_other_behind(influx: Any, store: Any) -> None:
    """The counter of the package comes late: its total replaces the estimate's at every width."""
    store.write(load(70.0, 0.0, 130.0, tags=energy_tags("package", "cpu", "estimate", "estimated")))
    store.roll_up(LATER)
    assert times(shown(influx, "power_1m"), "h total estimated") == [0, 60, 120]
    store.write(load(50.0, 0.0, 130.0))
    store.roll_up(LATER)
    for each in POWER:
        found = shown(influx, each.database)
        assert times(found, "h total estimated") == []
        assert len(times(found, "h package estimate estimated")) == len(range(0, 130, each.seconds))
        totals = [found["h total counter", time][0] for time in times(found, "h total counter")]
        assert totals == pytest.approx([50.0] * len(range(0, 130, each.seconds)))


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
                raise StoreAway("killed")
            send(database, lines)

        store._power_points._send = until
        with pytest.raises(StoreAway, match="killed"):
            store.roll_up(T0 + 720 * S)
        assert shown(influx, POWER[n].database)
        assert not shown(influx, each.database)
        opened().roll_up(T0 + 730 * S)
        found = shown(influx, "power_1h")
        assert found["h total counter", 0] == pytest.approx((50.0, 700.0))


def test_what_failed_stays_due(influx: Any, store: Any) -> None:
    """A server without the databases, as one that was not updated: told, and made up for later."""
    influx.query("", "DROP DATABASE power_1m")
    store.write(load(50.0, 0.0, 130.0))
    with pytest.raises(StoreAway, match="power_1m"):
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


def test_hosts_do_not_touch_one_another(influx: Any, store: Any) -> None:
    """Late samples of one leave the others as they were, more hosts than one request asks for."""
    names = [f"h{n}" for n in range(20)]
    for n, name in enumerate(names):
        store.write(load(10.0 + n, 0.0, 60.0, tags=energy_tags(host=name)))
    store.roll_up(LATER)
    before = shown(influx, "power_10s")
    store.write(load(99.0, 60.5, 70.0, tags=energy_tags(host="h3"), epoch=8))
    store.roll_up(LATER)
    after = shown(influx, "power_10s")
    assert before.items() <= after.items()
    assert {series.split()[0] for series, _ in set(after) - set(before)} == {"h3"}
    assert len(times(before, "h19 total counter")) == 6


def test_a_counter_that_the_catalogue_does_not_know_is_left_out(influx: Any, store: Any) -> None:
    """Of a domain, or by a method, that nobody can say what it is part of."""
    store.write(load(50.0, 0.0, 60.0))
    store.write(load(9.0, 0.0, 60.0, tags=energy_tags("battery")))
    store.write(load(9.0, 0.0, 60.0, tags=energy_tags(method="guessed", device="x")))
    store.roll_up(LATER)
    assert {series for series, _ in shown(influx, "power_10s")} == {
        "h package rapl counter", "h total counter",
    }  # fmt: skip


def test_names_that_fight_back_have_power_too(influx: Any, store: Any) -> None:
    """A host may be called anything."""
    name = "a'b\"c,d=e \\"
    store.write(load(50.0, 0.0, 60.0, tags=energy_tags(host=name)))
    store.roll_up(LATER)
    store.write(load(40.0, 0.0, 60.0, tags=energy_tags("dram", host=name)))
    store.roll_up(LATER)
    found = shown(influx, "power_10s")
    totals = [watts for (series, _), (watts, _) in found.items() if "total" in series]
    assert totals == pytest.approx([90.0] * 6)


def test_what_the_server_refuses_for_good_is_told(influx: Any, store: Any) -> None:
    """Not taken for a point that is too old."""
    admin = open_store(influx.url("admin"), influx.password_file("admin"))
    admin._send("power_10s", [f'power,host=x watts="text" {T0}'])  # type: ignore[attr-defined]
    admin.close()
    store.write(load(50.0, 0.0, 60.0))
    with pytest.raises(StoreError, match="field type conflict") as caught:
        store.roll_up(LATER)
    assert not isinstance(caught.value, StoreAway)
