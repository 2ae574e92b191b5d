"""What the store refuses of a batch keeps neither the rest nor the cursor waiting."""

import logging

import pytest

from wattmark_collector.health import Health
from wattmark_collector.sink import DirectStore, Origin
from wattmark_core.sample import Sample
from wattmark_store.testing import MemoryStore

NOW = 1_795_813_365_926_000_000


def test_one_time_in_ns_for_ms_is_told_once_and_all_else_is_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By its name; the cursor moves on, so that the batch does not come again."""
    health, store = Health(), MemoryStore()
    sink = DirectStore(store, health)
    bad = Sample("gpfs_size", (("host", "h"),), {"value": 5.0}, NOW * 1_000_000)
    with caplog.at_level(logging.ERROR):
        for poll in range(2):
            good = Sample("up", (("host", "h"),), {"value": 1.0}, NOW + poll)
            origin = Origin("http://t", NOW + poll)
            count = sink.write([good, bad], target="t", cursor=f"i:{poll}", origin=origin)
            assert count == 1
    (told,) = caplog.messages
    assert "'gpfs_size': its time, 1795813365926000000000000 ns, needs more than 64 bits" in told
    assert sink.cursor("t") == "i:1"
    (data,) = store.series("up", 0, 2**62, {})
    assert list(data.times_ns) == [NOW, NOW + 1]
    assert health.lag_seconds("http://t", NOW + 1) == 0.0
    sink.close()
