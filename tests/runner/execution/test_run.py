"""Whole runs through exporter, collector, store, worker and scoring, and what may break in them."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Protocol

import psutil
import pytest

from wattmark_core.catalogue import Method
from wattmark_core.errors import ConfigurationError, ExporterError
from wattmark_core.results import ENERGY_SCORE, Boundary, Phase, Verdict
from wattmark_runner.execution.baseline import measure_idle
from wattmark_runner.execution.progress import Progress
from wattmark_runner.execution.run import execute, last_idle
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_store import Store

REQUEST = RunRequest(
    "digits", "mlp-small", repeats=2, seconds=1.2, warmup_seconds=0.2,
    idle_before_seconds=0.0, idle_after_seconds=0.0,
    parameters={"seed": 1},
)  # fmt: skip


class StartExporter(Protocol):
    def __call__(self, port: str = "0") -> tuple[Popen[str], str]: ...


class StartCollector(Protocol):
    def __call__(self, exporter_url: str) -> Popen[str]: ...


class Run(Protocol):
    def __call__(
        self, url: str, *, when: str = "", do: Callable[[], object] | None = None,
        request: RunRequest = REQUEST, cancel: threading.Event | None = None,
    ) -> RunRecord: ...  # fmt: skip


@pytest.fixture
def run(store: Store, cache: Path, tmp_path: Path) -> Run:
    """Execute a run; once its progress reaches stage ``when``, ``do`` something to it."""

    def execute_run(
        url: str, *, when: str = "", do: Callable[[], object] | None = None,
        request: RunRequest = REQUEST, cancel: threading.Event | None = None,
    ) -> RunRecord:  # fmt: skip
        left = [do] if do else []

        def progress(reached: Progress) -> None:
            if left and reached.stage.startswith(when):
                left.pop()()

        record = execute(
            request, exporter_url=url, store=store, cache=cache, log=tmp_path / "worker.log",
            progress=progress, cancel=cancel,
        )  # fmt: skip
        assert workers() == []
        return record

    return execute_run


def workers() -> list[psutil.Process]:
    """Worker processes of this one that are alive."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "wattmark_runner.worker" in child.as_dict(["cmdline"], ad_value=[])["cmdline"]
    ]


def kill_worker() -> None:
    for worker in workers():
        worker.kill()


def energy_verdicts(record: RunRecord) -> set[Verdict]:
    return {score.verdict for score in record.scores if score.formula == ENERGY_SCORE}


def test_a_run_goes_from_baseline_to_score(
    exporter_url: str, start_collector: StartCollector, run: Run, store: Store, tmp_path: Path
) -> None:
    """Idle, warm-up, the repeats and idle again, in order, measured, scored and in the store."""
    start_collector(exporter_url)
    stages: list[str] = []
    request = replace(REQUEST, idle_before_seconds=1.0, idle_after_seconds=1.0)
    record = run(exporter_url, when="scoring", do=lambda: stages.append("scoring"), request=request)
    assert (record.state, record.reason, record.host) == (RunState.DONE, "", "testhost")
    assert [window.phase for window in record.windows] == [
        Phase.IDLE, Phase.WARMUP, Phase.INFERENCE, Phase.INFERENCE, Phase.IDLE,
    ]  # fmt: skip
    for before, after in zip(record.windows, record.windows[1:], strict=False):
        assert after.start_ns - before.end_ns >= 0.5e9 or after.phase is Phase.WARMUP
    for window in record.windows:
        assert window.complete
        assert window.joules is not None
        assert window.joules > 0
        assert (window.boundary, window.method) == (Boundary.CPU, Method.ESTIMATED)
        assert record.edges[window.window_id]
    counted = [window for window in record.windows if window.phase is Phase.INFERENCE]
    inferences = sum(window.inferences or 0 for window in counted)
    assert record.accuracy == sum(window.correct or 0 for window in counted) / inferences
    assert record.accuracy > 0.8
    assert (record.test_images, record.macs, record.parameters) == (360, 2368, 2410)
    assert any(name.startswith("estimate.") for name in record.constants)
    assert Verdict.VALID not in energy_verdicts(record)  # estimated energy is never better
    assert {window.window_id for window in store.windows(run_id=record.run_id)} == {
        window.window_id for window in record.windows
    }
    assert last_idle(record) == record.windows[-1]
    assert stages == ["scoring"]
    records = RunDatabase(tmp_path / "runs.sqlite")
    records.save(record)
    assert records.load(record.run_id) == record


