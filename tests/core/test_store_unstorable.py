"""A sample that no store can keep is refused by name, and keeps no other waiting."""

from collections.abc import Callable
from typing import Final

import pytest

from wattmark_core.errors import SamplesRefused, StoreError
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample
from wattmark_core.series_lines import LineReader
from wattmark_store import Maintained, Store
from wattmark_store.sqlite import SqliteStore

NOW: Final = 1_795_813_365_926_000_000
"""Unix ns; a target that gives it where ms are due means a time a million times later."""
BAD: Final = {
    "a time in ns that is taken for ms": (
        Sample("gpfs_size", (("host", "h"),), {"value": 5.0}, NOW * 1_000_000),
        "its time, 1795813365926000000000000 ns, needs more than 64 bits",
    ),
    "a time before all": (
        Sample("m", (), {"value": 5.0}, -(2**63) - 1), "its time, -9223372036854775809 ns"
    ),
    "a time of ten thousand digits": (
        Sample("m", (), {"value": 5.0}, 10**10_000), "a number of about 10000 digits"
    ),
    "an integer": (
        Sample("m", (), {"x_ns": 2**63}, NOW), "its field 'x_ns', 9223372036854775808, needs more"
    ),
    "an integer that is no float either": (
        Sample("m", (), {"x_ns": 10**400}, NOW), "'x_ns', a number of about 400 digits, needs more"
    ),
    "a tag's value of bytes": (
        Sample("m", (("device", "eth\udce9"),), {"x": 1.0}, NOW), r"'eth\xe9' is not Unicode"
    ),
    "a tag's name": (Sample("m", (("\ud800", "x"),), {"x": 1.0}, NOW), r"is not Unicode"),
    "a field's name": (Sample("m", (), {"\udcff": 1.0}, NOW), r"'\xff' is not Unicode"),
    "a measurement": (Sample("m\udce9", (), {"x": 1.0}, NOW), r"'m\xe9' is not Unicode"),
}  # fmt: skip


def good(store: Store, measurement: str) -> list[int]:
    """The times of a measurement's samples in the store."""
    return [t for data in store.series(measurement, 0, 2**62, {}) for t in data.times_ns]


@pytest.mark.parametrize("what", BAD)
def test_the_bad_sample_is_named_and_the_others_are_written(
    empty_store: Callable[[], Store], what: str
) -> None:
    """Those before it, those after it, and those of its own measurement; once more, too."""
    store = empty_store()
    bad, says = BAD[what]
    line = LineReader()
    plain = [line.read(f"up,host=h value=1 {NOW + n}") for n in range(3)]
    others = [*plain[:2], bad, Sample("m", (), {"value": 1.0}, NOW), plain[2]]
    for _ in range(2):
        with pytest.raises(SamplesRefused) as caught:
            store.write(others, target="t", cursor="i:1")
        assert list(caught.value.samples) == [bad]
        assert says in str(caught.value)
        assert str(caught.value).isprintable()
    assert good(store, "up") == [NOW, NOW + 1, NOW + 2]
    assert good(store, "m") == [NOW]


def test_all_bad_samples_of_many_batches_are_named(empty_store: Callable[[], Store]) -> None:
    """However far apart they stand; what comes after them is written as well."""
    store = empty_store()
    bad = [Sample("m", (), {"value": 5.0}, 2**70 + n) for n in range(2)]
    many = [Sample("up", (), {"value": 1.0}, NOW + n) for n in range(6_000)]
    with pytest.raises(SamplesRefused, match=r"takes a sample of 'm'.*: its time") as caught:
        store.write([bad[0], *many, bad[1]])
    assert list(caught.value.samples) == bad
    assert len(good(store, "up")) == len(many)


def test_nul_and_controls_in_names_are_kept(empty_store: Callable[[], Store]) -> None:
    """They are Unicode, and come back as they were."""
    store = empty_store()
    store.write([Sample("m\0x", (("a\0", "b\0\x1b[31m"),), {"f\0": 1.0}, NOW)])
    (data,) = store.series("m\0x", 0, 2**62, {})
    assert data.tag == {"a\0": "b\0\x1b[31m"}
    assert list(data.fields) == ["f\0"]


def test_extreme_times_stop_neither_minutes_nor_forgetting(sqlite_store: SqliteStore) -> None:
    """The first and the last ns of 64 bits, between samples of today."""
    times = [-(2**63), 0, NOW, 2**63 - 1]
    sqlite_store.write([Sample("power", (), {"watts": 1.0}, t) for t in times])
    assert isinstance(sqlite_store, Maintained)
    assert sqlite_store.roll_up(2**63 - 1) == 3
    sqlite_store.prune(NOW)
    (data,) = sqlite_store.series("power", -(2**63), 2**63 - 1, {})
    assert list(data.times_ns) == [NOW, 2**63 - 1]


@pytest.mark.parametrize("window", [
    Window("w", "h", Phase.IDLE, 2**70, 2**70 + 1), Window("w", "h\udce9", Phase.IDLE, 1, 2)
])  # fmt: skip
def test_a_window_that_cannot_be_kept_is_one_line(
    sqlite_store: SqliteStore, window: Window
) -> None:
    """And the store goes on."""
    with pytest.raises(StoreError, match="correct what gives it"):
        sqlite_store.put_window(window)
    with pytest.raises(StoreError, match="correct what gives it"):
        sqlite_store.windows(host=window.host, start_ns=window.start_ns)
    assert sqlite_store.windows() == []
