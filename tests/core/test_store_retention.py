"""One-minute values and forgetting."""

from collections.abc import Callable
from typing import Any

from wattmark_core.sample import Sample
from wattmark_store.sqlite import SqliteStore

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
MakeEnergy = Callable[..., Sample]
HOST = (("host", "h1"),)


def test_a_minute_becomes_one_row(store: Any, start_ns: int, energy: MakeEnergy) -> None:
    """The last value of counters, mean and largest of gauges, at the minute's last sample; the
    minute that is not over waits."""
    store.write(energy(start_ns + t * SECOND, t * 1.0, epoch=1 + t // 30) for t in range(90))
    store.write(Sample("power", HOST, {"watts": t * 1.0}, start_ns + t * SECOND) for t in range(90))
    store.write(Sample("hits_total", HOST, {"value": t}, start_ns + t * SECOND) for t in range(90))
    store.write(Sample("depth", HOST, {"value": t}, start_ns + t * SECOND) for t in range(90))
    assert store.roll_up(start_ns + 90 * SECOND) == 4
    found = {
        name: store.series(f"{name}_1m", start_ns, start_ns + 2 * MINUTE, {})[0]
        for name in ("energy", "power", "hits_total", "depth")
    }
    assert {data.times_ns for data in found.values()} == {(start_ns + 59 * SECOND,)}
    assert found["energy"].fields["joules"] == (59.0,)
    assert found["energy"].fields["epoch"] == (2,)
    assert found["power"].fields == {"watts": (29.5,), "watts_max": (59.0,)}
    assert found["hits_total"].fields == {"value": (59,)}
    assert found["depth"].fields == {"value": (29.5,), "value_max": (59,)}
    assert store.roll_up(start_ns + 90 * SECOND) == 0


def test_late_samples_make_their_minute_again(
    store: Any, start_ns: int, energy: MakeEnergy
) -> None:
    """And leave one row, with the right time."""
    now_ns = start_ns + 5 * MINUTE
    store.write([energy(start_ns + SECOND, 1.0), energy(start_ns + MINUTE, 9.0)])
    assert store.roll_up(now_ns) == 2
    store.write([energy(start_ns + 2 * SECOND, 2.0)])
    assert store.roll_up(now_ns) == 1
    (data,) = store.series("energy_1m", start_ns, now_ns, {"host": "h1"})
    assert data.times_ns == (start_ns + 2 * SECOND, start_ns + MINUTE)
    assert data.fields["joules"] == (2.0, 9.0)


def test_a_measurement_may_be_called_1m(store: Any) -> None:
    """Its own samples come first."""
    store.write([Sample("load", HOST, {"value": 1.0}, 5), Sample("load_1m", HOST, {"value": 2}, 6)])
    store.roll_up(2 * MINUTE)
    (data,) = store.series("load_1m", 0, 9, {})
    assert data.fields == {"value": (2,)}


def test_old_samples_are_forgotten(
    sqlite_store: SqliteStore, start_ns: int, energy: MakeEnergy
) -> None:
    """Raw ones after 14 days, one-minute ones after two years; results stay."""
    now_ns = start_ns + 800 * DAY
    ages = [0, 13, 15, 100, 729, 731]
    sqlite_store.write(energy(now_ns - age * DAY, float(age)) for age in ages)
    sqlite_store.write(Sample("odd", HOST, {"value": 1.0}, now_ns - age * DAY) for age in ages)
    sqlite_store.roll_up(now_ns + MINUTE)
    assert sqlite_store.prune(now_ns) == 2 * (4 + 1)
    for name in ("energy", "odd"):
        (raw,) = sqlite_store.series(name, 0, 2**62, {})
        (minute,) = sqlite_store.series(f"{name}_1m", 0, 2**62, {})
        assert list(raw.times_ns) == [now_ns - age * DAY for age in (13, 0)]
        assert list(minute.times_ns) == [now_ns - age * DAY for age in (729, 100, 15, 13, 0)]
    assert sqlite_store.prune(now_ns) == 0


def test_many_hours_are_forgotten_in_one_call(sqlite_store: SqliteStore, start_ns: int) -> None:
    """Though in many short transactions."""
    sqlite_store.write(
        Sample("power", HOST, {"watts": 1.0}, start_ns + t * MINUTE) for t in range(48 * 60)
    )
    assert sqlite_store.prune(start_ns + 30 * DAY) == 48 * 60
    assert sqlite_store.series("power", 0, 2**62, {}) == []
