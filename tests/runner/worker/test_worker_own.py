"""Workloads of the owner's own: a command in any language, and a Python entry point."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from wattmark_core.errors import RunError
from wattmark_runner.execution.worker_process import WorkerProcess, passed_on, worker_environment
from wattmark_runner.worker.protocol import (
    Done,
    EdgeReached,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    WorkerMessage,
)

MEASURE = Measure(repeats=2, seconds=0.2, guard_seconds=0.1, warmup_seconds=0.1)
REPORT = "import json, os, time\nreport = lambda **event: print(json.dumps(event), flush=True)\n"


def of_command(*command: str, memory_bytes: int | None = None) -> Load:
    """What makes a worker run a command."""
    return Load("", "the model", {}, "", "", command=list(command), memory_bytes=memory_bytes)


def of_python(text: str) -> Load:
    """What makes a worker run a Python program."""
    return of_command(sys.executable, "-c", REPORT + text)


def carry_out(log: Path, load: Load, measure: Measure = MEASURE) -> list[WorkerMessage]:
    """All that a worker says until it is done."""
    heard: list[WorkerMessage] = []
    with WorkerProcess(log) as worker:
        worker.send(load)
        for event in worker.messages(None, 60.0):
            heard.append(event)
            if isinstance(event, Loaded):
                worker.send(measure)
            if isinstance(event, Done):
                return heard
    raise AssertionError


def windows(heard: list[WorkerMessage]) -> list[PhaseEnd]:
    return [event for event in heard if isinstance(event, PhaseEnd)]


@pytest.mark.alone
def test_a_command_marks_its_windows(tmp_path: Path) -> None:
    """Edges, counts, CPU time and accuracy are the command's; other output goes to the log."""
    heard = carry_out(
        tmp_path / "log",
        of_python(
            "print('hello from', os.environ['WATTMARK_MODEL'])\n"
            "report(event='start', phase='warmup'); report(event='end')\n"
            "for i in range(int(os.environ['WATTMARK_REPEATS'])):\n"
            "    report(event='start')\n"
            "    end = time.monotonic() + float(os.environ['WATTMARK_SECONDS'])\n"
            "    while time.monotonic() < end: pass\n"
            "    report(event='end', inferences=10, correct=8 + i, test_images=10, parameters=7)\n"
        ),
    )
    warmup, first, second = windows(heard)
    assert (warmup.phase, first.phase, first.repeat, second.repeat) == (
        "warmup", "inference", 0, 1,
    )  # fmt: skip
    for window in (first, second):
        assert window.end_ns - window.start_ns == pytest.approx(2e8, rel=0.5)
        assert window.cpu_seconds is not None
        assert 0.05 < window.cpu_seconds < 0.5
    edges = [event for event in heard if isinstance(event, EdgeReached)]
    assert [(e.phase, e.repeat, e.opening) for e in edges[2:]] == [
        ("inference", 0, True), ("inference", 0, False),
        ("inference", 1, True), ("inference", 1, False),
    ]  # fmt: skip
    assert heard[-1] == Done([8, 9], 0.85, test_images=10, parameters=7)
    assert any(isinstance(e, Notice) and "marks its own windows" in e.text for e in heard)
    assert "hello from the model" in (tmp_path / "log").read_text()


def test_a_command_is_started_again_until_there_are_enough_windows(tmp_path: Path) -> None:
    """One window a start will do; without correct there is no accuracy."""
    heard = carry_out(
        tmp_path / "log",
        of_python("print('started'); report(event='start'); report(event='end', inferences=5)"),
    )
    assert [window.repeat for window in windows(heard)] == [0, 1]
    assert heard[-1] == Done([None, None], None)
    assert (tmp_path / "log").read_text().count("started") == 2


def test_a_command_that_fails_after_its_last_window_fails_the_run(tmp_path: Path) -> None:
    """A command that finds at the end that its results are wrong is heard."""
    text = (
        "for i in range(2):\n    report(event='start'); report(event='end', inferences=1)\n"
        "time.sleep(0.3); raise SystemExit('the results are wrong')"
    )
    with pytest.raises(RunError, match="status 1; its last line: the results are wrong"):
        carry_out(tmp_path / "log", of_python(text))


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """Windows that nobody asked for do not count."""
    heard = carry_out(
        tmp_path / "log",
        of_python(
            "while True:\n"
            "    report(event='start'); report(event='end', inferences=1)\n"
            "    time.sleep(0.05)"
        ),
    )
    assert len(windows(heard)) == 2


def test_what_a_command_leaves_behind_does_not_keep_the_run(tmp_path: Path) -> None:
    """A process that it started holds its output open, and is ended."""
    mark = f"{time.monotonic_ns()}"
    text = (
        "import subprocess\n"
        f"subprocess.Popen(['sh', '-c', 'sleep 300; : {mark}'], start_new_session=True)\n"
        "for i in range(2):\n    report(event='start'); report(event='end', inferences=1)\n"
    )
    assert len(windows(carry_out(tmp_path / "log", of_python(text)))) == 2
    assert not running(mark)


