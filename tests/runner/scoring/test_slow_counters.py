"""Runs on a host that only a Prometheus target measures, its counter scraped every 15 s."""

from contextlib import closing
from dataclasses import replace

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import ENERGY_SCORE, Phase, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_core.testing import MemoryStore
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.pinning import guard_seconds, window_seconds
from wattmark_runner.scoring.run import score_run

S = 1_000_000_000
START = 1_700_000_000 * S
PERIOD = 15.0
NODE = EnergySeries(
    Domain.PACKAGE, "socket0", "node_exporter", Method.COUNTER, PERIOD, limit_watts=2000.0,
    interval_seconds=PERIOD,
)  # fmt: skip
IDLE_WATTS, BUSY_WATTS = 20.0, 65.0


def plan(series: EnergySeries, seconds: float | None = None) -> list[Window]:
    """Idle, three windows within one load, idle; as long as the counter needs."""
    length, guard = seconds or window_seconds([series]), guard_seconds([series])
    begin, windows = 100.0, []
    for number, phase in enumerate((Phase.IDLE, *[Phase.INFERENCE] * 3, Phase.IDLE)):
        work = phase is Phase.INFERENCE
        start_ns = START + round(begin * S)
        windows.append(
            Window(f"w{number}", "bare", phase, start_ns, start_ns + round(length * S),
                   run_id="run", repeat=max(0, number - 1), inferences=5000 if work else None,
                   correct=4500 if work else None, cpu_seconds=1.0)
        )  # fmt: skip
        begin += length + guard
    return windows


def scored(
    windows: list[Window], *, ends: float = 1e9, still: tuple[float, float] = (0.0, 0.0),
    catches_up: bool = False,
) -> RunRecord:  # fmt: skip
    """The run; the counter's exporter ends after ``ends`` s. From one to the other of ``still`` it
    gives the same value, which is no tick, and ``catches_up`` then or goes on from there."""
    busy = [window for window in windows if window.phase is Phase.INFERENCE]
    guard_ns = round(guard_seconds([NODE]) * S)
    first_ns, last_ns = busy[0].start_ns - guard_ns, busy[-1].end_ns + guard_ns
    samples, joules, time_ns = [], 0.0, START + 4_200_000_000
    tags = make_tags({"host": "bare", **NODE.tags})
    while time_ns < windows[-1].end_ns + 60 * S and time_ns < START + ends * S:
        step_ns = round(PERIOD * S)
        loaded_ns = max(0, min(time_ns, last_ns) - max(time_ns - step_ns, first_ns))
        stands = still[0] < (time_ns - START) / S < still[1]
        if catches_up or not stands:
            joules += (IDLE_WATTS * step_ns + (BUSY_WATTS - IDLE_WATTS) * loaded_ns) / S
        if not stands:
            fields = {"joules": joules, "epoch": 1, "uncertainty_seconds": 0.05}
            samples.append(Sample("energy", tags, fields, time_ns))
        time_ns += step_ns
    record = RunRecord(
        "run", RunRequest("digits", "net", parameters={"batch_size": 32}), RunState.SCORING, "bare",
        "boot", "", 0, START, series=(NODE,), accuracy=0.9, test_images=400, windows=windows,
    )  # fmt: skip
    with closing(MemoryStore()) as store:
        store.write(samples)
        return score_run(record, store)


def test_a_window_is_long_enough_for_the_period() -> None:
    """Ten periods and a guard of two: minutes, not the hours that a hundred would take."""
    assert window_seconds([NODE]) == pytest.approx(150.0)
    assert guard_seconds([NODE]) == pytest.approx(30.0)
    quick = replace(NODE, update_period_seconds=1.0)
    assert window_seconds([quick]) == pytest.approx(100.0)


def test_the_score_holds_the_truth_and_says_how_sure_it_is() -> None:
    """65 W for 5,000 inferences in 150 s: 1.95 J each, and no check of the sensor fails."""
    record = scored(plan(NODE))
    score = next(score for score in record.scores if score.formula == ENERGY_SCORE)
    assert score.verdict is Verdict.WARNED  # foreign CPU time and the like are not known
    assert score.joules_per_inference == pytest.approx(1.95, rel=0.01)
    checks = {check.name: check for check in record.checks}
    assert checks["updates"].verdict is Verdict.VALID
    assert checks["updates"].value == 10.0
    assert checks["half-width"].verdict is Verdict.VALID
    assert checks["duration"].verdict is Verdict.VALID
    assert checks["gap"].verdict is Verdict.VALID
    assert checks["edges"].verdict is Verdict.VALID


def test_a_window_of_few_ticks_is_not_scored() -> None:
    """Sixty seconds hold four: nobody knows whether the load was steady."""
    record = scored(plan(NODE, seconds=60.0))
    checks = {check.name: check for check in record.checks}
    assert checks["updates"].verdict is Verdict.INVALID
    assert record.scores[0].verdict is Verdict.INVALID


def test_a_target_that_ends_in_a_run_gives_no_number() -> None:
    """The windows after its last tick have none; which counter it was stands in the checks."""
    windows = plan(NODE)
    record = scored(windows, ends=(windows[2].start_ns - START) / S + 40.0)
    assert record.windows[1].joules == pytest.approx(65.0 * 150.0, rel=0.01)
    assert record.windows[3].joules is None
    complete = next(check for check in record.checks if check.name == "complete")
    assert complete.verdict is Verdict.INVALID
    assert "CPU package socket0" in complete.message
    assert record.scores[0].verdict is Verdict.INVALID


def test_a_counter_that_stands_still_for_a_part_of_the_window_gives_no_number() -> None:
    """In its middle, for 60 s: its halves are alike, five ticks are there, and two fifths of the
    energy are not. One that was only not asked, and then shows all, has its number."""
    windows = plan(NODE)
    middle = (windows[2].start_ns + windows[2].end_ns) / 2 / S - START / S
    record = scored(windows, still=(middle - 30.0, middle + 30.0))
    complete = next(check for check in record.checks if check.name == "complete")
    assert record.windows[2].joules is None
    assert complete.verdict is Verdict.INVALID
    assert "node_exporter CPU package socket0: gave the same value for 60 s" in complete.message
    asked_later = scored(plan(NODE), still=(middle - 30.0, middle + 30.0), catches_up=True)
    assert asked_later.windows[2].joules == pytest.approx(65.0 * 150.0, rel=0.01)
