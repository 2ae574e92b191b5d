"""Run records come back as they were saved."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattmark_core.catalogue import Domain, Method
from wattmark_core.codec import from_json, to_json
from wattmark_core.errors import StoreError, UnknownRun
from wattmark_core.exporter_api import EnergySeries, SensorState
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunSource, RunState


def full_record(run_id: str = "run-1", started_ns: int = 1_700_000_000_123_456_789) -> RunRecord:
    """A record in which no field has its default."""
    check = Check("gap", Verdict.WARNED, 0.5, 0.3, "s", "a gap")
    return RunRecord(
        run_id=run_id,
        request=RunRequest(
            "digits", "mlp-small", 3, 2.5, {"batch_size": 16}, 1.0, 5.0, 6.0,
            Boundary.HOST, "GPU-1", "me", {"a": "b"}
        ),
        state=RunState.DONE,
        host="here",
        boot_id="boot",
        exporter_instance="instance",
        offset_ns=1_699_999_999_000_000_001,
        started_ns=started_ns,
        created_ns=started_ns - 1,
        source=RunSource.EXTERNAL,
        ended_ns=started_ns + 1,
        reason="because",
        series=(
            EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.1, 0.025, 0.25, 700.0,
                         "H200", SensorState.FAILED, "lost"),
        ),
        constants={"estimate.idle_watts": 2.0},
        environment={"python": "3.11"},
        definition={"builtin": "digits", "command": []},
        formulas={"mine": "accuracy"},
        test_images=360,
        accuracy=0.9,
        parameters=1,
        macs=2,
        notices=["notice"],
        windows=[
            Window("w", "here", Phase.INFERENCE, 1, 2, "m", "digits", "run-1", 1, "label", 10, 9,
                   0.5, 1.0, 0.9, 1.1, Boundary.CPU, Method.ESTIMATED, False, True,
                   "client")
        ],
        edges={"w": [{"tags": {"domain": "gpu"}, "times_ns": [1, 2], "joules": [0.0, None]}]},
        checks=(check,),
        scores=(
            Score("run-1", "here", "m", "digits", Boundary.CPU, "eq3", 1, Method.INTEGRATED,
                  Verdict.INVALID, 1.0, 0.9, 1.1, 0.8, 1.2, 0.9, 1.0, 0.9, 1.1, 5.0, 6.0, 7.0, 0.1,
                  1, 2, (check,)),
        ),
    )  # fmt: skip


def test_a_full_record_comes_back_equal(tmp_path: Path) -> None:
    """Every field of every part survives: enumerations, tuples, nested records, whole ns."""
    records = RunDatabase(tmp_path / "runs.sqlite")
    records.save(full_record())
    loaded = records.load("run-1")
    for field in fields(RunRecord):
        assert getattr(loaded, field.name) == getattr(full_record(), field.name)
    assert isinstance(loaded.state, RunState)


@settings(max_examples=100)
@given(st.from_type(Window))
def test_any_window_comes_back_equal(window: Window) -> None:
    """Missing values stay missing and numbers keep their value."""
    assert repr(from_json(Window, to_json(window))) == repr(window)


def test_saving_again_replaces_and_the_newest_comes_first(tmp_path: Path) -> None:
    """A run is one row; the list begins with the run that was asked for last."""
    records = RunDatabase(tmp_path / "deep" / "runs.sqlite")
    records.save(full_record("old", 1))
    records.save(full_record("new", 2))
    records.save(full_record("old", 1))
    assert [record.run_id for record in records.list()] == ["new", "old"]


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Asking for an unknown run gives one line."""
    with pytest.raises(UnknownRun, match="no run 'x'"):
        RunDatabase(tmp_path / "runs.sqlite").load("x")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Another file is not overwritten but refused."""
    path = tmp_path / "notes.txt"
    path.write_text("these are not run records " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        RunDatabase(path).list()
