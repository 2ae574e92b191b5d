"""The parent's side of a worker: start, listen, and end it, whatever state it is in."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

from wattmark_core.errors import RunError
from wattmark_core.printable import printable
from wattmark_runner.execution.memory_kills import MemoryKills
from wattmark_runner.execution.standing_still import StandingStill
from wattmark_runner.execution.worker_places import WorkerPlaces, passed_on, worker_environment
from wattmark_runner.worker.kept_output import KeptOutput
from wattmark_runner.worker.memory import explained
from wattmark_runner.worker.protocol import (
    Command,
    EdgeReached,
    Failed,
    Notice,
    Ready,
    WorkerMessage,
    decode,
    encode,
)

__all__ = ["WorkerProcess", "passed_on", "worker_environment"]

READY_SECONDS: Final = 60.0
"""How long a worker may take until it listens; a loaded machine needs seconds."""
TERMINATE_SECONDS: Final = 3.0
OUTPUT_SECONDS: Final = 1.0
"""How long the last of what a worker that has ended printed may take into its log."""
POLL_SECONDS: Final = 1.0
"""How soon cancelling and the end of a worker that leaves its pipe open are seen. Waking ten times
a second would cost the runner more than all else that it does while it measures."""
STOPPED_SECONDS: Final = 60.0
STOPPED: Final = (
    "the worker, or what it started, was stopped for a while by a signal (SIGSTOP) or a debugger"
)
LAST_BYTES: Final = 65536
NOISE_PREFIXES: Final = (
    "I0000 ", "WARNING: All log messages before absl::InitializeLog()", "wattmark: ",
)  # fmt: skip
"""Beginnings of lines that TensorFlow prints whenever it is imported, and a worker itself."""


class WorkerProcess:
    """A worker in a process group of its own; ``with`` it, and it is gone at the end.

    ``on_edge`` is called with every window's edge at once, in the listening thread; it must return
    quickly. Edges are then not among ``messages``.
    ``gpu``: UUID of the GPU that the worker is to see; empty: none. What the worker prints goes to
    ``log``. ``places``: which files and folders neither it nor what it starts may reach. Raises
    ``RunError`` if it does not come up. One that is stopped for a while gives a notice; for
    ``stopped_seconds``, it is given up.
    """

    def __init__(
        self, log: Path, *, gpu: str = "", on_edge: Callable[[EdgeReached], None] | None = None,
        places: WorkerPlaces | None = None, stopped_seconds: float = STOPPED_SECONDS,
    ) -> None:  # fmt: skip
        self._log = log
        self._on_edge = on_edge
        self._messages: queue.SimpleQueue[WorkerMessage | None] = queue.SimpleQueue()
        self._gpu = gpu
        self._places = places or WorkerPlaces()
        self._stopped_seconds = stopped_seconds

    def __enter__(self) -> Self:
        self._start()
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def send(self, command: Command) -> None:
        """Send a command. Raises ``RunError`` if it is gone."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe by construction
        try:
            self._process.stdin.write(encode(command))
            self._process.stdin.flush()
        except OSError as error:
            raise RunError(self._why_gone()) from error

    def messages(
        self, cancelled: threading.Event | None = None, limit_seconds: float | None = None
    ) -> Iterator[WorkerMessage]:
        """Messages as they come; ends when ``cancelled`` is set.

        Raises ``RunError`` when the worker reports a failure, when it is gone, and when it has
        taken longer than ``limit_seconds``.
        """
        start = time.monotonic()
        told = 0
        while cancelled is None or not cancelled.is_set():
            if limit_seconds is not None and time.monotonic() - start > limit_seconds:
                raise RunError(
                    f"the worker took longer than its limit of {limit_seconds:g} s"
                    " ([workloads.NAME.limits] seconds)"
                )
            gone = self._process.poll() is not None
            if self._still.look() > self._stopped_seconds:
                raise RunError(
                    "the worker, or what it started, has been stopped for"
                    f" {self._stopped_seconds:g} s by a signal (SIGSTOP) or a debugger; find out by"
                    " whom, then run it again"
                )
            if self._still.stops > told:
                told = self._still.stops
                yield Notice(STOPPED)
            try:
                message = self._messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if gone:  # a process that it forked may hold the pipe open
                    raise RunError(self._why_gone()) from None
                continue
            if message is None:
                raise RunError(self._why_gone())
            if isinstance(message, Failed):
                raise RunError(message.reason)
            yield message

    def close_input(self) -> None:
        """Ask the worker to end, as this process's own death would."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it went first, a command still unread
                self._process.stdin.close()

    def stop(self) -> None:
        """Close its input, terminate, kill, join: its whole process group is gone afterwards.

        A worker whose input closes ends everything that it has started, also what left the group.
        """
        self.close_input()
        if not self._ended():
            self._signal(signal.SIGTERM)
            self._ended()
        self._signal(signal.SIGKILL)  # also whatever the worker had started
        self._process.wait()
        self._listener.join(TERMINATE_SECONDS)  # one that left the group may hold the pipe open
        self._output.join(OUTPUT_SECONDS)
        self._places.close()

    def _ended(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(TERMINATE_SECONDS)
        return self._process.returncode is not None

    def _start(self) -> None:
        self._output = KeptOutput(self._log)
        reading, writing = os.pipe()
        environment = worker_environment(self._gpu) | self._places.environment()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", "wattmark_runner.worker", str(writing),
                 self._places.as_argument()],
                stdin=subprocess.PIPE, stdout=self._output.writing, stderr=self._output.writing,
                pass_fds=[writing], env=environment, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
            self._output.started()
        self._still = StandingStill(self._process.pid)
        self._memory = MemoryKills.of(self._process.pid)
        self._listener = threading.Thread(target=self._listen, args=(reading,), daemon=True)
        self._listener.start()

    def _opened_log(self) -> BinaryIO:
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            return self._log.open("ab")
        except OSError as error:
            raise RunError(
                f"the run's log {self._log} cannot be written: {error.strerror}; see to its disk"
            ) from error

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                message: WorkerMessage = decode(line)
                if isinstance(message, EdgeReached) and self._on_edge is not None:
                    self._on_edge(message)
                else:
                    self._messages.put(message)
        self._messages.put(None)

    def _await_ready(self) -> None:
        try:
            first = self._messages.get(timeout=READY_SECONDS)
        except queue.Empty:
            raise RunError(f"the worker gave no sign of life in {READY_SECONDS:g} s") from None
        if not isinstance(first, Ready):
            raise RunError(self._why_gone())

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):  # nobody of the group is left
            return

    def _why_gone(self) -> str:
        """How the worker ended, with the last line that it printed."""
        try:
            status = self._process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            return "the worker does not answer any more, though its process is still there"
        how = f"exited with status {status}"
        if status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        if status == -signal.SIGKILL:
            why = self._memory.explained()
            how += f" ({why or f'by a user, or because memory ran out: {explained()}'})"
        self._output.join(OUTPUT_SECONDS)
        last = _last_line(self._log, self._output.start)
        return f"the worker {how}" + (f"; its last line: {last}" if last else "")


def _last_line(log: Path, start: int) -> str:
    """The last line that is no mere information, from byte ``start`` on."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - LAST_BYTES))
            text = file.read()
    except OSError:
        return ""
    lines = [printable(line.strip().rpartition(b"\r")[2]) for line in text.split(b"\n")]
    informative = [line for line in lines if line and not line.startswith(NOISE_PREFIXES)]
    return informative[-1][:300] if informative else ""
