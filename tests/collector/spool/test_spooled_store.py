"""A store behind a spool: away, refusing, restarted, with a full disk."""

import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.moody import MINUTE_NS, URL, Moody, WaitFor, make, sample, times
from wattmark_collector.health import Health
from wattmark_collector.sink import Origin
from wattmark_collector.spool import SpooledStore
from wattmark_collector.spool.files import SUFFIX
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.sample import AnySample
from wattmark_store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Moody:
    """The store behind the spool."""
    return Moody(tmp_path / "s.sqlite")


@pytest.fixture
def spooled(tmp_path: Path, store: Moody) -> Iterator[SpooledStore]:
    """The spool before it, sending."""
    made = make(store, tmp_path / "spool")
    made.start()
    yield made
    made.close()


def test_samples_reach_the_store_once_and_in_the_order_of_cursors(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """The cursor is the spool's, not the store's."""
    for number in range(1, 30):
        spooled.write([sample(number)], target=URL, cursor=f"i:{number}")
    assert spooled.cursor(URL) == "i:29"
    wait_for(lambda: len(times(store)) == 29)
    assert store.cursor(URL) == ""


def test_lag_is_known_once_samples_are_in_the_store(
    store: Moody, tmp_path: Path, wait_for: WaitFor
) -> None:
    """Before that it is missing, not zero."""
    health = Health()
    spooled = make(store, tmp_path / "spool", health=health)
    spooled.start()
    store.error = StoreUnavailable("store: away")
    spooled.write([sample(5), sample(9)], origin=Origin(URL, 9))
    wait_for(lambda: spooled.away)
    assert health.lag_seconds(URL, 1_000_000_009) is None
    store.error = None
    wait_for(lambda: health.lag_seconds(URL, 1_000_000_009) == 1.0)
    spooled.close()


def test_a_store_that_asks_for_it_is_left_alone(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """As long as its ``Retry-After`` says; then the samples arrive."""
    overloaded = StoreUnavailable("store: overloaded")
    overloaded.wait_seconds = 1.5
    store.error = overloaded
    spooled.write([sample(1)])
    wait_for(lambda: store.tries >= 1)
    refused, tries = time.monotonic(), store.tries
    store.error = None
    wait_for(lambda: times(store))
    assert time.monotonic() - refused > 1.3
    assert store.tries == tries + 1


def test_a_store_that_is_away_is_logged_once_and_loses_nothing(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor, caplog: pytest.LogCaptureFixture
) -> None:
    """Samples wait on the disk; when it is back they arrive."""
    caplog.set_level(logging.INFO)
    store.error = StoreUnavailable("store: nobody answers")
    for number in range(1, 50):
        spooled.write([sample(number)], target=URL, cursor=str(number))
    wait_for(lambda: store.tries >= 2)
    assert spooled.away == "store: nobody answers"
    fields = spooled.fields
    assert fields["spool_bytes"] > 0
    assert fields["spool_oldest_seconds"] > 0
    store.error = None
    wait_for(lambda: times(store) == list(range(1, 50)))
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    assert spooled.fields["spool_oldest_seconds"] == 0
    assert caplog.text.count("nobody answers; samples wait in spool") == 1
    assert caplog.text.count("the store takes samples again") == 1


def test_a_store_that_breaks_in_an_unknown_way_is_tried_again(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """The sender does not end."""
    store.error = RuntimeError("surprise")
    spooled.write([sample(1)])
    wait_for(lambda: spooled.away)
    assert spooled.away == "the store failed: RuntimeError: surprise"
    store.error = None
    wait_for(lambda: times(store) == [1])


def test_a_store_that_breaks_while_a_batch_is_taken_apart_is_tried_again(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """Nothing of the batch counts as refused before all of it is decided."""

    def break_down(sample: AnySample) -> bool:
        if store.tries > 4 and store.tries < 7:
            raise RuntimeError("surprise")
        return sample.time_ns == 7

    store.bad = break_down
    spooled.write([sample(n) for n in range(1, 21)])
    wait_for(lambda: spooled.fields["refused"])
    assert spooled.fields["refused"] == 1
    assert set(times(store)) == set(range(1, 21)) - {7}
    assert store.tries > 7


def test_one_bad_line_stops_nothing(
    store: Moody, tmp_path: Path, wait_for: WaitFor, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted, kept, and logged once; all others are in the store."""
    store.bad = lambda s: s.measurement == "sick" or s.time_ns in {17, 333}
    spooled = make(store, tmp_path / "spool")
    batch = [sample(n) for n in range(1, 401)] + [sample(n, "sick") for n in range(1, 200)]
    spooled.write(batch, target=URL, cursor="i:1")
    spooled.start()
    wait_for(lambda: spooled.fields["refused"] == 201)
    assert set(times(store)) == set(range(1, 401)) - {17, 333}
    tries = store.tries
    spooled.write([sample(n, "sick") for n in range(200, 300)] + [sample(500)])
    wait_for(lambda: spooled.fields["refused"] == 301)
    assert store.tries - tries <= 5  # what was all bad is not taken apart again
    assert 500 in times(store)
    store.bad = lambda _: False
    spooled.write([sample(1000, "sick")])
    wait_for(lambda: times(store, "sick") == [1000])
    spooled.close()
    refused_lines = (tmp_path / "spool" / "refused-new.lp").read_text().splitlines()
    assert len(refused_lines) == 301
    assert "m,host=h1 value=1.5 17" in refused_lines
    messages = [r.getMessage() for r in caplog.records if "will never take" in r.getMessage()]
    assert len(messages) == 2


def test_a_store_that_refuses_everything_is_waited_for(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """A wrong password or a missing database is no reason to throw samples away."""
    store.error = StoreError("store: the password is wrong")
    spooled.write([sample(1)])
    wait_for(lambda: store.tries >= 4)
    assert spooled.away == "store: the password is wrong"
    assert spooled.fields["refused"] == 0
    store.error = None
    wait_for(lambda: times(store) == [1])


def test_what_was_not_sent_is_sent_by_the_next_start(
    store: Moody, tmp_path: Path, wait_for: WaitFor
) -> None:
    """The end does not wait for a store that is away longer than a few seconds."""
    store.error = StoreUnavailable("store: away")
    spooled = make(store, tmp_path / "spool")
    spooled.start()
    spooled.write([sample(n) for n in range(1, 12_000)], target=URL, cursor="i:7")
    wait_for(lambda: spooled.away)
    started = time.monotonic()
    spooled.close()
    assert time.monotonic() - started < 10
    second = SqliteStore(tmp_path / "s.sqlite")
    again = make(second, tmp_path / "spool")
    assert again.cursor(URL) == "i:7"
    again.start()
    wait_for(lambda: len(times(second)) == 11_999)
    again.close()


def test_the_end_sends_what_it_can(store: Moody, tmp_path: Path) -> None:
    """Samples of the last second need no second start."""
    spooled = make(store, tmp_path / "spool")
    spooled.start()
    spooled.write([sample(n) for n in range(1, 100)])
    spooled.close()
    second = SqliteStore(tmp_path / "s.sqlite")
    assert times(second) == list(range(1, 100))
    second.close()


def fill(spooled: SpooledStore) -> int:
    """Write until the disk is full; the last number that is on it."""
    for number in range(1, 20_000):
        try:
            spooled.write([sample(number)], target=URL, cursor=str(number))
        except StoreError:
            assert spooled.cursor(URL) == str(number - 1)
            return number - 1
    raise AssertionError("the disk was never full")


def test_a_full_disk_is_a_store_error_and_passes(
    store: Moody, tmp_path: Path, wait_for: WaitFor
) -> None:
    """The cursor stays; what the spool held before is sent and its place becomes free."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False
        ).returncode
    ):
        pytest.skip("mounting a small disk needs root and mount(8)")
    try:
        store.error = StoreUnavailable("store: away")
        spooled = make(store, disk / "spool", 1 << 30)
        spooled.start()
        last = fill(spooled)
        for _ in range(5):
            with pytest.raises(StoreError, match="no space is left"):
                spooled.write([sample(n) for n in range(20_000, 20_100)], target=URL, cursor="no")
        assert len(list((disk / "spool").glob(f"*{SUFFIX}"))) == 1
        store.error = None
        wait_for(lambda: spooled.fields["spool_bytes"] == 0)
        assert times(store) == list(range(1, last + 1))
        spooled.roll_up(10 * MINUTE_NS)
        wait_for(lambda: not list((disk / "spool").glob(f"*{SUFFIX}")))
        spooled.write([sample(30_000)], target=URL, cursor="later")
        wait_for(lambda: times(store)[-1] == 30_000)
        spooled.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_many_writers_share_a_commit(spooled: SpooledStore, store: Moody) -> None:
    """200 pollers of one batch each are through within a moment."""
    threads = [threading.Thread(target=spooled.write, args=([sample(n)],)) for n in range(1, 201)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 10


def test_a_batch_larger_than_the_spool_is_taken(store: Moody, tmp_path: Path) -> None:
    """In parts, the cursor with the last: the first poll of an exporter brings ten minutes."""
    spooled = make(store, tmp_path / "spool", limit_bytes=1 << 20)
    batch = [sample(number, "m" * 100) for number in range(1, 15_001)]
    assert spooled.write(batch, target=URL, cursor="i:15000") == 15_000
    assert spooled.cursor(URL) == "i:15000"
    assert 0 < spooled.fields["lost"] < 15_000
    spooled.start()
    spooled.close()
    again = SqliteStore(tmp_path / "s.sqlite")
    stored = times(again, "m" * 100)
    assert stored == list(range(15_001 - len(stored), 15_001))
    again.close()


def test_a_sample_on_which_the_store_breaks_holds_up_no_other(
    spooled: SpooledStore, store: Moody, wait_for: WaitFor
) -> None:
    """Whatever the error is: the store takes others, so it is this one."""

    def breaks(one: AnySample) -> bool:
        if one.measurement == "poison":
            raise RuntimeError("nobody thought of this")
        return False

    store.bad = breaks
    spooled.write([sample(1), sample(2, "poison"), sample(3)])
    spooled.write([sample(4)])
    wait_for(lambda: times(store) == [1, 3, 4])
    wait_for(lambda: spooled.fields["refused"] == 1)
    assert spooled.away is None