def test_a_killed_worker_fails_the_run_with_a_reason(exporter_url: str, run: Run) -> None:
    """A worker that is killed while it loads: failed, and the reason says how it ended."""
    record = run(exporter_url, when="loading", do=kill_worker)
    assert record.state is RunState.FAILED
    assert "killed by SIGKILL" in record.reason
    assert record.scores == ()


def test_a_cancelled_run_leaves_nothing_behind(exporter_url: str, run: Run) -> None:
    """Cancelling ends the run at once, worker and all."""
    cancel = threading.Event()
    record = run(exporter_url, when="loading", do=cancel.set, cancel=cancel)
    assert record.state is RunState.CANCELLED
    assert record.ended_ns is not None


def test_a_killed_exporter_leaves_the_run_marked(
    start_exporter: StartExporter, start_collector: StartCollector, run: Run
) -> None:
    """Without its exporter a run ends, but is never scored as if whole."""
    process, url = start_exporter()
    start_collector(url)
    record = run(url, when="measuring", do=process.kill)
    assert record.state is RunState.FAILED
    assert "interrupted in inference window" in record.reason
    assert energy_verdicts(record) <= {Verdict.INVALID}
    assert not all(window.complete for window in record.windows)


def test_a_restarted_exporter_leaves_the_run_marked(
    start_exporter: StartExporter, start_collector: StartCollector, run: Run, store: Store
) -> None:
    """A new exporter is a new epoch: the run goes on, is marked, and is not scored as if whole."""
    process, url = start_exporter()
    start_collector(url)

    def restart() -> None:
        process.kill()
        process.wait()
        start_exporter(url.rpartition(":")[2])

    record = run(url, when="measuring", do=restart)
    assert record.state is RunState.FAILED
    assert "interrupted" in record.reason
    assert energy_verdicts(record) == {Verdict.INVALID}
    stored = store.scores(run_id=record.run_id)
    assert all(s.verdict is Verdict.INVALID for s in stored if s.formula == ENERGY_SCORE)


def test_a_restarted_collector_loses_nothing(
    exporter_url: str, start_collector: StartCollector, run: Run
) -> None:
    """The exporter's ring bridges the collector's death: every window is whole and scored."""
    collector = start_collector(exporter_url)

    def restart() -> None:
        collector.kill()
        collector.wait()
        threading.Timer(1.0, start_collector, [exporter_url]).start()

    record = run(exporter_url, when="measuring", do=restart)
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert all(window.complete and window.joules for window in record.windows)
    assert all(score.value is not None for score in record.scores)


def test_a_shared_baseline_is_measured_once(exporter_url: str, store: Store) -> None:
    """A baseline of its own lies in the store and can be handed to the next run."""
    start = time.monotonic()
    window = measure_idle(0.5, exporter_url=exporter_url, store=store)
    assert time.monotonic() - start >= 0.5
    assert (window.phase, window.complete, window.run_id) == (Phase.IDLE, True, "")
    assert store.windows() == [window]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (replace(REQUEST, workload="imagenet"), "known are fashion-mnist, digits"),
        (replace(REQUEST, model="vgg"), "it has mlp-small"),
        (replace(REQUEST, repeats=0), "at least one repeat"),
        (replace(REQUEST, seconds=-1.0), "negative lengths"),
    ],
)
def test_a_run_that_cannot_be_is_refused(
    request_: RunRequest, message: str, exporter_url: str, run: Run
) -> None:
    """One line, before anything is started."""
    with pytest.raises(ConfigurationError, match=message):
        run(exporter_url, request=request_)


def test_a_run_without_exporter_is_refused(run: Run) -> None:
    """Nothing is measured blindly: without an exporter no run starts."""
    with pytest.raises(ExporterError, match="start wattmark-exporter"):
        run("http://127.0.0.1:9")
