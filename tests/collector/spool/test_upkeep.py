"""One-minute values and power of what a spool sent, and the end of its segments."""

import time
from pathlib import Path

import pytest

from tests.collector.moody import MINUTE_NS, URL, Moody, WaitFor, make, sample, times
from wattmark_collector.spool.files import SUFFIX
from wattmark_core.errors import StoreUnavailable
from wattmark_store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Moody:
    """The store behind the spool."""
    return Moody(tmp_path / "s.sqlite")


def test_segments_go_after_the_roll_up_of_their_minutes(
    store: Moody, tmp_path: Path, wait_for: WaitFor
) -> None:
    """Not before, so that a crash sends them, and makes their minutes, again."""
    folder = tmp_path / "spool"
    spooled = make(store, folder, 1 << 16)
    spooled.start()
    for number in range(400):
        spooled.write([sample(number * MINUTE_NS)], target=URL, cursor=str(number))
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    before = len(list(folder.glob(f"*{SUFFIX}")))
    assert before > 3
    spooled.roll_up(1000 * MINUTE_NS)
    wait_for(lambda: len(list(folder.glob(f"*{SUFFIX}"))) == 1)
    assert len(times(store, "m_1m")) == 400
    spooled.close()
    again = make(SqliteStore(tmp_path / "s.sqlite"), folder)
    assert again.cursor(URL) == "399"
    again.start()
    again.close()


def test_a_roll_up_that_takes_long_does_not_hold_up_sending(
    store: Moody, tmp_path: Path, wait_for: WaitFor
) -> None:
    """It is done a turn at a time, and its segments go when it has ended."""
    store.steps_seconds = (0.1,) * 50
    folder = tmp_path / "spool"
    spooled = make(store, folder, 1 << 16)
    spooled.write([sample(number * MINUTE_NS) for number in range(100)])
    spooled.start()
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    spooled.roll_up(2000 * MINUTE_NS)
    waited, number = 0.0, 0
    while not store.roll_ups:
        number += 1
        spooled.write([sample(number, "live")])
        waited = max(waited, spooled.fields["spool_oldest_seconds"])
        time.sleep(0.02)
    assert number > 100
    assert waited < 2.0
    wait_for(lambda: len(times(store, "live")) == number)
    assert len(times(store, "m_1m")) == 100
    spooled.close()


def test_a_database_that_is_missing_is_logged_once_and_keeps_the_segments(
    store: Moody, tmp_path: Path, wait_for: WaitFor, caplog: pytest.LogCaptureFixture
) -> None:
    """While samples go through: power has databases of its own, which an older stack lacks."""
    store.roll_up_error = StoreUnavailable("store: database not found: power_1m")
    spooled = make(store, tmp_path / "spool", 1 << 16)
    spooled.start()
    for number in range(5):
        spooled.write([sample(number * MINUTE_NS)], target=URL, cursor=str(number))
        spooled.roll_up(1000 * MINUTE_NS)
        wait_for(lambda: store.roll_ups > number)  # noqa: B023 - waited for in this turn
    messages = [r.getMessage() for r in caplog.records if "power_1m" in r.getMessage()]
    assert messages == ["one-minute values and power: store: database not found: power_1m"]
    wait_for(lambda: spooled.away == messages[0])
    assert 0 < spooled.fields["power_age_seconds"] < 60
    assert list((tmp_path / "spool").glob(f"*{SUFFIX}"))
    store.roll_up_error, age = None, spooled.fields["power_age_seconds"]
    spooled.roll_up(1000 * MINUTE_NS)
    wait_for(lambda: spooled.away is None)
    assert spooled.fields["power_age_seconds"] < age
    spooled.close()
