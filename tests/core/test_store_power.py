"""Power stored ready, on a real InfluxDB: what the counters say, at every width."""

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest

from tests.core.stored_power import (
    LATER,
    T0,
    S,
    counters,
    energy_tags,
    load,
    shown,
    times,
)  # fmt: skip
from wattmark_core.sample import Sample
from wattmark_store.databases import POWER

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")


@pytest.fixture
def store(opened: Callable[[], Any]) -> Any:
    """A store of the collector's."""
    return opened()


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
    for resolution in POWER:
        expected = brute(samples, resolution.seconds)
        found = shown(influx, resolution.database)
        for name, key in (("h package rapl counter", "package socket0"),
                          ("h gpu nvml counter", "gpu GPU-1")):  # fmt: skip
            mine = {time: value for (series, time), value in found.items() if series == name}
            theirs = {time: value for (series, time), value in expected.items() if series == key}
            assert sorted(mine) == sorted(theirs)
            for time, (joules, seconds) in theirs.items():
                assert mine[time][1] == pytest.approx(seconds, abs=0.002)
                assert mine[time][0] == pytest.approx(joules / seconds, rel=1e-6)
        if resolution.seconds == 10:
            for time in times(found, "h total counter"):
                names = ("h package rapl counter", "h gpu nvml counter")
                parts = [found[name, time] for name in names if (name, time) in found]
                watts, seconds = found["h total counter", time]
                assert watts == pytest.approx(sum(part[0] for part in parts))
                assert seconds == min(part[1] for part in parts)


def test_a_constant_load_has_its_watts_at_every_width(influx: Any, store: Any) -> None:
    """Each bucket is stamped with its start and holds the seconds that it covers."""
    store.write(load(50.0, 0.0, 1900.0))
    store.roll_up(LATER)
    for resolution in POWER:
        found = shown(influx, resolution.database)
        starts = list(range(0, 1900, resolution.seconds))
        assert times(found, "h package rapl counter") == starts
        assert times(found, "h total counter") == starts
        for (_, time), (watts, seconds) in found.items():
            assert watts == pytest.approx(50.0)
            assert seconds == pytest.approx(min(resolution.seconds, 1900 - time))


def test_a_slow_counter_fills_the_buckets_between_its_samples(influx: Any, store: Any) -> None:
    """Once the next sample is there, beside a quick one that was complete before."""
    slow = load(20.0, 5.0, 485.0, 240.0, tags=energy_tags("dram", source="node_exporter"))
    quick = load(50.0, 0.0, 600.0)
    for now in range(30, 660, 30):
        part = [sample for sample in (*slow, *quick) if now - 30 <= (sample.time_ns - T0) / S < now]
        store.write(part)
        store.roll_up(T0 + now * S)
    found = shown(influx, "power_10s")
    assert times(found, "h dram node_exporter counter") == list(range(0, 490, 10))
    for time in range(10, 480, 10):
        assert found["h dram node_exporter counter", time] == pytest.approx((20.0, 10.0))
        assert found["h total counter", time] == pytest.approx((70.0, 10.0))
    assert shown(influx, "power_1m")["h total counter", 60] == pytest.approx((70.0, 60.0))


def test_boards_that_two_sources_see_are_in_the_stored_total_once(influx: Any, store: Any) -> None:
    """NVML and DCGM, 200 W for each of two boards by either, beside a package of 50 W. What has no
    source is the total and what it counts, and that adds up, at every width."""
    store.write(load(50.0, 0.0, 600.0))
    for device in ("GPU-1", "GPU-2"):
        for source in ("nvml", "dcgm"):
            store.write(load(200.0, 0.0, 600.0, tags=energy_tags("gpu", device, source)))
    store.roll_up(LATER)
    for resolution in POWER:
        starts = range(0, 600, resolution.seconds)
        query = "SELECT watts, parts FROM power WHERE source = '' GROUP BY domain, method"
        rows = influx.query(resolution.database, query)["series"]
        assert {" ".join(row["tags"].values()): row["values"] for row in rows} == {
            name: [[T0 + start * S, pytest.approx(watts), parts] for start in starts]
            for name, watts, parts in (
                ("package counter", 50.0, 1), ("gpu counter", 400.0, 2), ("total counter", 450.0, 3)
            )
        }  # fmt: skip
        found = shown(influx, resolution.database)
        assert [found[f"h gpu {source} counter", 0] for source in ("nvml", "dcgm")] == [
            pytest.approx((400.0, min(resolution.seconds, 600.0)))] * 2  # fmt: skip


def test_a_total_without_one_of_its_boards_has_fewer_parts(influx: Any, store: Any) -> None:
    """A board is not heard of from 200 s to 260 s: of wider buckets the fewest of the finer ones.
    A point with a source has no parts."""
    tags = energy_tags("gpu", "GPU-1", "nvml")
    store.write(load(50.0, 0.0, 900.0))
    store.write([*load(200.0, 0.0, 200.0, tags=tags),
                 *load(200.0, 260.0, 900.0, tags=tags, epoch=8)])  # fmt: skip
    store.roll_up(LATER)
    without = {
        "power_10s": {*range(200, 260, 10)}, "power_1m": {180, 240}, "power_10m": {0},
        "power_1h": {0},
    }  # fmt: skip
    for each in POWER:
        found = counters(influx, each.database)
        starts = range(0, 900, each.seconds)
        assert {time: found["h total counter", time] for time in starts} == {
            time: 1 if time in without[each.database] else 2 for time in starts
        }  # fmt: skip
        assert found["h package rapl counter", 0] is None
        assert found["h gpu counter", 0] == 1
    watts = shown(influx, "power_1m")
    assert watts["h total counter", 180] == pytest.approx((50.0 + 200.0 * 20 / 60, 60.0))


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
        "h package rapl counter", "h package counter", "h total counter",
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
