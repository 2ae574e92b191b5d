"""Reading several series in one call."""

from collections.abc import Callable

from wattmark_core.sample import Sample, make_tags
from wattmark_store import Maintained, Selection, Showing, Store
from wattmark_store.testing import CountingStore

MakeEnergy = Callable[..., Sample]


def test_what_is_selected_comes_as_series_returns_it(store: Store, energy: MakeEnergy) -> None:
    """Each selection has its own measurement, time and tags, and an answer in its place, even if
    that is empty; the same twice is answered twice."""
    busy = make_tags({"host": "h1"})
    store.write([energy(t, t / 7, device=d) for t in range(1, 9) for d in ("socket0", "socket1")])
    store.write(Sample("cpu", busy, {"busy_seconds": t / 3, "cpus": 4}, t) for t in range(1, 9))
    selections = [
        Selection("energy", 2, 5, {"host": "h1", "device": "socket1"}),
        Selection("memory", 1, 9, {"host": "h1"}),
        Selection("cpu", 4, 9, {"host": "h1"}),
        Selection("energy", 0, 9, {"host": "h1"}),
        Selection("cpu", 4, 9, {"host": "h1"}),
    ]
    found = store.select(selections)
    assert found == [store.series(s.measurement, s.start_ns, s.end_ns, s.tags) for s in selections]
    assert [len(answer) for answer in found] == [1, 0, 1, 2, 1]
    assert list(found[0][0].times_ns) == [2, 3, 4, 5]
    assert store.select([]) == []


def test_a_counting_store_does_what_the_other_does(store: Store, energy: MakeEnergy) -> None:
    """Each call is counted by its name and passed on; what is read of samples is summed."""
    counting = CountingStore(store)
    counting.store.write([energy(5, 1.0)])
    for _ in range(2):
        assert counting.store.series("energy", 0, 9, {}) == store.series("energy", 0, 9, {})
    assert counting.store.select([Selection("energy", 0, 9, {})]) == [
        store.series("energy", 0, 9, {})
    ]
    assert counting.calls == {"write": 1, "series": 2, "select": 1}
    assert counting.reads == 3
    for ability in (Maintained, Showing):
        assert isinstance(counting.store, ability) == isinstance(store, ability)
