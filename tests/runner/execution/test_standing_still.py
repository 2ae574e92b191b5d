"""A worker that is stopped (SIGSTOP) is noticed, and not waited for for ever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import pytest

from wattmark_core.errors import RunError
from wattmark_runner.execution.standing_still import StandingStill
from wattmark_runner.execution.worker_process import STOPPED, WorkerProcess
from wattmark_runner.worker.protocol import (
    Load,
    Loaded,
    Measure,
    Notice,
    WorkerMessage,
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A child that has a child."""
    code = "import subprocess; subprocess.run(['sleep', '100'])"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def await_that(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_stop_that_is_over_when_it_is_asked_for_is_seen(child: subprocess.Popen[bytes]) -> None:
    """The kernel keeps it; between two looks nothing is missed."""
    still = StandingStill(child.pid)
    assert (still.look(), still.stops) == (0.0, 0)
    child.send_signal(signal.SIGSTOP)
    await_that(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    child.send_signal(signal.SIGCONT)
    await_that(lambda: psutil.Process(child.pid).status() != psutil.STATUS_STOPPED)
    assert still.look() == 0.0
    assert still.stops == 1
    assert child.poll() is None


def test_how_long_it_stands_still_is_known(child: subprocess.Popen[bytes]) -> None:
    """Until it goes on, or ends."""
    still = StandingStill(child.pid)
    child.send_signal(signal.SIGSTOP)
    await_that(lambda: still.look() > 0.2)
    child.send_signal(signal.SIGCONT)
    await_that(lambda: still.look() == 0.0)
    child.send_signal(signal.SIGSTOP)
    await_that(lambda: still.look() > 0.0)
    child.kill()
    child.wait()
    assert still.look() == 0.0
    assert still.stops == 2


def test_what_a_worker_started_is_watched_too(child: subprocess.Popen[bytes]) -> None:
    """A program that is stopped lets its worker wait."""
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        pytest.skip("this kernel does not list children")
    await_that(lambda: psutil.Process(child.pid).children())
    (grandchild,) = psutil.Process(child.pid).children()
    still = StandingStill(child.pid, look_seconds=0.0)
    assert still.look() == 0.0
    grandchild.suspend()
    await_that(lambda: still.look() > 0.1)
    grandchild.resume()
    await_that(lambda: still.look() == 0.0)
    assert still.stops == 1


PROGRAM: Final = """\
import time
time.sleep(0.5)
print('{"event": "start"}', flush=True)
time.sleep(100)
"""


def program(tmp_path: Path) -> Load:
    command = [sys.executable, "-c", PROGRAM]
    return Load("", "steady", {}, str(tmp_path), str(tmp_path), command=command)


def test_a_worker_that_stays_stopped_is_given_up(tmp_path: Path) -> None:
    """With a notice first and a reason then; nothing of it is left."""
    seen: list[WorkerMessage] = []

    def follow(worker: WorkerProcess) -> None:
        for message in worker.messages(limit_seconds=60.0):
            seen.append(message)
            if isinstance(message, Loaded):
                worker.send(Measure(1, 0.2, 0.05, 0.0))
                os.kill(worker.pid, signal.SIGSTOP)

    with WorkerProcess(tmp_path / "log", stopped_seconds=1.5) as worker:
        worker.send(program(tmp_path))
        with pytest.raises(RunError, match=r"has been stopped for 1.5 s by a signal \(SIGSTOP\)"):
            follow(worker)
        pid = worker.pid
    assert Notice(STOPPED) in seen
    assert not psutil.pid_exists(pid)


def test_a_worker_that_goes_on_leaves_a_notice(tmp_path: Path) -> None:
    """One, for all that follow from it."""
    with WorkerProcess(tmp_path / "log") as worker:
        worker.send(program(tmp_path))
        for message in worker.messages(limit_seconds=60.0):
            if isinstance(message, Loaded):
                worker.send(Measure(1, 0.2, 0.05, 0.0))
                os.kill(worker.pid, signal.SIGSTOP)
                await_that(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED)
                os.kill(worker.pid, signal.SIGCONT)
            if message == Notice(STOPPED):
                break
