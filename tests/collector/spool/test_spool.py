"""The spool: what was acknowledged is there, whatever happens, or counted as lost."""

import logging
import tempfile
from collections import Counter
from pathlib import Path
from threading import Thread

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.long import keep_figures, length
from wattmark_collector.spool.files import SUFFIX
from wattmark_collector.spool.record import Record, pack
from wattmark_collector.spool.spool import Spool
from wattmark_core.errors import ConfigurationError, StoreError

LIMIT_BYTES = 8000
SCANT_BYTES = 1000
"""Soon full, where any order is tried."""


def record(first: int, count: int = 1, target: str = "", cursor: str = "") -> Record:
    """Samples whose times are the numbers from ``first`` on."""
    lines = tuple(f"m f=1.0 {first + n}" for n in range(count))
    return Record(lines, 0, first, first + count - 1, target, cursor)


def numbers(records: tuple[Record, ...]) -> list[int]:
    """The numbers of the samples."""
    return [int(line.rpartition(" ")[2]) for record in records for line in record.lines]


def drain(spool: Spool) -> list[int]:
    """Send all that waits."""
    read_back: list[int] = []
    while waiting := spool.next(50, 0):
        read_back += numbers(waiting.records)
        spool.sent(waiting)
    return read_back


def files(folder: Path) -> list[Path]:
    """The segments."""
    return sorted(folder.glob(f"*{SUFFIX}"))


ORDERS: Counter[str] = Counter()
"""What all orders together held."""


class SpoolMachine(RuleBasedStateMachine):
    """Appends, sends, forgets and crashes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name) / "spool"
        self.spool = Spool(self.folder, SCANT_BYTES)
        self.next_number = 1
        self.cursors: dict[str, str] = {}
        self.received: set[int] = set()
        self.lost_before = 0
        self.crashed = False

    @rule(count=st.integers(1, 20), name=st.sampled_from("abc"))
    def append(self, count: int, name: str) -> None:
        cursor = f"i:{self.next_number}"
        self.spool.append([record(self.next_number, count, name, cursor)])
        self.next_number += count
        self.cursors[name] = cursor

    @rule(count=st.integers(1, 4), most=st.integers(1, 60))
    def send(self, count: int, most: int) -> None:
        for _ in range(count):
            waiting = self.spool.next(most, 0)
            if waiting is not None:
                self.received.update(numbers(waiting.records))
                self.spool.sent(waiting)

    @rule()
    def forget(self) -> None:
        before = self.spool.loss.lost
        self.spool.forget(self.spool.sent_segments())
        assert self.spool.loss.lost == before

    @rule(torn=st.integers(0, 200), garbled=st.booleans())
    def crash(self, torn: int, garbled: bool) -> None:
        """The next record had been written in part, or its pages had not all arrived."""
        self.lost_before += self.spool.loss.lost
        self.spool.close()
        tail = pack(record(self.next_number, 5, "a", "never acknowledged"))
        tail = tail[:30] + b"\0" * 40 + tail[70:] if garbled else tail[: min(torn, len(tail) - 1)]
        if segments := files(self.folder):
            with segments[-1].open("ab") as file:
                file.write(tail)
        self.spool = Spool(self.folder, SCANT_BYTES)
        self.crashed = True

    @invariant()
    def cursors_are_those_acknowledged(self) -> None:
        assert {target: self.spool.cursor(target) for target in self.cursors} == self.cursors

    @invariant()
    def the_limit_holds(self) -> None:
        assert sum(path.stat().st_size for path in files(self.folder)) <= SCANT_BYTES

    @precondition(lambda self: self.next_number > 1)
    @rule()
    def all_is_there_or_counted(self) -> None:
        left = drain(self.spool)
        assert left == sorted(left)
        self.received.update(left)
        missing = set(range(1, self.next_number)) - self.received
        lost = self.lost_before + self.spool.loss.lost
        # After a crash what had been sent is sent again, and counts as lost if it must go first.
        assert len(missing) <= lost if self.crashed else len(missing) == lost
        assert not left or not missing or max(missing) < left[0]

    def teardown(self) -> None:
        self.all_is_there_or_counted()
        ORDERS["orders"] += 1
        ORDERS["of them with a crash"] += self.crashed
        ORDERS["samples"] += self.next_number - 1
        ORDERS["samples lost to a full spool, all counted"] += (
            self.lost_before + self.spool.loss.lost
        )
        self.spool.close()
        self.scratch.cleanup()


ANY_ORDER = settings(
    max_examples=length(100, 3000), stateful_step_count=30, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.long
def test_any_order_loses_nothing_uncounted() -> None:
    """Appended, sent, forgotten and crashed in any order: what was acknowledged comes or counts."""
    ORDERS.clear()
    run_state_machine_as_test(SpoolMachine, settings=ANY_ORDER)
    assert ORDERS["samples lost to a full spool, all counted"] > 0
    keep_figures(
        "spool-in-any-order", "The spool, appended to, sent from and crashed in any order",
        ["of what", "how many"], [[name, f"{count:,}"] for name, count in ORDERS.items()],
    )  # fmt: skip


@given(cut=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_a_file_cut_anywhere_keeps_its_whole_records(cut: int) -> None:
    """And their cursors, no more and no less."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "spool"
        spool = Spool(folder)
        ends = [0]
        for number in range(1, 5):
            spool.append([record(number, 1, "t", str(number))])
            ends.append(files(folder)[0].stat().st_size)
        spool.close()
        with files(folder)[0].open("rb+") as file:
            file.truncate(cut := min(cut, ends[-1]))
        spool = Spool(folder)
        whole = sum(end <= cut for end in ends) - 1
        assert drain(spool) == list(range(1, whole + 1))
        assert spool.cursor("t") == (str(whole) if whole else "")
        assert spool.damaged_bytes == 0
        spool.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the spool is to be."""
    return tmp_path / "spool"


def test_damage_at_the_end_of_a_segment_costs_its_last_record(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Found at the start: the segments after it are sent, the bytes counted and logged once."""
    spool = Spool(folder, LIMIT_BYTES)
    for number in range(1, 40):
        spool.append([record(number)])
    spool.close()
    first, second = files(folder)[:2]
    with first.open("rb+") as file:
        file.seek(first.stat().st_size - 3)
        file.write(b"???")
    spool = Spool(folder, LIMIT_BYTES)
    drained = drain(spool)
    missing = set(range(1, 40)) - set(drained)
    assert len(missing) == 1
    assert spool.damaged_bytes > 0
    assert [r.getMessage() for r in caplog.records if "is damaged" in r.getMessage()]
    assert second.exists()
    spool.close()


