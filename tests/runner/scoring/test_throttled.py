"""CPU time for which a quota held a run back: from its record to the check."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.scoring.by_hand import make_run, make_samples
from wattmark_core.results import Check, Verdict
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.run import score_run
from wattmark_runner.scoring.throttled import added, held_back
from wattmark_scoring.checks.throttled_cpu import check
from wattmark_scoring.measured import HeldBack
from wattmark_scoring.words import allowed, finding, meaning
from wattmark_store.sqlite import SqliteStore

VALID, WARNED = Verdict.VALID, Verdict.WARNED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """With the samples of a run."""
    opened = SqliteStore(tmp_path / "store.sqlite")
    opened.write(make_samples())
    yield opened
    opened.close()


def held(seconds: list[float | None]) -> RunRecord:
    """A run with a quota, and how long it was held back in each repeat."""
    record = make_run()
    record.environment = {"cpu_quota": "0.5 cores"}
    for repeat, value in enumerate(seconds):
        record.constants = added(record.constants, "inference", repeat, value)
    return record


def found(record: RunRecord) -> list[Check]:
    """The check, if there is one."""
    return [check for check in record.checks if check.name == "throttled CPU"]


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0.0, VALID), (0.1, VALID), (0.11, WARNED), (25.0, WARNED)]
)
def test_more_than_a_hundredth_of_the_window_warns(seconds: float, verdict: Verdict) -> None:
    """Over all CPUs, so it may be more than the window is long; no value that fails."""
    assert check(HeldBack(seconds), 10.0).verdict is verdict


def test_what_is_not_known_warns() -> None:
    """Not knowing is not passing."""
    unknown = check(HeldBack(None), 10.0)
    assert (unknown.verdict, unknown.value) == (WARNED, None)
    assert finding(unknown) == "For how long the CPU quota held the workload back is not known"


def test_the_worst_repeat_stands_for_the_run(store: SqliteStore) -> None:
    """0.6 s of a window of 6 s; the words name the quota and what to do."""
    (worst,) = found(score_run(held([0.0, 0.6, 0.0, 0.01, 0.0]), store))
    assert worst.value == pytest.approx(0.1)
    assert worst.verdict is WARNED
    assert allowed(worst) == "at most 1 %"
    assert meaning(worst).startswith(
        "The CPU quota held the workload back for 10.0 % of the window, in repeat 2; allowed 1 %."
        " Raise the quota"
    )


def test_a_repeat_that_is_not_known_warns(store: SqliteStore) -> None:
    """Missing is missing, never zero: it is not in the record."""
    record = held([0.0, None, 0.0, 0.0, 0.0])
    assert "throttled_seconds.inference.1" in record.constants
    assert "throttled_seconds.inference.2" not in record.constants
    (worst,) = found(score_run(record, store))
    assert (worst.value, worst.verdict) == (None, WARNED)


def test_without_a_quota_there_is_no_check(store: SqliteStore) -> None:
    """Nothing could hold the run back; windows of code elsewhere say nothing of quotas."""
    record = score_run(make_run(), store)
    assert found(record) == []
    assert held_back(record, record.windows[2]) is None
