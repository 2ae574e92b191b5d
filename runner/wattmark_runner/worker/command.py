"""A workload of the owner's own in any language: a program that says when it infers.

It prints ``{"event": "start"}`` and ``{"event": "end", "inferences": N, "correct": M}``, a line
each, around every stretch that is to be measured; anything else that it prints goes to the log.
``start`` may have ``"phase": "warmup"``; ``end`` ``test_images``, ``parameters`` and ``macs``. It
finds WATTMARK_MODEL, WATTMARK_REPEATS and WATTMARK_SECONDS in its environment, and is started
again until there are as many windows as asked for.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from wattmark_core.clock import SystemClock
from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.protocol import (
    Done,
    Edge,
    Event,
    Load,
    Loaded,
    Measure,
    Notice,
    PhaseEnd,
    Step,
)
from wattmark_runner.worker.facts import about_machine

Emit = Callable[[Event], None]
LINE_BYTES: Final = 65536
EXIT_SECONDS: Final = 5.0
"""How long the program may take to end after its last window."""
PHASES: Final = ("inference", "warmup")
EXPLAINED: Final = ("test_images", "parameters", "macs")
NO_GUARD: Final = (
    "the command marks its own windows: nothing keeps the load steady before and after them"
)
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


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


class CommandSession:
    """Starts the program and turns what it says into windows."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._clock = SystemClock()

    def load(self, wanted: Load) -> None:
        """Nothing is to be loaded here: the program does so itself."""
        self._wanted = wanted
        self._emit(Notice(NO_GUARD))
        self._emit(Loaded("", None, None, None, about_machine()))

    def measure(self, wanted: Measure) -> None:
        """Run the program until there are enough windows. Raises ``RunError``."""
        counts = _Counts()
        while len(counts.inferences) < wanted.repeats:
            before = len(counts.inferences)
            with self._program(wanted) as program:
                self._listen(program, counts, wanted.repeats)
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
    def _program(self, wanted: Measure) -> Iterator[subprocess.Popen[bytes]]:
        """The program, which is gone at the end. Raises ``RunError`` if it failed."""
        environment = {
            **os.environ,
            "WATTMARK_MODEL": self._wanted.model,
            "WATTMARK_REPEATS": str(wanted.repeats),
            "WATTMARK_SECONDS": f"{wanted.seconds:g}",
        }
        try:
            program = subprocess.Popen(  # noqa: S603 - the owner's command, no shell
                self._wanted.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, env=environment, preexec_fn=_die_with_parent,
            )  # fmt: skip
        except OSError as error:
            name = self._wanted.command[0]
            raise ConfigurationError(f"command {name}: {error.strerror}") from error
        try:
            yield program
        finally:
            _end(program)

    def _listen(self, program: subprocess.Popen[bytes], counts: _Counts, repeats: int) -> None:
        assert program.stdout is not None  # noqa: S101 - it is a pipe by construction
        opened: _Opened | None = None
        last = ""
        while len(counts.inferences) < repeats:
            line = program.stdout.readline(LINE_BYTES)
            now_ns = self._clock.boottime_ns()  # first of all: this is the window's edge
            if not line:
                _check_exit(program, opened, last)
                return
            said = _said(line)
            if said is None:
                last = line.decode(errors="replace").strip() or last
                sys.stdout.write(line.decode(errors="replace"))
                sys.stdout.flush()
            elif said["event"] == "start":
                opened = self._open(said, opened, now_ns, program.pid, counts)
            else:
                self._close(said, opened, now_ns, program.pid, counts)
                opened = None
                self._emit(Step("measure", len(counts.inferences) / repeats))

    def _open(
        self, said: dict[str, Any], opened: _Opened | None, now_ns: int, pid: int, counts: _Counts
    ) -> _Opened:
        if opened is not None:
            raise RunError("the command reported a start within a window; end it first")
        phase = said.get("phase", "inference")
        if phase not in PHASES:
            raise RunError(f"the command reported phase {phase!r}; known are {', '.join(PHASES)}")
        self._emit(Edge(phase, _number(phase, counts), opening=True, time_ns=now_ns))
        return _Opened(phase, now_ns, _cpu_seconds(pid))

    def _close(
        self, said: dict[str, Any], opened: _Opened | None, now_ns: int, pid: int, counts: _Counts
    ) -> None:
        if opened is None:
            raise RunError("the command reported an end without a start")
        number = _number(opened.phase, counts)
        self._emit(Edge(opened.phase, number, opening=False, time_ns=now_ns))
        cpu_seconds = _cpu_seconds(pid) - opened.cpu_seconds
        inferences = _count(said, "inferences", 0 if opened.phase == "warmup" else None)
        correct = said.get("correct")
        if correct is not None and _count(said, "correct") > inferences:
            raise RunError(f"the command reported more correct than inferences: {correct}")
        self._emit(PhaseEnd(opened.phase, number, opened.start_ns, now_ns, inferences, cpu_seconds))
        counts.explained |= {name: _count(said, name) for name in EXPLAINED if name in said}
        if opened.phase == "warmup":
            counts.warmups += 1
        else:
            counts.inferences.append(inferences)
            counts.correct.append(correct)


def _number(phase: str, counts: _Counts) -> int:
    return counts.warmups if phase == "warmup" else len(counts.inferences)


def _count(said: dict[str, Any], name: str, default: int | None = None) -> int:
    """A whole number above 0 (``correct``: from 0 up) that the program reported."""
    value = said.get(name, default)
    least = 0 if name == "correct" or default is not None else 1
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RunError(f"the command reported {name} {value!r}; a whole number is needed")
    return value


def _said(line: bytes) -> dict[str, Any] | None:
    """What the program reports; None for any other line."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) and body.get("event") in {"start", "end"} else None


def _check_exit(program: subprocess.Popen[bytes], opened: _Opened | None, last: str) -> None:
    """Raise ``RunError`` unless the program ended well and between windows."""
    try:
        status = program.wait(EXIT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RunError("the command closed its output and went on; it must end") from error
    if status:
        how = f"exited with status {status}"
        if status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        raise RunError(f"the command {how}" + (f"; its last line: {last[:300]}" if last else ""))
    if opened is not None:
        raise RunError("the command ended within a window: it must report an end for every start")


def _end(program: subprocess.Popen[bytes]) -> None:
    """Let it end by itself for a while; then it and all that it started is killed."""
    if program.stdout is not None:
        program.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(EXIT_SECONDS)
    kill_descendants()
    program.wait()


def kill_descendants() -> None:
    """Kill every process that this one started, and theirs."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _cpu_seconds(pid: int) -> float:
    """CPU time of the program and all that it started, s."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        program = psutil.Process(pid)
        for process in (program, *program.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
    return total


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
