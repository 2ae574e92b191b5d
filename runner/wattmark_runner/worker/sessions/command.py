"""A workload of the owner's own in any language: a program that reports when it infers.

It prints ``{"event": "start"}`` and ``{"event": "end", "inferences": N, "correct": M}``, a line
each, around every stretch that is to be measured; anything else that it prints goes to the log,
and so does its standard error, which is kept apart: a progress bar must not garble a line.
``start`` may have ``"phase": "warmup"``; ``end`` ``test_images``, ``parameters`` and ``macs``. It
finds WATTMARK_MODEL, _REPEATS, _SECONDS, _GUARD_SECONDS and _WARMUP_SECONDS in its environment,
and is started again until there are as many windows as asked for.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_core.machine import about_machine
from wattmark_core.units import ns_to_seconds
from wattmark_runner.worker import descendants
from wattmark_runner.worker.memory import explained
from wattmark_runner.worker.protocol import (
    Done,
    EdgeReached,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    Step,
    WorkerMessage,
)
from wattmark_runner.worker.sessions.output import Output, Tail, shown
from wattmark_runner.worker.stops import StopWatch
from wattmark_scoring.counts import why_impossible

Emit = Callable[[WorkerMessage], None]
EXIT_SECONDS: Final = 5.0
"""How long the program may take to end after its last window."""
LEAVING_SECONDS: Final = 1.0
"""How long it may take from the end of its output to its own."""
PHASES: Final = ("inference", "warmup")
EXPLAINED: Final = ("test_images", "parameters", "macs")
NO_GUARD: Final = (
    "the command marks its own windows: nothing keeps the load steady before and after them"
)
OUT_OF_MEMORY: Final = re.compile(
    r"MemoryError|out ?of ?memory|cannot allocate|unable to allocate|bad_alloc", re.IGNORECASE
)
"""What programs say last: of Python, Java, Go and Rust, of C and numpy, and of C++."""
LARGEST: Final = 2**53
"""Counts up to here are the same number in every program that reads them."""


@dataclass(slots=True)
class _Opened:
    """A window under way."""

    phase: str
    start_ns: int
    cpu_seconds: float


@dataclass(slots=True)
class _Counts:
    """What the windows so far amount to."""

    inferences: list[int] = field(default_factory=list)
    correct: list[int | None] = field(default_factory=list)
    warmups: int = 0
    explained: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Program:
    """A started program and what comes out of it."""

    process: subprocess.Popen[bytes]
    output: Output
    errors: Tail

    def check_exit(self, last: str, *, may_go_on: bool) -> None:
        """Raise ``RunError`` unless it ended well; ``last`` is the last line of its output.

        ``may_go_on``: it has done its part, and whether it knows when to end does not matter.
        """
        # A program's output ends a moment before it does.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVING_SECONDS if may_go_on else EXIT_SECONDS)
        status = self.process.poll()
        if status is None and not may_go_on:
            raise RunError("the command closed its output and went on; it must end")
        if status:
            how = f"exited with status {status}"
            if status < 0:
                how = f"was killed by {signal.Signals(-status).name}"
            last = self.errors.last() or last
            if status == -signal.SIGKILL or OUT_OF_MEMORY.search(last):
                how += f" (memory ran out, it seems: {explained()})"
            raise RunError(
                f"the command {how}" + (f"; its last line: {last[:300]}" if last else "")
            )


class CommandSession:
    """Starts the program and turns its reports into windows."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def load(self, command: Load) -> None:
        """Nothing is to be loaded here: the program does so itself."""
        self._load = command
        self._emit(Notice(NO_GUARD))
        self._emit(Loaded("", None, None, None, about_machine()))

    def measure(self, command: Measure) -> None:
        """Run the program until there are enough windows. Raises ``RunError``."""
        counts = _Counts()
        while len(counts.inferences) < command.repeats:
            before = len(counts.inferences)
            with self._program(command) as program:
                self._listen(program, counts, command.repeats)
            if len(counts.inferences) == before:
                raise RunError(
                    'the command ended without a window: it must print {"event": "start"} and'
                    ' {"event": "end", "inferences": N}'
                )
        known = [number for number in counts.correct if number is not None]
        whole = len(known) == len(counts.correct)
        accuracy = sum(known) / sum(counts.inferences) if whole else None
        self._emit(Done(counts.correct, accuracy, **counts.explained))

    @contextmanager
    def _program(self, command: Measure) -> Iterator[_Program]:
        """The program, which is gone at the end, and all that it started with it."""
        environment = {
            **os.environ,
            "WATTMARK_MODEL": self._load.model,
            "WATTMARK_REPEATS": str(command.repeats),
            "WATTMARK_SECONDS": f"{command.seconds:g}",
            "WATTMARK_GUARD_SECONDS": f"{command.guard_seconds:g}",
            "WATTMARK_WARMUP_SECONDS": f"{command.warmup_seconds:g}",
        }
        try:
            process = subprocess.Popen(  # noqa: S603 - the owner's command, no shell
                self._load.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=environment,
                preexec_fn=descendants.dying_with(os.getpid()),
            )  # fmt: skip
        except OSError as error:
            name = self._load.command[0]
            raise ConfigurationError(f"command {name}: {error.strerror}") from error
        self._stops = StopWatch(process.pid)
        assert process.stdout is not None  # noqa: S101 - pipes by construction
        assert process.stderr is not None  # noqa: S101
        program = _Program(process, Output(process, process.stdout, _report), Tail(process.stderr))
        try:
            yield program
        finally:
            descendants.kill()
            process.wait()
            program.output.close()
            program.errors.close()

    def _listen(self, program: _Program, counts: _Counts, repeats: int) -> None:
        """Read all that the program prints. Raises ``RunError`` if it does not end well."""

        def enough() -> bool:
            return len(counts.inferences) >= repeats

        opened: _Opened | None = None
        for report, time_ns in program.output.reports(enough, EXIT_SECONDS):
            if enough():
                continue  # windows that nobody asked for
            if report["event"] == "start":
                opened = self._open(report, opened, time_ns, counts)
            else:
                self._close(report, opened, time_ns, counts)
                opened = None
                self._emit(Step("measure", len(counts.inferences) / repeats))
        program.check_exit(program.output.last(), may_go_on=enough())
        if opened is not None:
            raise RunError(
                "the command ended within a window: it must report an end for every start"
            )

    def _open(
        self, report: dict[str, Any], opened: _Opened | None, time_ns: int, counts: _Counts
    ) -> _Opened:
        if opened is not None:
            raise RunError("the command reported a start within a window; end it first")
        phase = report.get("phase", "inference")
        if phase not in PHASES:
            raise RunError(f"the command reported phase {phase!r}; known are {', '.join(PHASES)}")
        self._emit(EdgeReached(phase, _number(phase, counts), opening=True, time_ns=time_ns))
        return _Opened(phase, time_ns, descendants.cpu_seconds())

    def _close(
        self, report: dict[str, Any], opened: _Opened | None, time_ns: int, counts: _Counts
    ) -> None:
        if opened is None:
            raise RunError("the command reported an end without a start")
        number = _number(opened.phase, counts)
        self._emit(EdgeReached(opened.phase, number, opening=False, time_ns=time_ns))
        cpu_seconds = _grown(opened.cpu_seconds, descendants.cpu_seconds())
        inferences = _count(report, "inferences", 0 if opened.phase == "warmup" else None)
        correct = report.get("correct")
        if correct is not None and _count(report, "correct") > inferences:
            raise RunError(f"the command reported more correct than inferences: {correct}")
        wrong = why_impossible(inferences, correct, ns_to_seconds(time_ns - opened.start_ns))
        if wrong:
            raise RunError(f"the command reported what cannot be: {wrong}")
        self._emit(
            PhaseEnd(opened.phase, number, opened.start_ns, time_ns, inferences, cpu_seconds,
                     stopped_seconds=self._stops.seconds(opened.start_ns, time_ns))
        )  # fmt: skip
        counts.explained |= {name: _count(report, name) for name in EXPLAINED if name in report}
        if opened.phase == "warmup":
            counts.warmups += 1
        else:
            counts.inferences.append(inferences)
            counts.correct.append(correct)


def _grown(before: float, after: float) -> float | None:
    """None: a program that disowns its children takes their CPU time out of sight."""
    return after - before if after >= before else None


def _number(phase: str, counts: _Counts) -> int:
    return counts.warmups if phase == "warmup" else len(counts.inferences)


def _count(report: dict[str, Any], name: str, default: int | None = None) -> int:
    """A whole number above 0 (``correct``: from 0 up) that the program reported."""
    value = report.get(name, default)
    least = 0 if name == "correct" or default is not None else 1
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise RunError(
            f"the command reported {name} {value!r:.40}; a whole number from {least} up is needed"
        )
    return value


def _report(line: bytes) -> dict[str, Any] | None:
    """What the program reports; None for any other line."""
    text = shown(line)
    if not text.startswith("{"):
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.get("event") in ("start", "end") else None
