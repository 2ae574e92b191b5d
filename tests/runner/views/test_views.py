"""What Grafana sees of runs, on a real InfluxDB: samples made by hand, scored as runs are."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

from tests.influxdb.results import rows
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Phase, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.scoring.publishing import StoredScores, publish
from wattmark_runner.scoring.run import score_run
from wattmark_runner.views.power import MOST_POINTS, power_steps
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.energy import window_energy
from wattmark_store import open_store
from wattmark_store.influx import InfluxStore
from wattmark_store.influx_lines import RESULT_EXTRAS
from wattmark_store.influx_views import RESULT_VIEWS
from wattmark_store.testing import CountingStore

S = 1_000_000_000
START = 1_700_000_000 * S
PACKAGE = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
GPU = EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.02, averaging_seconds=0.1)
LENGTHS = (4, 4, 4, 6)
"""Of the measured windows, s; all have as many inferences, so the last costs half as much again."""


def power(series: EnergySeries, second: float) -> float:
    """Watts of a counter at a second of the run."""
    return (50.0 if series is PACKAGE else 200.0) + (10.0 if int(second) % 2 else 0.0)


@pytest.fixture
def store(influx: Any) -> Iterator[InfluxStore]:
    """40 s of two counters, read every 0.01 s: more samples in a window than are kept."""
    with_samples = open_store(influx.url("admin"), influx.password_file("admin"))
    for series in (PACKAGE, GPU):
        tags = make_tags({"host": "h1", **series.tags})
        joules = itertools.accumulate(power(series, i / 100) / 100 for i in range(4000))
        with_samples.write(
            Sample("energy", tags, {"joules": j, "epoch": 1, "uncertainty_seconds": 0.0005},
                   START + i * S // 100)
            for i, j in enumerate(joules, start=1)
        )  # fmt: skip
    with_samples.close()
    store = open_store(influx.url("runner"), influx.password_file("runner"))
    assert isinstance(store, InfluxStore)
    yield store
    store.close()


def make_record(run_id: str = "run", later: int = 0) -> RunRecord:
    """Idle, warm-up, four measured windows, on a GPU; ``later``: ns after which the run began."""
    begins, windows = 1.13, []
    plan = [(Phase.IDLE, 3), (Phase.WARMUP, 2), *((Phase.INFERENCE, s) for s in LENGTHS)]
    for number, (phase, seconds) in enumerate(plan):
        start = START + round(begins * S)
        work = phase is Phase.INFERENCE
        windows.append(Window(
            f"{run_id}-w{number}", "h1", phase, start, start + seconds * S,
            "" if phase is Phase.IDLE else "net", "" if phase is Phase.IDLE else "digits", run_id,
            max(0, number - 2), inferences=4000 if work else None, correct=3632 if work else None,
        ))  # fmt: skip
        begins += seconds + 0.77
    return RunRecord(
        run_id, RunRequest("digits", "net", gpu="GPU-1"), RunState.SCORING, "h1", "boot",
        "instance", 0, START + later, series=(PACKAGE, GPU), accuracy=0.908, test_images=360,
        windows=windows,
    )  # fmt: skip


def everything(influx: Any) -> dict[str, list[dict[str, Any]]]:
    """All that the run wrote."""
    return {
        name: rows(influx, f'SELECT * FROM "{name}"') for name in ("window", "score", *RESULT_VIEWS)
    }


def test_a_run_that_is_scored_is_shown(influx: Any, store: InfluxStore) -> None:
    """Under the names that the table has, each measurement and field of it but for what a run may
    lack; and scored or published again it is the same."""
    record = score_run(make_record(), store)
    first = everything(influx)
    for name, view in RESULT_VIEWS.items():
        assert first[name], name
        seen = {key for row in first[name] for key in row}
        assert seen == {"time", *view.tags, *view.fields}, name
    seen = {key for row in first["score"] for key in row} & RESULT_EXTRAS["score"]
    assert seen == RESULT_EXTRAS["score"] - {"previous_text", "previous_run_id"}
    publish(record, store)
    assert everything(influx) == first
    score_run(make_record(), store)
    assert everything(influx) == first


def test_a_score_leads_to_its_run(influx: Any, store: InfluxStore) -> None:
    """The run's own time, 5 % wider on both sides, without a baseline from an hour before; and
    whether it is the score that the run is about."""
    record = make_record()
    idle = record.windows[0]
    record.windows[0] = replace(
        idle, start_ns=idle.start_ns - 3600 * S, end_ns=idle.end_ns - 3600 * S
    )
    score_run(record, store)
    written = rows(influx, 'SELECT * FROM "score"')
    start_ns, end_ns = record.windows[1].start_ns, record.windows[-1].end_ns
    for row in written:
        margin_ns = start_ns - 1_000_000 * row["from_ms"]
        assert margin_ns == pytest.approx(0.05 * (end_ns - start_ns), abs=2_000_000)
        assert 1_000_000 * row["to_ms"] == pytest.approx(end_ns + margin_ns, abs=2_000_000)
    assert {row["boundary"]: row["main"] for row in written} == {"host": 1, "gpu": 0}


def test_checks_are_shown_in_words(influx: Any, store: InfluxStore) -> None:
    """Of each boundary, at the run's start; what is worst has the least rank."""
    record = score_run(make_record(), store)
    written = rows(influx, 'SELECT * FROM "check" WHERE "boundary" = \'host\'')
    assert {row["time"] for row in written} == {record.started_ns}
    assert len(written) == len(record.scores[0].checks)
    drift = next(row for row in written if row["check"] == "trend")
    assert (drift["verdict"], drift["rank"], drift["allowed"]) == ("warned", 1, "at most 2 %")
    assert drift["meaning"].startswith(f"Energy per inference drifted by {drift['found']} over")
    boundaries = {row["boundary"] for row in rows(influx, 'SELECT * FROM "check"')}
    assert boundaries == {"gpu", "host"}
    (score,) = rows(influx, 'SELECT * FROM "score" WHERE "boundary" = \'host\'')
    failed = [row for row in written if row["verdict"] != "valid"]
    assert score["findings"].startswith("How much CPU time other programs used is not known")
    assert score["findings"].endswith(f". And {len(failed) - 3} more")


