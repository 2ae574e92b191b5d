"""A program that stands still within a window is told of."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.runner.worker.test_worker_own import carry_out, of_command, of_python, windows
from wattmark_core.errors import RunError
from wattmark_core.testing import FakeClock
from wattmark_runner.worker.measurement import Measurement, Network
from wattmark_runner.worker.protocol import Measure, PhaseEnd, WorkerMessage
from wattmark_runner.worker.stops import StopWatch

ONCE = Measure(repeats=1, seconds=0.1, guard_seconds=0.0, warmup_seconds=0.0)
STOPS_ITSELF = """\
echo '{"event": "start"}'
(sleep 0.3; kill -CONT $$) & kill -STOP $$
echo '{"event": "end", "inferences": 1}'
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A child that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def stop(pid: int, seconds: float) -> tuple[int, int]:
    """Stop a child for a while: from and to, CLOCK_BOOTTIME ns, as wide as it may have been."""
    child, start_ns = psutil.Process(pid), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    child.suspend()
    await_that(lambda: child.status() == psutil.STATUS_STOPPED)
    time.sleep(seconds)
    child.resume()
    await_that(lambda: child.status() != psutil.STATUS_STOPPED)
    return start_ns, time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_stopped_child_is_told_of(sleeper: subprocess.Popen[bytes]) -> None:
    """When, and how long: not of before nor of after."""
    watch = StopWatch(sleeper.pid)
    start_ns, end_ns = stop(sleeper.pid, 0.2)
    await_that(lambda: watch.seconds(end_ns + 10**9, end_ns + 2 * 10**9) == 0.0)
    assert watch.seconds(start_ns, end_ns) >= 0.15
    assert watch.seconds(start_ns - 10**9, start_ns) == 0.0


def test_one_that_ends_is_no_longer_watched(sleeper: subprocess.Popen[bytes]) -> None:
    """The thread goes with it."""
    StopWatch(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    await_that(lambda: all(t.name != "wattmark-stops" for t in threading.enumerate()))


def test_a_command_that_was_stopped_says_so_of_its_window(tmp_path: Path) -> None:
    """By SIGSTOP, from a start to an end; one that was not does not."""
    (stopped,) = windows(carry_out(tmp_path / "log", of_command("sh", "-c", STOPS_ITSELF), ONCE))
    assert 0.15 < stopped.stopped_seconds <= (stopped.end_ns - stopped.start_ns) / 1e9
    text = "report(event='start'); report(event='end', inferences=1)"
    (other,) = windows(carry_out(tmp_path / "log", of_python(text), ONCE))
    assert other.stopped_seconds == 0.0


def test_counts_that_cannot_be_fail_a_command(tmp_path: Path) -> None:
    """2^53 inferences in a moment, in one line."""
    text = f"report(event='start'); report(event='end', inferences={2**53})"
    with pytest.raises(RunError, match="cannot be: inferences is more than 1e9 a second: 9007199"):
        carry_out(tmp_path / "log", of_python(text), ONCE)


class FreezingNetwork(Network):
    """A batch takes 10 ms of virtual time; number ``frozen`` of all takes 8 s more."""

    images = batches = 4

    def __init__(self, clock: FakeClock, frozen: int) -> None:
        self._clock = clock
        self._frozen = frozen
        self._done = 0

    def infer(self, first: int, last: int) -> bytes:
        for _ in range(first, last):
            self._done += 1
            self._clock.advance(8.01 if self._done == self._frozen else 0.01)
        return bytes(last - first)


@pytest.mark.parametrize(("frozen", "expected"), [(0, 0.0), (300, 8.0)])
def test_a_measurement_tells_of_its_longest_pause(frozen: int, expected: float) -> None:
    """8 s of 10 in which it got nothing done, though its halves would be alike."""
    clock = FakeClock()
    ended: list[WorkerMessage] = []
    command = Measure(repeats=1, seconds=10.0, guard_seconds=0.5, warmup_seconds=1.0)
    Measurement(
        FreezingNetwork(clock, frozen), command, clock, lambda: clock.now_ns, ended.append
    ).run()
    (window,) = (e for e in ended if isinstance(e, PhaseEnd) and e.phase == "inference")
    assert window.pause_seconds == pytest.approx(expected)
