"""One sample that can be kept nowhere holds up no other, with SQLite or with a spool."""

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
def test_what_sqlite_refuses_is_counted(store: SqliteStore, name: str) -> None:
    """The rest is there, and the cursor."""
    sink = DirectStore(store, Health())
    assert sink.write([GOOD, BAD[name]], target="t", cursor="i:5") == 1
    assert list(store.series("good", 0, 2**62, {})[0].times_ns) == [5]
    assert (sink.cursor("t"), sink.fields) == ("i:5", {"refused": 1})


def test_a_store_that_refuses_everything_is_told_so(store: SqliteStore) -> None:
    """Nothing is taken out of a batch in which nothing is wrong."""
    sink = DirectStore(store, Health())
    store.close()
    with pytest.raises(StoreError):
        sink.write([GOOD])
    assert sink.fields == {"refused": 0}


@pytest.mark.parametrize("name", ["measurement", "tag", "field"])
def test_the_spool_takes_the_rest(
    store: SqliteStore, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be written as UTF-8 is counted, kept and told with what the store refuses."""
    spooled = SpooledStore(
        store, tmp_path / "spool", Health(), FakeClock(), lambda fields: Sample("c", (), fields, 5)
    )
    assert spooled.write([GOOD, BAD[name]], target="t", cursor="i:5") == 1
    assert spooled.fields["refused"] == 1
    assert spooled.cursor("t") == "i:5"
    spooled.start()
    spooled.close()
    again = SqliteStore(tmp_path / "s.sqlite")
    assert len(again.series("good", 0, 2**62, {})) == 1
    again.close()
    assert "\\xe9" in (tmp_path / "spool/refused-new.lp").read_text()
    assert "is not Unicode" in caplog.text
