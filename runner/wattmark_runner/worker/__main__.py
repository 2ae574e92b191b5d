"""``python -m wattmark_runner.worker MESSAGES_FD PLACES``: started by ``WorkerProcess`` alone.

PLACES, JSON: ``private`` files and folders are put out of reach before anything else is done;
``needed`` ones may be used even if they lie in them.
"""

import json
import os
import queue
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from wattmark_core.errors import RunError
from wattmark_runner.worker import descendants, threads
from wattmark_runner.worker.confinement import confine
from wattmark_runner.worker.memory import explained
from wattmark_runner.worker.messages import Messages
from wattmark_runner.worker.protocol import (
    Command,
    Failed,
    Load,
    Measure,
    Ready,
    Step,
    WorkerMessage,
    decode,
)

Emit = Callable[[WorkerMessage], None]


class Session(Protocol):
    """What a worker does for each command."""

    def load(self, command: Load) -> None:
        """Make ready what is to be measured."""
        ...

    def measure(self, command: Measure) -> None:
        """Run the windows."""
        ...


def main() -> NoReturn:
    """Carry out commands until standard input closes."""
    descendants.adopt()
    places = {kind: map(Path, paths) for kind, paths in json.loads(sys.argv[2]).items()}
    confinement = confine(places["private"], places["needed"])
    threads.keep_within_quota(os.environ)
    emit = Messages(int(sys.argv[1]), {"confinement": confinement}).emit
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(commands,), daemon=True).start()

    emit(Ready(os.getpid()))
    try:
        _serve(commands, emit)
    except Exception as error:  # noqa: BLE001 - every fault becomes one line for the parent
        traceback.print_exc()  # into the log
        emit(Failed(_one_line(error)))
    _leave(1)


def _serve(commands: queue.SimpleQueue[Command], emit: Emit) -> None:
    command = commands.get()
    if not isinstance(command, Load):
        raise RunError("the worker was to measure before anything was loaded")
    _limit(command.memory_bytes)
    session = _session(command, emit)
    while True:
        if isinstance(command, Load):
            session.load(command)
        else:
            session.measure(command)
        command = commands.get()


def _session(command: Load, emit: Emit) -> Session:
    """What can carry out the command; only what is needed is imported."""
    if command.command:
        from wattmark_runner.worker.sessions.command import CommandSession

        return CommandSession(emit)
    emit(Step("import", 0.0))
    if command.entry_point:
        from wattmark_runner.worker.sessions.entry_point import EntryPointSession

        return EntryPointSession(emit)
    if command.files:
        os.environ["KERAS_BACKEND"] = str(command.parameters["backend"])
        from wattmark_runner.worker.sessions.keras import KerasSession

        return KerasSession(emit)
    from wattmark_runner.worker.sessions.builtin import (
        NetworkSession,  # the framework takes seconds
    )

    return NetworkSession(emit)


def _limit(memory_bytes: int | None) -> None:
    if memory_bytes is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        memory_bytes = min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def _read_commands(commands: queue.SimpleQueue[Command]) -> None:
    """The parent's closing of the pipe, or its death, ends this process whatever it is doing.

    Not through ``sys.stdin``, whose lock would be held all the time: processes that
    ``multiprocessing`` forks close that, and would wait for the lock for ever.
    """
    try:
        with open(0, "rb", closefd=False) as lines:
            for line in lines:
                commands.put(decode(line))
    finally:
        _leave(0)


def _leave(status: int) -> NoReturn:
    """At once, whatever other threads are doing, and with all that was started here."""
    try:
        descendants.kill()
    finally:  # even if memory has run out
        os._exit(status)


def _one_line(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"out of memory: {explained()}"
    text = " ".join(str(error).split())
    return text[:500] or type(error).__name__


if __name__ == "__main__":
    main()
