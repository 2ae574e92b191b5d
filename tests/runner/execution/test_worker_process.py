"""The real worker with the real framework, on digits with short windows."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from wattmark_core.errors import RunError
from wattmark_runner.execution.worker_process import WorkerProcess
from wattmark_runner.worker.protocol import (
    Done,
    EdgeReached,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    Ready,
    Step,
    Trained,
    WorkerMessage,
    decode,
    encode,
)

MEASURE = Measure(repeats=2, seconds=0.2, guard_seconds=0.05, warmup_seconds=0.1)


def load_command(cache: Path, gpu: str = "") -> Load:
    return Load(
        "digits",
        "mlp-small",
        {"batch_size": 32, "seed": 1},
        str(cache),
        str(cache / "no-data"),
        gpu,
    )


def until(worker: WorkerProcess, kind: type[WorkerMessage]) -> list[WorkerMessage]:
    """All events up to the first of ``kind``."""
    seen: list[WorkerMessage] = []
    for event in worker.messages():
        seen.append(event)
        if isinstance(event, kind):
            break
    return seen


def train(cache: Path, log: Path) -> None:
    """Make sure that the weights are in the cache."""
    with WorkerProcess(log) as worker:
        worker.send(load_command(cache))
        for event in worker.messages():
            if isinstance(event, Trained | Loaded):
                return


def test_edges_go_to_those_that_wait_for_them(cache: Path, tmp_path: Path) -> None:
    """At once, in the order in which they happen; all other events come as ever."""
    train(cache, tmp_path / "log")
    edges: list[EdgeReached] = []
    with WorkerProcess(tmp_path / "log", on_edge=edges.append) as worker:
        worker.send(load_command(cache))
        until(worker, Loaded)
        worker.send(MEASURE)
        seen = until(worker, Done)
    assert not any(isinstance(event, EdgeReached) for event in seen)
    windows = [event for event in seen if isinstance(event, PhaseEnd)]
    assert [(edge.phase, edge.repeat, edge.opening, edge.time_ns) for edge in edges] == [
        (w.phase, w.repeat, opening, w.start_ns if opening else w.end_ns)
        for w in windows
        for opening in (True, False)
    ]


@pytest.mark.parametrize(
    "message",
    [Ready(1), Step("train", 0.5), EdgeReached("inference", 1, True, 2), Done([1], 0.5), MEASURE],
)
def test_messages_come_back_equal(message: WorkerMessage) -> None:
    """What one side says is what the other hears."""
    assert decode(encode(message)) == message


def test_a_line_that_is_no_message_is_refused() -> None:
    """Only our own messages are taken."""
    with pytest.raises(ValueError, match="not a message"):
        decode(b'{"kind": "other"}')


def test_the_worker_measures_and_gives_the_same_accuracy_again(cache: Path, tmp_path: Path) -> None:
    """Two workers on the same weights: whole passes, the same predictions, the same accuracy."""
    train(cache, tmp_path / "log")
    accuracies = set()
    for _ in range(2):
        with WorkerProcess(tmp_path / "log") as worker:
            worker.send(load_command(cache))
            loading = until(worker, Loaded)
            worker.send(MEASURE)
            measuring = until(worker, Done)
        assert not any(isinstance(event, Trained) for event in loading)
        loaded, done = loading[-1], measuring[-1]
        assert isinstance(loaded, Loaded)
        assert isinstance(done, Done)
        assert (loaded.workload, loaded.test_images, loaded.macs) == ("digits", 360, 2368)
        assert loaded.environment["env CUDA_VISIBLE_DEVICES"] == ""
        windows = [e for e in measuring if isinstance(e, PhaseEnd) and e.phase == "inference"]
        assert len(windows) == len(done.correct) == 2
        assert all(window.inferences % 360 == 0 for window in windows)
        assert all((window.cpu_seconds or 0) > 0 for window in windows)
        assert done.accuracy is not None
        correct = sum(number or 0 for number in done.correct)
        assert correct == round(done.accuracy * sum(w.inferences for w in windows))
        accuracies.add(done.accuracy)
    assert len(accuracies) == 1
    assert accuracies.pop() > 0.8


def test_damaged_weights_are_trained_again(cache: Path, tmp_path: Path) -> None:
    """A cache file that was changed is reported and replaced."""
    train(cache, tmp_path / "log")
    shutil.copytree(cache / "digits", tmp_path / "digits")
    (weights,) = (tmp_path / "digits").glob("mlp-small-*")
    good = weights.read_bytes()
    weights.write_bytes(good[:2000] + b"\0\0\0\0" + good[2004:])
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(load_command(tmp_path))
        events = until(worker, Trained)
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "damaged" in notices[0]
    assert [path.name for path in (tmp_path / "digits").iterdir()] == [weights.name]


def test_a_killed_worker_is_reported(tmp_path: Path) -> None:
    """The listener of a worker that dies gets how it ended."""
    with WorkerProcess(tmp_path / "log") as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(RunError, match="killed by SIGKILL"):
            until(worker, Done)
        with pytest.raises(RunError, match="killed by SIGKILL"):
            worker.send(MEASURE)


def test_a_worker_that_is_asked_too_early_says_so_in_one_line(tmp_path: Path) -> None:
    """An error in the worker arrives as one line, and its traceback is in the log."""
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(MEASURE)
        with pytest.raises(RunError, match="before anything was loaded"):
            until(worker, Done)
    assert "Traceback" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_gpu_that_the_framework_does_not_see_is_refused(cache: Path, tmp_path: Path) -> None:
    """The CPU is never measured in the name of a GPU."""
    with WorkerProcess(tmp_path / "log", gpu="GPU-no-such-board") as worker:
        worker.send(load_command(cache, "GPU-no-such-board"))
        with pytest.raises(RunError, match="sees no GPU"):
            until(worker, Loaded)


def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    """A worker whose standard input closes, as at its parent's death, ends by itself."""
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(load_command(tmp_path))
        until(worker, Step)
        pid = worker.pid
        worker.close_input()
        with pytest.raises(RunError, match="exited with status 0"):
            until(worker, Done)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