def test_repeats_are_shown_with_their_intervals(influx: Any, store: InfluxStore) -> None:
    """Within each boundary; the one that stands out says by how much."""
    record = score_run(make_record(), store)
    for boundary, watts in (("gpu", 205.0), ("host", 260.0)):
        written = rows(influx, f'SELECT * FROM "repeat" WHERE "boundary" = \'{boundary}\'')
        assert [row["repeat"] for row in written] == [1, 2, 3, 4]
        assert [row["seconds"] for row in written] == list(LENGTHS)
        for row, seconds in zip(written, LENGTHS, strict=True):
            assert row["watts"] == pytest.approx(watts, rel=0.02)
            assert row["joules_per_inference"] == pytest.approx(watts * seconds / 4000, rel=0.02)
            low, high = row["joules_per_inference_low"], row["joules_per_inference_high"]
            assert low < row["joules_per_inference"] < high
            assert row["energy_text"].endswith(" mJ")
            assert row["inferences"] == 4000
            assert row["end_ms"] - row["start_ms"] == 1000 * seconds
        assert [row.get("outlier", "")[:11] for row in written] == ["", "", "", "outlier: 50"]
        assert written[3]["outlier"].endswith(" % above the median")
        assert written[3]["deviation_ratio"] == pytest.approx(0.5, abs=0.01)
    shown = rows(influx, 'SELECT * FROM "repeat" WHERE "boundary" = \'host\'')
    joules = [window.joules for window in record.windows if window.phase is Phase.INFERENCE]
    assert [4000 * row["joules_per_inference"] for row in shown] == pytest.approx(joules)


def test_a_repeat_that_is_not_whole_has_no_energy(influx: Any, store: InfluxStore) -> None:
    """A lower bound is not shown as if it were the energy."""
    record = make_record()
    record.windows[-1] = replace(record.windows[-1], end_ns=START + 90 * S)
    score_run(record, store)
    written = rows(influx, 'SELECT * FROM "repeat" WHERE "boundary" = \'host\'')
    assert [row.get("joules_per_inference") is None for row in written] == [False] * 3 + [True]
    assert written[3]["seconds"] > 60