def test_progress_bars_do_not_garble_windows(tmp_path: Path) -> None:
    """They write over their line again and again, on either stream."""
    text = (
        "import sys\n"
        "for i in range(2):\n"
        "    sys.stderr.write(f'\\r{i} of 2'); sys.stderr.flush()\n"
        "    print('\\r5 %\\r', end='')\n"
        "    report(event='start')\n"
        "    report(event=['start']); print('{' * 5000)\n"
        "    report(event='end', inferences=1)\n"
    )
    assert len(windows(carry_out(tmp_path / "log", of_python(text)))) == 2
    assert "1 of 2" in (tmp_path / "log").read_text()


def test_all_processes_of_a_command_count(tmp_path: Path) -> None:
    """CPU time is that of the whole tree, also of those that have ended."""
    script = (
        'echo \'{"event": "start"}\';'
        f" {sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass';"
        ' echo \'{"event": "end", "inferences": 3}\''
    )
    for window in windows(carry_out(tmp_path / "log", of_command("sh", "-c", script))):
        assert window.cpu_seconds is not None
        assert 0.45 < window.cpu_seconds < 2.0


def test_another_language_will_do(tmp_path: Path) -> None:
    """A shell script is a workload."""
    script = 'echo \'{"event": "start"}\'; sleep 0.1; echo \'{"event": "end", "inferences": 3}\''
    heard = carry_out(tmp_path / "log", of_command("sh", "-c", script))
    assert [window.inferences for window in windows(heard)] == [3, 3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise SystemExit('it broke')", "exited with status 1; its last line: it broke"),
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("pass", "ended without a window"),
        ("report(event='end', inferences=1)", "an end without a start"),
        ("report(event='start'); report(event='start')", "a start within a window"),
        ("report(event='start')", "ended within a window"),
        ("report(event='start', phase='lunch')", "reported phase 'lunch'"),
        ("report(event='start'); report(event='end', inferences=1, correct=2)", "more correct"),
        ("report(event='start'); report(event='end')", "reported inferences None"),
        ("report(event='start'); report(event='end', inferences=-1)", "reported inferences -1"),
        ("report(event='start'); report(event='end', inferences=True)", "reported inferences True"),
        ("report(event='start'); report(event='end', inferences='9')", "reported inferences '9'"),
        (
            "report(event='start'); report(event='end', inferences=2**64)",
            "reported inferences 1844",
        ),
        ("report(event='start'); os.close(1); time.sleep(60)", "closed its output and went on"),
    ],
)
def test_what_a_command_does_wrong_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    """The run fails with the reason; nothing is counted that was not said."""
    with pytest.raises(RunError) as caught:
        carry_out(tmp_path / "log", of_python(text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One line."""
    with pytest.raises(RunError, match="command nowhere-to-be-found: No such file"):
        carry_out(tmp_path / "log", of_command("nowhere-to-be-found"))


def test_memory_is_limited(tmp_path: Path) -> None:
    """A command that wants more than its limit fails, and the limit is named; the machine does
    not."""
    text = REPORT + "report(event='start'); x = bytearray(10**9); report(event='end', inferences=1)"
    load = of_command(sys.executable, "-c", text, memory_bytes=300_000_000)
    with pytest.raises(RunError, match=r"memory_bytes, or RLIMIT_DATA \(286 MiB\).*MemoryError"):
        carry_out(tmp_path / "log", load)
    with pytest.raises(RunError, match=r"was killed by SIGKILL \(memory ran out, it seems: .* MiB"):
        carry_out(tmp_path / "log", of_python("os.kill(os.getpid(), 9)"))


def test_time_is_limited(tmp_path: Path) -> None:
    """A worker that takes too long is ended."""
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(of_command("sleep", "60"))
        worker.send(MEASURE)
        with pytest.raises(RunError, match=r"longer than its limit of 0\.5 s"):
            list(worker.messages(None, 0.5))


@pytest.mark.parametrize("how", ["stop", "close its input"])
def test_nothing_leaves_by_a_session_of_its_own(tmp_path: Path, how: str) -> None:
    """A daemon, whose parent has ended, is still the worker's to end."""
    mark = f"{time.monotonic_ns()}"
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(of_command("sh", "-c", f"setsid sh -c 'sleep 300; : {mark}' & sleep 300"))
        worker.send(MEASURE)
        await_that(lambda: bool(running(mark)))
        if how == "close its input":
            worker.close_input()
            await_that(lambda: not running(mark))
    await_that(lambda: not running(mark))


@pytest.mark.parametrize("how", ["stop", "kill the worker", "close its input"])
def test_nothing_outlives_the_worker(tmp_path: Path, how: str) -> None:
    """However the worker ends, the command and what it started end with it."""
    mark = f"{time.monotonic_ns()}"
    program = f"sleep 300 # {mark}"
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(of_command("sh", "-c", f"sh -c '{program}'; true"))
        worker.send(MEASURE)
        await_that(lambda: len(running(mark)) >= 2)
        if how == "kill the worker":
            os.kill(worker.pid, signal.SIGKILL)
        elif how == "close its input":
            worker.close_input()
            await_that(lambda: not running(mark))
    await_that(lambda: not running(mark))


def running(mark: str) -> list[int]:
    """Processes whose command line has the mark."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(mark in word for word in process.info["cmdline"] or ())
    ]


def await_that(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


ENTRY = """\
import time

def load(model, size, right):
    print("loading", model)

    def one_pass():
        end = time.monotonic() + 0.01
        while time.monotonic() < end:
            pass
        return size, right

    return one_pass

def uneven(model, **_):
    sizes = iter(range(10, 10_000))
    return lambda: (next(sizes), None)

def silly(model, **_):
    return lambda: "many"

def boastful(model, **_):
    return lambda: (1, 2)

def huge(model, **_):
    return lambda: (2**64, None)

def forgetful(model, **_):
    pass

nothing = 3

def forking(model, **_):
    # leaves a process that holds all that it held, and is killed
    import os, signal
    if os.fork() == 0:
        os.setsid()
        time.sleep(20)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def of_entry_point(folder: Path, name: str, **parameters: str | int | float | bool) -> Load:
    """What makes a worker call a function of a module in ``folder``."""
    (folder / "own_workload.py").write_text(ENTRY)
    return Load("", "m", parameters, "", "", entry_point=f"own_workload:{name}")


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that workers import from, as the owner would arrange it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_a_program_may_have_processes_of_its_own(tmp_path: Path) -> None:
    """Forked ones, too, as data loaders do, while the worker listens for commands."""
    text = (
        "import multiprocessing\ndef load(model):\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        right = sum(pool.map(abs, [-1, -2]))\n"
        "    return lambda: (4, right)\n"
    )
    (tmp_path / "forking.py").write_text(text)
    load = Load("", "m", {}, "", "", entry_point="forking:load")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        heard = carry_out(tmp_path / "log", load)
    assert any(isinstance(message, Done) for message in heard)


def test_an_entry_point_is_measured_with_guards(on_path: Path) -> None:
    """Whole passes until the window is long enough; accuracy from what was measured."""
    heard = carry_out(on_path / "log", of_entry_point(on_path, "load", size=50, right=40))
    loaded = next(event for event in heard if isinstance(event, Loaded))
    assert loaded.test_images == 50
    first, second = (w for w in windows(heard) if w.phase == "inference")
    for window in (first, second):
        assert window.inferences % 50 == 0
        assert window.end_ns - window.start_ns >= 2e8
    assert second.start_ns - first.end_ns >= 1e8
    done = heard[-1]
    assert isinstance(done, Done)
    assert done.accuracy == 0.8
    assert done.correct == [w.inferences * 4 // 5 for w in (first, second)]
    assert "tensorflow" not in loaded.environment


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("uneven", "a pass is the whole test set"),
        ("silly", "must return (inferences, correct)"),
        ("boastful", "more correct than inferences"),
        ("huge", "whole numbers are needed"),
        ("forgetful", "must return a function"),
        ("nothing", "is no function"),
        ("nowhere", "own_workload:nowhere"),
        ("forking", "was killed by SIGKILL"),
    ],
)
def test_what_an_entry_point_does_wrong_is_one_line(on_path: Path, name: str, says: str) -> None:
    """The run fails with the reason."""
    with pytest.raises(RunError) as caught:
        carry_out(on_path / "log", of_entry_point(on_path, name))
    assert says in str(caught.value)


def test_a_worker_does_not_get_secrets(tmp_path: Path) -> None:
    """What a framework needs is passed on; whatever else the service knows is not."""
    assert passed_on("OMP_NUM_THREADS")
    assert passed_on("PATH")
    for name in ("AWS_SECRET_ACCESS_KEY", "WATTMARK_KEY_FILE", "TF_TOKEN_app", "MY_PASSWORD"):
        assert not passed_on(name)
    environment = {**os.environ, "INFLUX_TOKEN": "hunter2"}
    script = (
        "from wattmark_runner.execution.worker_process import worker_environment as w; print(w(''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, text=True, capture_output=True, check=True
    )
    assert "hunter2" not in done.stdout
    assert worker_environment("GPU-1")["CUDA_VISIBLE_DEVICES"] == "GPU-1"