@pytest.mark.parametrize("found", ["at the start", "while running"])
@pytest.mark.parametrize("at", [0, 1, 2], ids=["first", "second", "third"])
@pytest.mark.parametrize("place", ["head", "lines"])
def test_a_damaged_record_costs_itself_alone(
    folder: Path, caplog: pytest.LogCaptureFixture, found: str, at: int, place: str
) -> None:
    """Those before and after it in its segment are sent; it is counted and named once."""
    spool = Spool(folder)
    sizes = [len(pack(record(number, 3))) for number in (1, 11, 21, 31)]
    for number in (1, 11, 21, 31):
        spool.append([record(number, 3)])
    if found == "at the start":
        spool.close()
    with files(folder)[0].open("rb+") as file:
        start = sum(sizes[:at])
        file.seek(start + (2 if place == "head" else sizes[at] - 2))
        file.write(b"?")
    if found == "at the start":
        spool = Spool(folder)
    kept = [number for number in (1, 11, 21, 31) if number != (1, 11, 21, 31)[at]]
    assert drain(spool) == [n for number in kept for n in range(number, number + 3)]
    assert spool.damaged_bytes == sizes[at]
    assert spool.loss.lost == (3 if place == "lines" or found == "while running" else 0)
    assert sum("samples in it are lost" in r.getMessage() for r in caplog.records) in {1, 2}
    spool.append([record(41)])
    assert drain(spool) == [41]
    spool.close()


