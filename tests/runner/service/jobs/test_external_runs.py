"""The run of windows from elsewhere: what a window must keep to, without a service."""

import os
from dataclasses import replace
from typing import Any

import pytest

from wattmark_core.results import Phase, Window
from wattmark_runner.errors import Conflict, Invalid, RequestRefused
from wattmark_runner.records.model import RunRecord, RunRequest, RunSource, RunState
from wattmark_runner.records.window_request import WindowRequest, WindowResults
from wattmark_runner.service.jobs.external_runs import (
    check_counts,
    joined,
    new_window,
    update_totals,
)

CPUS = os.cpu_count() or 1
RECORD = RunRecord(
    "run", RunRequest("tests", ""), RunState.RUNNING, "lab7", "boot", "instance", 0, 0,
    source=RunSource.EXTERNAL,
)  # fmt: skip


def record(**changes: Any) -> RunRecord:
    """An external run whose model is not named yet."""
    return replace(RECORD, windows=[], **changes)


def window(number: int, inferences: int | None, correct: int | None) -> Window:
    """A measured window of the run."""
    return Window(
        str(number), "lab7", Phase.INFERENCE, number, number + 1, inferences=inferences,
        correct=correct,
    )  # fmt: skip


def test_a_run_gets_the_names_that_it_lacks_from_a_later_window() -> None:
    """Those that it has stay; the number of test images, too."""
    run = joined(record(), WindowRequest(model="mine", run_id="run", test_images=360))
    assert (run.request.workload, run.request.model, run.test_images) == ("tests", "mine", 360)
    again = joined(run, WindowRequest(run_id="run", test_images=10))
    assert (again.request.model, again.test_images) == ("mine", 360)


@pytest.mark.parametrize(
    ("run", "request_", "refusal", "field", "says"),
    [
        (record(), WindowRequest(run_id="run"), Invalid, "model", "model is needed"),
        (record(), WindowRequest("other", "m", run_id="run"), Invalid, "workload",
         "workload is tests in this run; leave out run_id to make another run"),
        (record(source=RunSource.RUNNER), WindowRequest(model="m"), Conflict, "run_id",
         "run_id is a run of the runner's own"),
        (record(state=RunState.CANCELLED), WindowRequest(model="m"), Conflict, "run_id",
         "run_id is cancelled; leave it out to make another"),
    ],
)  # fmt: skip
def test_a_window_that_its_run_does_not_take_is_refused(
    run: RunRecord, request_: WindowRequest, refusal: type[RequestRefused], field: str, says: str
) -> None:
    """The field to blame, and what to do."""
    with pytest.raises(refusal, match=says) as caught:
        joined(run, request_)
    assert caught.value.field == field


def test_an_idle_window_needs_no_names() -> None:
    """No score rests on it alone."""
    joined(record(), WindowRequest(phase=Phase.IDLE, run_id="run"))


def test_windows_are_numbered_within_their_phase() -> None:
    """And have the names of their run where they bring none."""
    run = joined(record(), WindowRequest(model="mine"))
    run.windows = [window(0, 1, 1)]
    idle = new_window(WindowRequest(phase=Phase.IDLE), run, 5, 5)
    work = new_window(WindowRequest(label="second"), run, 5, 5)
    assert (idle.repeat, work.repeat, work.model, work.label) == (0, 1, "mine", "second")


@pytest.mark.parametrize(
    ("results", "field"),
    [
        (WindowResults(correct=1), "inferences"),
        (WindowResults(10, 11), "correct"),
        (WindowResults(2**53), "inferences"),
        (WindowResults(3_000_000_001), "inferences"),
        (WindowResults(-1), "inferences"),
        (WindowResults(1, -1), "correct"),
        (WindowResults(1, cpu_seconds=3.0 * 1.1 * CPUS + 1.1), "cpu_seconds"),
        (WindowResults(1, cpu_seconds=1e12), "cpu_seconds"),
        (WindowResults(1, cpu_seconds=-1.0), "cpu_seconds"),
        (WindowResults(1, cpu_seconds=float("nan")), "cpu_seconds"),
    ],
)
def test_counts_that_cannot_be_are_refused(results: WindowResults, field: str) -> None:
    """More correct than inferences, correct of nothing, or more CPU time than all CPUs have, which
    would hide that of other programs."""
    with pytest.raises(Invalid) as caught:
        check_counts(results, 3.0)
    assert caught.value.field == field
    check_counts(WindowResults(10, 10), 3.0)
    check_counts(WindowResults(3_000_000_000), 3.0)
    check_counts(WindowResults(cpu_seconds=3.0 * CPUS), 3.0)


def test_accuracy_is_known_if_it_is_of_every_window() -> None:
    """As many repeats as measured windows, at least one."""
    run = record()
    update_totals(run)
    assert (run.request.repeats, run.accuracy) == (1, None)
    run.windows = [window(0, 10, 9), window(1, 30, 21)]
    update_totals(run)
    assert (run.request.repeats, run.accuracy) == (2, 0.75)
    run.windows.append(window(2, 10, None))
    update_totals(run)
    assert (run.request.repeats, run.accuracy) == (3, None)
