"""One sample that no store takes holds up no other."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from wattmark_collector.health import Health
from wattmark_collector.sink import DirectStore
from wattmark_collector.spool import SpooledStore
from wattmark_core.errors import StoreError
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock
from wattmark_store.sqlite import SqliteStore

GOOD = Sample("good", (("host", "h"),), {"value": 1.0}, 5)
BAD = {
    "time": Sample("bad", (), {"value": 1.0}, 1_795_813_365_926_000_000_000_000),
    "time before": Sample("bad", (), {"value": 1.0}, -(2**63)),
    "integer": Sample("bad", (), {"value": 2**63}, 5),
    "measurement": Sample("bad\udce9", (), {"value": 1.0}, 5),
    "tag": Sample("bad", (("t", "\udce9"),), {"value": 1.0}, 5),
    "field": Sample("bad", (), {"v\udce9": 1.0}, 5),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    made = SqliteStore(tmp_path / "s.sqlite")
    yield made
    made.close()


@pytest.mark.parametrize("name", ["time", "integer", "measurement"])
def test_sqlite_takes_the_rest(
    store: SqliteStore, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And the cursor; the one is counted, each reason is told once."""
    sink = DirectStore(store, Health())
    with caplog.at_level(logging.ERROR):
        for time_ns in (5, 6):
            good = Sample("good", (("host", "h"),), {"value": 1.0}, time_ns)
            assert sink.write([good, BAD[name]], target="t", cursor=f"i:{time_ns}") == 1
    assert list(store.series("good", 0, 2**62, {})[0].times_ns) == [5, 6]
    assert sink.cursor("t") == "i:6"
    assert sink.fields == {"refused": 2}
    (record,) = caplog.records
    assert "a sample of 'bad" in record.getMessage()
    assert record.getMessage().isprintable()


def test_a_store_that_refuses_everything_is_told_so(store: SqliteStore) -> None:
    """Nothing is taken out of a batch in which nothing is wrong."""
    sink = DirectStore(store, Health())
    store.close()
    with pytest.raises(StoreError):
        sink.write([GOOD])
    assert sink.fields == {"refused": 0}


@pytest.mark.parametrize("name", ["measurement", "tag", "field"])
def test_the_spool_takes_the_rest(store: SqliteStore, tmp_path: Path, name: str) -> None:
    """What cannot be written as UTF-8 is counted with what the store refuses."""
    spooled = SpooledStore(
        store, tmp_path / "spool", Health(), FakeClock(), lambda fields: Sample("c", (), fields, 5)
    )
    assert spooled.write([GOOD, BAD[name]]) == 1
    assert spooled.fields["refused"] == 1
    spooled.start()
    spooled.close()
    again = SqliteStore(tmp_path / "s.sqlite")
    assert len(again.series("good", 0, 2**62, {})) == 1
    again.close()
