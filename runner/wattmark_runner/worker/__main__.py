"""``python -m wattmark_runner.worker EVENTS_FD``: started by ``process.WorkerProcess`` alone."""

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable

from wattmark_runner.protocol import Command, Event, Failed, Load, Ready, Step, decode, encode


def main() -> int:
    """Carry out commands until standard input closes."""
    events = int(sys.argv[1])
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(commands,), daemon=True).start()

    def emit(event: Event) -> None:
        os.write(events, encode(event))

    emit(Ready(os.getpid()))
    try:
        _serve(commands, emit)
    except Exception as error:  # noqa: BLE001 - every fault becomes one line for the parent
        traceback.print_exc()  # into the log
        emit(Failed(_one_line(error)))
    return 1


def _serve(commands: queue.SimpleQueue[Command], emit: Callable[[Event], None]) -> None:
    command = commands.get()
    emit(Step("import", 0.0))
    from wattmark_runner.worker.session import Session  # the framework takes seconds to import

    session = Session(emit)
    while True:
        if isinstance(command, Load):
            session.load(command)
        else:
            session.measure(command)
        command = commands.get()


def _read_commands(commands: queue.SimpleQueue[Command]) -> None:
    """The parent's closing of the pipe, or its death, ends this process whatever it is doing."""
    for line in sys.stdin.buffer:
        commands.put(decode(line))
    os._exit(0)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:500] or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
