"""Power stored ready, on a real InfluxDB: what one host lacks or breaks costs no other its power,
and a time without samples costs nobody any."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.stored_power import LATER, T0, S, energy_tags, load, shown, times
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.sample import Sample
from wattmark_store import open_store
from wattmark_store.databases import POWER, POWER_NAMES
from wattmark_store.influx_look_back import pieces

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

DAY = 86_400 * S


@pytest.fixture
def store(opened: Callable[[], Any]) -> Any:
    """A store of the collector's."""
    return opened()


def of_host(influx: Any, host: str) -> dict[str, Any]:
    """A host's points in each database."""
    return {
        name: {key: value for key, value in shown(influx, name).items() if key[0].startswith(host)}
        for name in POWER_NAMES
    }


@pytest.mark.parametrize("late", ["b", "a"])
def test_power_stays_where_the_samples_are_gone(
    influx: Any, opened: Callable[[], Any], late: str
) -> None:
    """Those of before are deleted. Then a host's clock is two days late, another's or its own, and
    a collector that is killed leaves it to the next."""
    first = opened()
    first.write(load(50.0, 0.0, 1800.0, tags=energy_tags(host="a")))
    first.roll_up(T0 + 1900 * S)
    before = of_host(influx, "a ")
    assert len(before["power_10s"]) == 3 * 180
    influx.query("telemetry", "DROP MEASUREMENT energy")
    first.write(load(50.0, 600.0, 900.0, tags=energy_tags(host=late), epoch=8))
    first.write(load(50.0, 100_000.0, 100_001.0, tags=energy_tags(host="a"), epoch=9))
    for store in (first, opened()):
        store.roll_up(T0 + 2 * DAY)
        for name, held in of_host(influx, "a ").items():
            old = {key: value for key, value in held.items() if key[1] < 3600}
            assert old == {key: pytest.approx(value) for key, value in before[name].items()}
    assert len(times(shown(influx, "power_10s"), f"{late} total counter")) >= 30


def test_power_that_late_samples_prove_wrong_is_deleted_at_every_width(
    influx: Any, store: Any
) -> None:
    """A slow counter's energy was spread over 240 s; it began again in between, so that of
    minutes, and of 10 of them, nothing is known."""
    slow = [Sample("energy", energy_tags(), {"joules": joules, "epoch": 7}, T0 + second * S)
            for joules, second in ((0.0, 600), (9000.0, 840))]  # fmt: skip
    store.write(slow)
    store.roll_up(LATER)
    assert times(shown(influx, "power_1m"), "h total counter") == [600, 660, 720, 780]
    store.write([Sample("energy", energy_tags(), {"joules": 5.0, "epoch": 8}, T0 + 700 * S)])
    store.roll_up(LATER)
    assert {name: shown(influx, name) for name in POWER_NAMES} == {name: {} for name in POWER_NAMES}


