"""Scoring a run whose samples were made by hand: formulas, and what is not known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import ENERGY_SCORE, Boundary, Phase, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.run import score_run
from wattmark_scoring.formula import Formula
from wattmark_store.sqlite import SqliteStore

S = 1_000_000_000
START = 1_700_000_000 * S
SERIES = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
FORMULAS = [
    Formula.parse("cube", "accuracy ** 3 / energy_mwh_per_inference"),
    Formula.parse("per-mac", "1 / macs"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A package that draws 50 W for 20 s, read every 0.1 s."""
    opened = SqliteStore(tmp_path / "store.sqlite")
    tags = make_tags({"host": "host", **SERIES.tags})
    opened.write(
        Sample("energy", tags, {"joules": 5.0 * i, "epoch": 1, "uncertainty_seconds": 0.0005},
               START + i * S // 10)
        for i in range(201)
    )  # fmt: skip
    yield opened
    opened.close()


def make_record() -> RunRecord:
    """A run with three windows of 4 s, 4,000 inferences each; its test set's size is not known."""
    windows = [
        Window(f"w{i}", "host", Phase.INFERENCE, START + (1 + 5 * i) * S, START + (5 + 5 * i) * S,
               model="model", workload="digits", run_id="run", repeat=i, inferences=4000,
               correct=3600)
        for i in range(3)
    ]  # fmt: skip
    return RunRecord(
        "run", RunRequest("digits", "model"), RunState.SCORING, "host", "boot", "instance", 0,
        START, series=(SERIES,), accuracy=0.9, windows=windows,
    )  # fmt: skip


def test_a_run_is_scored_by_formulas_too(store: SqliteStore) -> None:
    """One score for each formula and boundary, in the record with the text used, and stored."""
    record = score_run(make_record(), store, FORMULAS)
    energy, cube, per_mac = record.scores
    assert (cube.formula, cube.boundary, cube.method) == ("cube", Boundary.CPU, Method.COUNTER)
    assert cube.value == pytest.approx(0.729 * 3.6 / 0.05)
    assert cube.low is not None
    assert cube.high is not None
    assert cube.low < 0.729 * 3.6 / 0.05 < cube.high
    assert (cube.verdict, cube.checks) == (energy.verdict, energy.checks)
    assert (cube.population_low, cube.population_high) == (None, None)
    assert (per_mac.value, per_mac.verdict) == (None, Verdict.INVALID)
    assert record.formulas == {formula.name: formula.text for formula in FORMULAS}
    assert {score.formula for score in store.scores()} == {ENERGY_SCORE, "cube", "per-mac"}


def test_without_the_size_of_the_test_set(store: SqliteStore) -> None:
    """The energy score stands with its measurement interval; the population's is not known."""
    (energy,) = score_run(make_record(), store).scores
    assert energy.value == pytest.approx(0.81 * 3.6 / 0.05)
    assert energy.low is not None
    assert energy.verdict is not Verdict.INVALID
    assert (energy.population_low, energy.population_high) == (None, None)


def test_without_accuracy_a_formula_may_still_hold(store: SqliteStore) -> None:
    """A score of energy alone needs no accuracy; accuracy² / energy has no value then, and its
    energy stands."""
    record = make_record()
    record.accuracy = None
    rate = Formula.parse("rate", "1 / energy_joules_per_inference")
    energy, found = score_run(record, store, [rate]).scores
    assert (energy.value, energy.verdict) == (None, Verdict.WARNED)
    assert energy.joules_per_inference is not None
    assert found.value == pytest.approx(20.0)
    assert found.verdict is not Verdict.INVALID


def test_a_run_that_is_not_whole_has_no_formula_score(store: SqliteStore) -> None:
    """Where a window's energy is missing, no formula makes up for it."""
    record = make_record()
    record.windows[2] = replace(record.windows[2], end_ns=START + 60 * S)
    flat = Formula.parse("flat", "accuracy * 100")
    for score in score_run(record, store, [flat]).scores:
        assert score.verdict is Verdict.INVALID
