"""A sensor of the user's own, in a process of its own: what it does there harms no other."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_exporters.child import Child
from wattmark_exporters.readings import Option, Reading, Sensor, Stamped
from wattmark_exporters.wire import Unpacker

PROCESS: Final = "wattmark_exporters.own_process"
LOAD_SECONDS: Final = 30.0
"""Its module may import a framework."""
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
        self._unpacker = Unpacker()
        self._child = Child(PROCESS, name, name)
        self._fresh = True
        """Has the process only said what the sensor is so far?"""
        said = self._describe()
        self.name = said["name"]
        self.interval_seconds = said["interval_seconds"]
        self.energy = said["energy"]
        self.order = said["order"]
        self.stand_in = said["stand_in"]
        self.measures, self.needs = said["measures"], said["needs"]
        self.options = tuple(
            Option(flag, text, metavar, None if switch else str)
            for flag, text, metavar, switch in said["options"]
        )

    def wanted(self) -> bool:
        """Make the sensor; False if it is not wanted. Raises ``ConfigurationError``."""
        try:
            return bool(self._child.ask(START_SECONDS, "make", self._words)["wanted"])
        except SensorFailed as error:
            raise ConfigurationError(f"--sensor {self._class}: {error}") from error

    def start(self) -> None:
        """In a new process, but for the first time."""
        if not self._fresh:
            self._child.end()
            self._unpacker = Unpacker()
            self._child = Child(PROCESS, self.name, self._class)
            self._child.answer(LOAD_SECONDS)
            self._child.ask(START_SECONDS, "make", self._words)
        self._fresh = False
        answer = self._child.ask(START_SECONDS, "start")
        self._constants = dict(answer["constants"])
        self._learn(answer)

    def take(self) -> Stamped:
        """What the process answers, with its own stamps."""
        answer = self._child.ask(READ_SECONDS, "read")
        if "note" in answer:
            self._learn(answer)
        return Stamped(answer["start_ns"], answer["end_ns"], answer)

    def read(self) -> Iterable[Reading]:
        """The readings of one read."""
        return self.readings(self.take().taken)

    def readings(self, taken: Any) -> Iterable[Reading]:
        """Of an answer."""
        return self._unpacker.unpack(taken)

    def rescan(self) -> None:
        """As the sensor does."""
        self._learn(self._child.ask(START_SECONDS, "rescan"))

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

    def _describe(self) -> dict[str, Any]:
        try:
            return self._child.answer(LOAD_SECONDS)
        except SensorFailed as error:
            raise ConfigurationError(f"--sensor {self._class}: {error}") from error
        except ConfigurationError:
            self._child.end()
            raise

    def _learn(self, answer: Mapping[str, Any]) -> None:
        self._note = str(answer["note"])
        self.interval_seconds = float(answer["interval_seconds"])