def test_a_counter_that_nothing_can_have_come_to_stops_no_power(
    influx: Any, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Logged once; all else has its power, of the same host too."""
    for host in ("good", "bad"):
        store.write(load(50.0, 0.0, 200.0, tags=energy_tags(host=host)))
    broken = energy_tags("dram", host="bad")
    store.write([
        Sample("energy", broken, {"joules": joules, "epoch": 1}, T0 + 50 * S + n * S // 1000)
        for n, joules in enumerate((0.0, 1.7e308, -1.7e308, 1.7e308))
    ])  # fmt: skip
    store.roll_up(LATER)
    store.roll_up(LATER + 60 * S)
    for resolution in POWER:
        found = shown(influx, resolution.database)
        for host in ("good", "bad"):
            assert times(found, f"{host} total counter") == list(range(0, 200, resolution.seconds))
    assert [record.getMessage() for record in caplog.records] == [
        "host bad: the rapl counter of dram socket0 reads over 1e+15 J; its power leaves out such"
        " samples"
    ]


def test_a_host_whose_power_is_refused_is_logged_once_and_left_out(
    influx: Any, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """All others have theirs, and nothing stays due."""
    names = [f"h{n}" for n in range(10)]
    send = store._power_points._send

    def refuse(database: str, lines: Any) -> None:
        if any("host=h3" in line for line in lines):
            raise StoreError("store: partial write: h3 is not wanted")
        send(database, lines)

    store._power_points._send = refuse
    for minute in range(3):
        for name in names:
            store.write(load(50.0, 60.0 * minute, 60.0 * minute + 59.5, epoch=minute,
                             tags=energy_tags(host=name)))  # fmt: skip
        store.roll_up(T0 + (80 + 60 * minute) * S)
    found = shown(influx, "power_1m")
    assert {series.split()[0] for series, _ in found} == {*names} - {"h3"}
    assert {time for _, time in found} == {0, 60, 120}
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert messages == [
        "host h3 has no power, which is left out: store: partial write: h3 is not wanted"
    ]


def test_what_the_server_refuses_for_good_is_logged_and_not_tried_for_ever(
    influx: Any, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A field of another type, in the shard of that week: power of later is made."""
    admin = open_store(influx.url("admin"), influx.password_file("admin"))
    admin._send("power_10s", [f'power,host=x watts="text" {T0}'])  # type: ignore[attr-defined]
    admin.close()
    store.write(load(50.0, 0.0, 60.0))
    store.roll_up(LATER)
    assert "host h has no power, which is left out: InfluxDB at" in caplog.text
    assert caplog.text.count("field type conflict") == 1
    store.write([Sample(sample.measurement, sample.tags, sample.fields, sample.time_ns + 9 * DAY)
                 for sample in load(50.0, 0.0, 60.0)])  # fmt: skip
    store.roll_up(T0 + 9 * DAY + 100 * S)
    assert len(times(shown(influx, "power_1m"), "h total counter")) == 1


def test_a_day_without_samples_costs_a_new_collector_nothing(
    influx: Any, opened: Callable[[], Any]
) -> None:
    """Of 16 hosts: a moment, and few requests, each step short."""
    names = [f"h{n}" for n in range(16)]
    first = opened()
    for name in names:
        first.write(load(50.0, 0.0, 60.0, tags=energy_tags(host=name)))
    first.roll_up(T0 + 120 * S)
    for name in names:
        first.write([
            Sample(sample.measurement, sample.tags, sample.fields, sample.time_ns + DAY)
            for sample in load(50.0, 0.0, 60.0, tags=energy_tags(host=name))
        ])  # fmt: skip
    second = opened()
    calls, call = 0, second._call

    def counted(*positional: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return call(*positional, **named)

    second._call = counted
    second.roll_up(T0 + DAY + 120 * S)
    assert calls < 120
    found = shown(influx, "power_1m")
    assert all(times(found, f"{name} total counter") == [0, 86_400] for name in names)


def test_what_a_collector_left_undone_survives_one_that_ends_in_the_middle(
    influx: Any, opened: Callable[[], Any]
) -> None:
    """Ten minutes of hosts, a gap, ten minutes: each of a row of collectors does one step more, and
    the rest, oldest first, is for the next."""
    first = opened()
    first.write(load(50.0, -700.0, -640.0))
    first.roll_up(T0)
    for start in (0.0, 20_000.0):
        for host in ("a", "b"):
            first.write(load(50.0, start, start + 600.0, tags=energy_tags(host=host)))
    ends, now_ns = [], T0 + 20_700 * S
    for steps in range(1, 40):
        working = opened().rolling_up(now_ns)
        left = [step for step, _ in zip(range(steps), working, strict=False)]
        working.close()
        ends.append(max(times(shown(influx, "power_10s"), "a total counter"), default=0))
        if len(left) < steps:
            break
    assert ends == sorted(ends)
    assert len(set(ends)) > 5
    for host in ("a", "b"):
        found = shown(influx, "power_1h")
        assert sum(found[key][1] for key in found if key[0] == f"{host} total counter") == 1200.0


def test_steps_that_are_not_gone_through_stay_due(influx: Any, store: Any) -> None:
    """The same collector ends them when it is asked again, after a failure too."""
    store.roll_up(T0)
    store.write(load(50.0, 0.0, 1800.0))
    working = store.rolling_up(LATER)
    for _ in range(4):
        next(working)
    working.close()
    send = store._power_points._send

    def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    store._power_points._send = away
    with pytest.raises(StoreUnavailable):
        store.roll_up(LATER)
    store._power_points._send = send
    store.roll_up(LATER)
    assert times(shown(influx, "power_10s"), "h total counter") == list(range(0, 1800, 10))
    assert len(store.series("energy_1m", 0, LATER, {})[0].times_ns) == 31


def test_pieces_are_where_the_samples_are() -> None:
    """A gap is asked about once."""
    held, queries = [3, 4, 17, 900, 901, 902, 999], []

    def first(start: int, end: int) -> int | None:
        queries.append((start, end))
        return next((number for number in held if start <= number < end), None)

    assert list(pieces(0, 1000, 10, first)) == [
        range(3, 13), range(17, 27), range(900, 910), range(999, 1000)
    ]  # fmt: skip
    assert len(queries) == 6
    assert list(pieces(5, 16, 10, first)) == []