def test_the_power_that_is_kept_encloses_the_energy(influx: Any, store: InfluxStore) -> None:
    """Of every window and counter, drawn in steps: the joules of the window; from 0 s to its end,
    in at most 500 points."""
    record = score_run(make_record(), store)
    for window in record.windows:
        total = 0.0
        for domain in ("package", "gpu"):
            points = rows(influx, 'SELECT * FROM "window_power" WHERE "window_id" ='
                          f" '{window.window_id}' AND \"domain\" = '{domain}'")  # fmt: skip
            assert 100 < len(points) <= MOST_POINTS
            seconds = [point["seconds"] for point in points]
            assert seconds[0] == 0.0
            assert seconds[-1] == window.seconds
            assert points[0]["time"] == window.start_ns
            assert points[-1]["time"] == window.end_ns
            assert points[0]["watts"] == points[1]["watts"]
            total += sum(
                after["watts"] * (after["seconds"] - before["seconds"])
                for before, after in itertools.pairwise(points)
            )
        assert total == pytest.approx(window.joules, rel=1e-9)


def test_the_power_outlives_the_raw_samples(influx: Any, store: InfluxStore) -> None:
    """A run that is published when they are gone keeps what was shown of its power."""
    record = score_run(make_record(), store)
    first = everything(influx)
    influx.query("telemetry", "DROP SERIES FROM /.*/")
    publish(record, store)
    assert everything(influx) == first
    influx.query("results", 'DROP SERIES FROM "window_power", "repeat"')
    publish(record, store)
    again = everything(influx)
    assert not again["window_power"]
    assert again["repeat"] == first["repeat"]


def counter(joules: list[float], epochs: list[int]) -> CounterData:
    """A counter read once a second from 0 s."""
    times = [i * S for i in range(len(joules))]
    return CounterData.of(times, joules, epochs, [0.0] * len(joules))


def test_across_epochs_there_is_no_power() -> None:
    """What is drawn is what surely was counted, and never below 0."""
    data = counter([0, 10, 20, 2, 12, 22], [1, 1, 1, 2, 2, 2])
    found = list(power_steps(data, S // 2, 9 * S // 2))
    assert found == [
        (S // 2, 10.0), (S, 10.0), (2 * S, 10.0), (4 * S, 10.0), (9 * S // 2, 10.0)
    ]  # fmt: skip
    assert list(power_steps(counter([], []), 0, S)) == []
    many = counter([float(i * i) for i in range(2000)], [1] * 2000)
    for most in (3, 20, 500):
        steps_made = list(power_steps(many, S // 3, 1900 * S, most))
        assert len(steps_made) <= most
        area = sum(
            watts * (after - before) / S
            for (before, _), (after, watts) in itertools.pairwise(steps_made)
        )
        assert area == pytest.approx(window_energy(PACKAGE, many, S // 3, 1900 * S).joules)


def test_the_run_before_is_compared(influx: Any, store: InfluxStore) -> None:
    """With the last earlier one of the same settings, place, workload and boundary; when a run is
    scored again later ones are no matter."""
    for number in range(3):
        score_run(make_record(f"run{number}", number), store)
    score_run(make_record("run1", 1), store)
    found = {row["run_id"]: row for row in rows(influx, 'SELECT * FROM "score"')}
    assert "previous_text" not in found["run0"]
    assert [found[f"run{n}"]["previous_run_id"] for n in (1, 2)] == ["run0", "run1"]
    text = found["run1"]["previous_text"]
    assert text.startswith("×1.0 (")
    assert text.endswith("): no difference seen")


def test_runs_that_are_published_together_know_each_other(influx: Any, store: InfluxStore) -> None:
    """The scores of their workload are read once, and each run's are added: nothing is shown
    otherwise than by one after the other."""
    records = [score_run(make_record(f"run{number}", number), store) for number in range(3)]
    shown = []
    kept: StoredScores = {}
    for stored in (None, kept):
        influx.make_databases()
        counting = CountingStore(store)
        for record in records:
            publish(record, counting.store, stored=stored)
        assert counting.calls["energy_scores"] == (3 if stored is None else 1)
        shown.append({row["run_id"]: row for row in rows(influx, 'SELECT * FROM "score"')})
    assert shown[0] == shown[1]
    assert shown[1]["run2"]["previous_run_id"] == "run1"
