"""A sensor of the user's own, in a process of its own: what it does there harms no other."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_exporters import foreign
from wattmark_exporters.child import Child
from wattmark_exporters.readings import Option, Reading, Sensor, Stamped
from wattmark_exporters.wire import Unpacker

PROCESS: Final = "wattmark_exporters.own_process"
LOAD_SECONDS: Final = 30.0
"""Its module may import a framework."""
MAKE_SECONDS: Final = 10.0
START_SECONDS: Final = 60.0
READ_SECONDS: Final = 10.0
"""A process that takes longer for a read is ended, and started again when nobody measures."""
CLOSE_SECONDS: Final = 1.0


class OwnSensor(Sensor):
    """``MODULE:CLASS`` of a command line, whose ``words`` hold its options.

    Raises ``ConfigurationError`` if there is no such sensor.
    """

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self._class = name
        self._words = list(words)
        self._constants: dict[str, float] = {}
        self._note = ""
        self._said: Mapping[str, Any] = {}
        """Its last note and interval, unchecked."""
        self._unpacker = Unpacker()
        self._child = Child(PROCESS, name, name)
        self._fresh = True
        """Has the process only said what the sensor is so far?"""
        try:
            self._learn_kind(self._child.answer(LOAD_SECONDS))
        except (SensorFailed, ConfigurationError) as error:
            self._child.end()
            if isinstance(error, ConfigurationError):
                raise
            raise ConfigurationError(f"--sensor {self._class}: {error}") from error

    def wanted(self) -> bool:
        """Make the sensor; False if it is not wanted. Raises ``ConfigurationError``."""
        try:
            return bool(self._child.ask(MAKE_SECONDS, "make", self._words)["wanted"])
        except SensorFailed as error:
            raise ConfigurationError(f"--sensor {self._class}: {error}") from error

    def start(self) -> None:
        """In a new process, but for the first time."""
        if not self._fresh:
            self._child.end()
            self._unpacker = Unpacker()
            self._child = Child(PROCESS, self.name, self._class)
            self._child.answer(LOAD_SECONDS)
            self._child.ask(MAKE_SECONDS, "make", self._words)
        self._fresh = False
        answer = self._child.ask(START_SECONDS, "start")
        self._constants = foreign.constants(answer["constants"])
        self._said = answer
        self._learn(answer)

    def take(self) -> Stamped:
        """What the process answers, with its own stamps, which lie within the call."""
        before_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        answer = self._child.ask(READ_SECONDS, "read")
        start_ns, end_ns = answer["start_ns"], answer["end_ns"]
        after_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if not before_ns <= start_ns <= end_ns <= after_ns:
            raise SensorFailed("its stamps are not of the read; they are CLOCK_BOOTTIME, ns")
        if "note" in answer:
            self._said = answer
        return Stamped(start_ns, end_ns, answer)

    def read(self) -> Iterable[Reading]:
        """The readings of one read."""
        return self.readings(self.take().taken)

    def readings(self, taken: Any) -> Iterable[Reading]:
        """Of an answer. What is wrong is an error of every read until the sensor says otherwise."""
        readings = self._unpacker.unpack(taken)
        self._learn(self._said)
        return readings

    def rescan(self) -> None:
        """As the sensor does."""
        self._said = self._child.ask(START_SECONDS, "rescan")
        self._learn(self._said)

    def note(self) -> str:
        """As of the last call."""
        return self._note

    def constants(self) -> Mapping[str, float]:
        """As of the start."""
        return self._constants

    def close(self) -> None:
        """End the process, after the sensor has let go of its hardware."""
        self._fresh = False
        with suppress(SensorFailed, SensorAbsent, ConfigurationError):  # it ends in any case
            self._child.ask(CLOSE_SECONDS, "close")
        self._child.end()

    def _learn_kind(self, said: Mapping[str, Any]) -> None:
        self.name = foreign.name(said["name"], "its name")
        self.interval_seconds = foreign.interval(said["interval_seconds"])
        self.energy, self.stand_in = bool(said["energy"]), bool(said["stand_in"])
        self.order = int(foreign.number(said["order"], "its order"))
        self.measures, self.needs = foreign.text(said["measures"]), foreign.text(said["needs"])
        self.options = tuple(
            Option(flag, text, metavar, None if switch else str)
            for flag, text, metavar, switch in said["options"]
        )

    def _learn(self, answer: Mapping[str, Any]) -> None:
        self._note = foreign.text(answer["note"])
        self.interval_seconds = foreign.interval(answer["interval_seconds"])
