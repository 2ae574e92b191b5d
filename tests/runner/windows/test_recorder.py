"""Windows in process: cheap to open, nested at will, and never in the program's way."""

import logging
import statistics
import threading
import time
from collections.abc import Iterator
from subprocess import Popen
from typing import Protocol

import pytest

from wattmark_core.clock import boot_id
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import HostReport
from wattmark_core.results import Phase
from wattmark_core.testing import FakeExporter
from wattmark_runner.windows.exporter_link import read_host
from wattmark_runner.windows.recorder import Recorder
from wattmark_store import Store

DEAD = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""


class StartExporter(Protocol):
    def __call__(self, port: str = "0") -> tuple[Popen[str], str]: ...


def test_a_window_is_kept_with_what_was_recorded(exporter_url: str, store: Store) -> None:
    """A window lands in the store, whole, with its counts and the exporter's host."""
    with Recorder(exporter_url, store) as recorder:
        with recorder.window(model="m", workload="w", label="first") as window:
            window.record(inferences=3)
            window.record(inferences=4, correct=2)
        with recorder.window(phase=Phase.TRAINING):
            pass
    first, second = sorted(store.windows(), key=lambda window: window.start_ns)
    assert [first, second] == recorder.windows
    assert (first.model, first.workload, first.label, first.host) == ("m", "w", "first", "testhost")
    assert (first.inferences, first.correct, first.complete) == (7, 2, True)
    assert (second.phase, second.inferences, second.correct) == (Phase.TRAINING, None, None)
    assert abs(first.start_ns - time.time_ns()) < 60e9


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"inferences": 2**53}, "more than 1e9 a second"),
        ({"inferences": -1}, "inferences is below zero"),
        ({"inferences": 3, "correct": 4}, "correct is more than inferences: 4 of 3"),
    ],
)
def test_counts_that_cannot_be_are_logged_and_left_out(
    counts: dict[str, int], says: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The program is none the wiser, and the window has no number rather than a wrong one."""
    with (
        FakeExporter(HostReport("here", boot_id(), "i", 0, ())) as exporter,
        caplog.at_level(logging.WARNING, "wattmark_runner"),
        Recorder(exporter.url, store) as recorder,
        recorder.window() as window,
    ):
        window.record(**counts)
    (kept,) = store.windows()
    assert (kept.inferences, kept.correct) == (None, None)
    assert says in caplog.text


def test_cpu_time_that_cannot_be_is_logged_and_left_out(
    exporter_url: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """It would hide that of other programs; counts stay."""
    with Recorder(exporter_url, store) as recorder, recorder.window() as window:
        window.record(inferences=5)
        window.cpu_seconds = 1e6
    (kept,) = store.windows()
    assert (kept.inferences, kept.cpu_seconds) == (5, None)
    assert "a window is kept without its CPU time: cpu_seconds is not what" in caplog.text


def test_nested_and_overlapping_windows_are_all_kept_and_marked(
    exporter_url: str, store: Store
) -> None:
    """Windows that share time are marked, both of them; the one that stands alone is not."""
    with Recorder(exporter_url, store) as recorder:
        with recorder.window(label="outer"), recorder.window(label="inner"):
            time.sleep(0.01)
        with recorder.window(label="alone"):
            time.sleep(0.01)
        with recorder.window(label="baseline", phase=Phase.IDLE):
            time.sleep(0.01)
    marks = {window.label: window.overlapping for window in store.windows()}
    assert marks == {"outer": True, "inner": True, "alone": False, "baseline": False}


def test_windows_of_several_threads_do_not_disturb_each_other(
    exporter_url: str, store: Store
) -> None:
    """Each thread gets its own counts; all windows share time and are marked."""
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        with recorder.window(label=str(number)) as window:
            barrier.wait()
            window.record(inferences=number)
            barrier.wait()

    with Recorder(exporter_url, store) as recorder:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    windows = store.windows()
    assert {window.label: window.inferences for window in windows} == {str(n): n for n in range(4)}
    assert all(window.overlapping for window in windows)


def test_an_exception_closes_the_window_and_passes_through(exporter_url: str, store: Store) -> None:
    """The program's own error reaches the program, and the window is kept."""
    with (
        Recorder(exporter_url, store) as recorder,
        pytest.raises(RuntimeError, match="mine"),
        recorder.window(label="broken"),
    ):
        raise RuntimeError("mine")
    assert [window.label for window in store.windows()] == ["broken"]


def test_a_dead_exporter_is_logged_once_and_the_windows_are_kept(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Telemetry never raises: without an exporter windows are incomplete, not lost."""
    with caplog.at_level(logging.WARNING, "wattmark_runner"), Recorder(DEAD, store) as recorder:
        for _ in range(3):
            with recorder.window() as window:
                window.record(inferences=1)
    assert [window.complete for window in store.windows()] == [False] * 3
    assert len(caplog.records) == 1
    assert "no exporter answers" in caplog.text


def test_an_exporter_that_is_restarted_in_a_window_leaves_it_incomplete(
    start_exporter: StartExporter, store: Store
) -> None:
    """A window whose two edges were stamped by two exporters is not whole; the next one is."""
    process, url = start_exporter()
    with Recorder(url, store) as recorder:
        with recorder.window(label="cut"):
            time.sleep(0.3)
            process.kill()
            process.wait()
            start_exporter(url.rpartition(":")[2])
        with recorder.window(label="after"):
            time.sleep(0.01)
    assert {window.label: window.complete for window in store.windows()} == {
        "cut": False,
        "after": True,
    }


def test_opening_a_window_takes_its_caller_less_than_50_us(exporter_url: str, store: Store) -> None:
    """The caller stamps and queues; the median of 200 openings, so that a busy machine may have
    its pauses."""
    took = []
    with Recorder(exporter_url, store) as recorder:
        for _ in range(200):
            window = recorder.window(model="m")
            start = time.perf_counter_ns()
            window.__enter__()
            took.append(time.perf_counter_ns() - start)
            window.__exit__(None, None, None)
            time.sleep(0.002)
    assert statistics.median(took) < 50_000


@pytest.fixture
def foreign_exporter() -> Iterator[str]:
    """Answers as the exporter of another machine would."""
    with FakeExporter(HostReport("there", "another", "i", 0, ())) as exporter:
        yield exporter.url


def test_an_exporter_of_another_machine_is_refused(foreign_exporter: str) -> None:
    """Samples of another machine say nothing of what happens here."""
    with pytest.raises(ExporterError, match="belongs to another machine"):
        read_host(foreign_exporter)
