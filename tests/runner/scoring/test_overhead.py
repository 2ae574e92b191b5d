"""What measuring itself costs, from the CPU time that exporter and collector publish."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.overhead import (
    CPUS,
    NOT_SEEN,
    RATIO,
    RUNNER,
    SECONDS,
    add_overhead,
    added,
    counts,
)
from wattmark_runner.scoring.reading import read_windows
from wattmark_store.sqlite import SqliteStore

S = 1_000_000_000
START = 1_700_000_000 * S
EXPORTER, COLLECTOR = "overhead.exporter_cpu_seconds", "overhead.collector_cpu_seconds"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def publish(
    store: SqliteStore, part: str, values: Sequence[float], host: str = "h", every: int = 2,
    boot: str = "",
) -> None:  # fmt: skip
    """CPU seconds of a part, from the start on."""
    store.write(
        Sample(part, make_tags({"host": host, "boot_id": boot}), {"cpu_seconds": value},
               START + i * every * S)
        for i, value in enumerate(values)
    )  # fmt: skip


def make_record() -> RunRecord:
    """A warm-up of 3 s, windows of 4 s and 5 s, and 0.05 s of the runner's own; idle around."""
    plan = [(Phase.IDLE, 1, 2), (Phase.WARMUP, 3, 6), (Phase.INFERENCE, 7, 11),
            (Phase.INFERENCE, 12, 17), (Phase.IDLE, 18, 40)]  # fmt: skip
    windows = [
        Window(f"w{number}", "h", phase, START + start * S, START + end * S)
        for number, (phase, start, end) in enumerate(plan)
    ]
    record = RunRecord(
        "run", RunRequest("digits", "net"), RunState.SCORING, "h", "boot", "instance", 0, START,
        windows=windows, constants={"guard_seconds": 1.0},
    )  # fmt: skip
    for milliseconds in (10, 20, 20):
        record.constants = added(record.constants, milliseconds * 1_000_000)
    return record


def state_overhead(record: RunRecord, store: SqliteStore) -> None:
    """As scoring does it, of what it reads."""
    add_overhead(record, list(read_windows(record, store).values()))


def test_each_part_has_its_cpu_time_in_the_windows(store: SqliteStore) -> None:
    """Between samples in proportion to time, and the share is theirs of all cores; idle windows
    are not of it, and other constants stay."""
    publish(store, "exporter", [0.02 * i for i in range(30)])  # 10 ms a second
    publish(store, "collector", [5.0 + 0.1 * i for i in range(4)], every=10)
    record = make_record()
    state_overhead(record, store)
    assert record.constants == pytest.approx({
        "guard_seconds": 1.0, CPUS: float(os.cpu_count() or 1), SECONDS: 12.0, RUNNER: 0.05,
        EXPORTER: 0.12, COLLECTOR: 0.12, RATIO: 0.29 / 12.0 / (os.cpu_count() or 1),
    })  # fmt: skip
    assert record.notices == []


@pytest.mark.parametrize(
    ("exporter", "collector"),
    [
        ([], [0.1 * i for i in range(20)]),
        ([0.1 * i for i in range(20)], []),
        ([0.1 * i for i in range(20)], [0.1 * i for i in range(7)]),
        ([0.1 * i for i in range(20)], [0.5, 0.6, 0.7, 0.8, 0.0, *[0.1] * 20]),
        ([0.5, 0.6, 0.7, 0.1, *[0.2] * 20], [0.1 * i for i in range(20)]),
    ],
)
def test_a_share_that_would_be_too_small_is_none(
    store: SqliteStore, exporter: list[float], collector: list[float]
) -> None:
    """A part that is not known, not to the end, or was restarted meanwhile, is left out, and then
    there is no share, but a notice, once."""
    publish(store, "exporter", exporter)
    publish(store, "collector", collector)
    record = make_record()
    state_overhead(record, store)
    state_overhead(record, store)
    assert RATIO not in record.constants
    assert len({EXPORTER, COLLECTOR} & set(record.constants)) == 1
    assert record.constants[RUNNER] == pytest.approx(0.05)
    assert record.notices == [NOT_SEEN]


@pytest.mark.parametrize("host", ["server", "h"])
def test_a_collector_on_another_machine_takes_nothing_of_this_one(
    store: SqliteStore, host: str
) -> None:
    """Even if it calls itself so; then the share is the exporter's and the runner's."""
    publish(store, "exporter", [0.02 * i for i in range(30)])
    publish(store, "collector", [0.1 * i for i in range(30)], host=host, boot="another")
    record = make_record()
    state_overhead(record, store)
    assert COLLECTOR not in record.constants
    assert record.constants[RATIO] == pytest.approx(0.17 / 12.0 / (os.cpu_count() or 1))
    assert record.notices == []


def test_a_collector_on_this_machine_counts_under_any_name(store: SqliteStore) -> None:
    """A container's, say; one elsewhere is no matter."""
    publish(store, "exporter", [0.02 * i for i in range(30)])
    publish(store, "collector", [0.02 * i for i in range(30)], host="3f2a", boot="boot")
    publish(store, "collector", [0.1 * i for i in range(30)], host="server", boot="another")
    record = make_record()
    state_overhead(record, store)
    assert record.constants[COLLECTOR] == pytest.approx(0.12)
    assert record.constants[RATIO] == pytest.approx(0.29 / 12.0 / (os.cpu_count() or 1))


def test_of_a_collector_without_its_machine_a_name_is_no_proof(
    store: SqliteStore,
) -> None:
    """An older one under another name may run here: no share, and a notice, even if another is
    known to run elsewhere."""
    publish(store, "exporter", [0.02 * i for i in range(30)])
    publish(store, "collector", [0.1 * i for i in range(30)], host="server")
    publish(store, "collector", [0.1 * i for i in range(30)], host="far", boot="another")
    record = make_record()
    state_overhead(record, store)
    assert not {COLLECTOR, RATIO} & set(record.constants)
    assert record.notices == [NOT_SEEN]


def test_what_was_known_outlives_the_samples(store: SqliteStore) -> None:
    """A run that is scored again when they are gone keeps its share; one that has a window more
    does not: it would be that of other windows."""
    publish(store, "exporter", [0.02 * i for i in range(30)])
    publish(store, "collector", [0.02 * i for i in range(30)])
    record = make_record()
    state_overhead(record, store)
    known = dict(record.constants)
    for part in ("exporter", "collector"):
        publish(store, part, [9.0 - i for i in range(30)])
    state_overhead(record, store)
    assert record.constants == known
    record.windows.append(replace(record.windows[1], window_id="more"))
    state_overhead(record, store)
    assert RATIO not in record.constants
    assert record.notices == [NOT_SEEN]


def test_windows_of_work_that_were_stamped_here_count(store: SqliteStore) -> None:
    """A posted window holds nothing of what this process took in it; a run of such windows
    has no overhead, and no notice."""
    window = make_record().windows[1]
    assert counts(window)
    assert not counts(replace(window, phase=Phase.IDLE))
    posted = replace(window, clock="client")
    assert not counts(posted)
    record = make_record()
    record.windows, record.constants = [posted], {}
    state_overhead(record, store)
    assert (record.constants, record.notices) == ({}, [])
