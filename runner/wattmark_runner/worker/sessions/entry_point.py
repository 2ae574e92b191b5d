"""A workload of the owner's own in Python: ``package.module:callable``.

``callable(model, **parameters)`` loads, and returns a function without arguments that makes one
pass over the test set and returns ``(inferences, correct)``; ``correct`` None: not known.
"""

import importlib
import struct
import time
from collections.abc import Callable
from typing import Any, Final

from wattmark_core.clock import SystemClock
from wattmark_core.errors import ConfigurationError, RunError
from wattmark_core.machine import about_machine
from wattmark_core.units import seconds_to_ns
from wattmark_runner.worker import descendants
from wattmark_runner.worker.measurement import Measurement, Network
from wattmark_runner.worker.protocol import Done, Load, Loaded, Measure, Step, WorkerMessage

Emit = Callable[[WorkerMessage], None]
Pass = Callable[[], tuple[int, int | None]]
_COUNT: Final = struct.Struct("<q")
UNKNOWN: Final = -1
LARGEST: Final = 2**53
"""Counts up to here are the same number in every program that reads them."""


class Passes(Network):
    """A pass is one batch; its bytes are how many were right.

    Every pass must make as many inferences as the first, which is made, uncounted, at once.
    """

    batches = 1

    def __init__(self, one_pass: Pass) -> None:
        self._one_pass = one_pass
        self.images, _ = self._counts()

    def infer(self, first: int, last: int) -> bytes:
        """Passes ``first`` to ``last - 1``; 8 bytes each."""
        return b"".join(_COUNT.pack(self._correct()) for _ in range(first, last))

    def _correct(self) -> int:
        inferences, correct = self._counts()
        if inferences != self.images:
            raise RunError(
                f"a pass made {inferences} inferences, the first one {self.images}: a pass is the"
                " whole test set"
            )
        return UNKNOWN if correct is None else correct

    def _counts(self) -> tuple[int, int | None]:
        returned: Any = self._one_pass()
        try:
            inferences, correct = returned
        except (TypeError, ValueError) as error:
            raise RunError("a pass must return (inferences, correct)") from error
        if not _whole(inferences, 1) or not (correct is None or _whole(correct, 0)):
            raise RunError(f"a pass returned {returned!r:.80}; whole numbers are needed")
        if correct is not None and correct > inferences:
            raise RunError(f"a pass returned more correct than inferences: {returned!r}")
        return int(inferences), None if correct is None else int(correct)


class EntryPointSession:
    """One model, loaded by the owner's function and then measured."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def load(self, command: Load) -> None:
        """Import and call the entry point. Raises ``ConfigurationError`` if there is none."""
        load = find(command.entry_point)
        self._emit(Step("load", 0.3))
        one_pass = load(command.model, **command.parameters)
        if not callable(one_pass):
            raise RunError(
                f"entry point {command.entry_point} returned {one_pass!r:.40}; it must return a"
                " function that makes one pass"
            )
        self._passes = Passes(one_pass)
        self._emit(Loaded("", self._passes.images, None, None, about_machine()))

    def measure(self, command: Measure) -> None:
        """Run the windows."""
        measurement = Measurement(self._passes, command, SystemClock(), _cpu_ns, self._emit)
        measurement.run()
        correct = [_sum(b"".join(calls)) for calls in measurement.predictions]
        made = sum(len(b"".join(calls)) // _COUNT.size for calls in measurement.predictions)
        known = [number for number in correct if number is not None]
        whole = len(known) == len(correct)
        self._emit(Done(correct, sum(known) / (made * self._passes.images) if whole else None))


def find(entry_point: str) -> Callable[..., Pass]:
    """The callable. Raises ``ConfigurationError`` in one line."""
    module, _, name = entry_point.partition(":")
    try:
        load: Callable[..., Pass] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"entry point {entry_point}: {error}") from error
    if not callable(load):
        raise ConfigurationError(f"entry point {entry_point} is no function")
    return load


def _cpu_ns() -> int:
    """CPU time of this process and of those that the owner's function has started, ns."""
    return time.process_time_ns() + seconds_to_ns(descendants.cpu_seconds())


def _sum(counts: bytes) -> int | None:
    numbers = [number for (number,) in _COUNT.iter_unpack(counts)]
    return None if UNKNOWN in numbers else sum(numbers)


def _whole(value: Any, least: int) -> bool:
    """Is it a whole number, of Python's or numpy's?"""
    return hasattr(value, "__index__") and not isinstance(value, bool) and least <= value <= LARGEST