def test_damage_while_running_is_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is appended after it is not lost with it, not even by a restart."""
    spool = Spool(folder)
    spool.append([record(1, 3)])
    with files(folder)[0].open("rb+") as file:
        file.write(b"????")
    assert spool.next(10, 0) is None
    assert spool.loss.lost == 3
    spool.append([record(4)])
    spool.append([record(5)])
    spool.close()
    spool = Spool(folder)
    assert drain(spool) == [4, 5]
    spool.close()
    assert "3 samples in it are lost" in caplog.text


def test_two_collectors_on_one_spool_are_an_error(folder: Path) -> None:
    """Until the first has gone."""
    spool = Spool(folder)
    with pytest.raises(ConfigurationError, match="belongs to another running collector"):
        Spool(folder)
    spool.close()
    Spool(folder).close()


def test_a_full_spool_is_logged_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When it begins and, with count and time span, when it is over."""
    spool = Spool(folder, LIMIT_BYTES)
    for number in range(1, 200):
        spool.append([record(number * 1_000_000_000)])
    caplog.set_level(logging.INFO)
    left = drain(spool)
    messages = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(messages) == 2
    assert "is full" in messages[0]
    lost = spool.loss.lost
    assert lost == 199 - len(left) > 0
    assert f"{lost} samples from 1970-01-01T00:00:01+00:00 to 1970-01-01T00:" in messages[1]
    spool.close()


def test_a_batch_that_can_never_fit_is_refused(folder: Path) -> None:
    """Nothing goes for its sake."""
    spool = Spool(folder, LIMIT_BYTES)
    spool.append([record(1)])
    with pytest.raises(StoreError, match="raise --spool-bytes"):
        spool.append([record(2, 2000)])
    spool.append([record(3)])
    assert drain(spool) == [1, 3]
    assert spool.loss.lost == 0
    spool.close()


def test_what_is_in_hand_while_its_segment_goes_is_not_lost_yet(folder: Path) -> None:
    """It is lost when it is given back, and not if it is sent after all."""
    for given_back in (True, False):
        spool = Spool(folder / str(given_back), LIMIT_BYTES) if folder.exists() else None
        if spool is None:
            folder.mkdir()
            spool = Spool(folder / str(given_back), LIMIT_BYTES)
        spool.append([record(1, 7)])
        waiting = spool.next(100, 0)
        assert waiting is not None
        for number in range(100, 300):
            spool.append([record(number)])
        before = spool.loss.lost
        (spool.give_back if given_back else spool.sent)(waiting)
        left = drain(spool)
        assert spool.loss.lost - before == (7 if given_back else 0)
        assert spool.loss.lost == 207 - len(left) - (0 if given_back else 7)
        spool.close()


def test_many_threads_append_in_any_order_and_nothing_is_missing(folder: Path) -> None:
    """Each thread's samples stay in its order; the last cursor of each counts."""
    spool = Spool(folder)

    def work(thread: int) -> None:
        for n in range(20):
            spool.append([record(thread * 1000 + n, 1, str(thread), str(n))])

    threads = [Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drained = drain(spool)
    assert Counter(drained) == Counter(t * 1000 + n for t in range(20) for n in range(20))
    for number in range(20):
        own = [n for n in drained if n // 1000 == number]
        assert own == sorted(own)
        assert spool.cursor(str(number)) == "19"
    spool.close()


def test_what_waits_is_as_old_as_its_oldest_record(tmp_path: Path) -> None:
    """Not as old as the segment, of which a part has long been sent."""
    spool = Spool(tmp_path / "spool")

    def write(at_ns: int) -> None:
        spool.append([Record((f"m f=1.0 {at_ns}",), at_ns, at_ns, at_ns)])

    assert spool.waiting_since_ns is None
    write(10)
    write(20)
    assert spool.waiting_since_ns == 10
    assert drain(spool) == [10, 20]
    assert spool.waiting_since_ns is None
    write(500)
    write(600)
    assert spool.waiting_since_ns == 500
    waiting = spool.next(1, 0)
    assert waiting is not None
    assert spool.waiting_since_ns == 500
    spool.sent(waiting)
    assert spool.waiting_since_ns == 500  # the record before the one that waits
    assert drain(spool) == [600]
    assert spool.waiting_since_ns is None
    spool.close()
