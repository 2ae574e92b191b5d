"""What a sensor is and what it reads.

A sensor only reads. Wraps, resets, epochs, integration and time stamps are the meter's work
(``meter.py``), in one place for all sensors.
"""

from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from wattmark_core.catalogue import Domain, Method


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of an energy sensor; one shared object per device.

    ``update_period_seconds`` T: how often the value changes. ``ticking``: T is long enough to see
    single ticks, so a new value is stamped midway between the reads around its tick; else the
    value is as old as T/2 at every read. ``averaging_seconds`` w and ``coverage_ratio``: the
    sensor sees only the last w of each T. ``wrap_joules``: where the counter starts again at 0
    (None: never). ``limit_watts``: the most power the device may draw, to separate wrap from reset
    and garbage. ``label`` names the device for people, ``note`` says what a reader should know.
    """

    update_period_seconds: float = 0.1
    ticking: bool = False
    averaging_seconds: float = 0.0
    coverage_ratio: float = 1.0
    wrap_joules: float | None = None
    limit_watts: float | None = None
    label: str = ""
    note: str = ""


class Counter(NamedTuple):
    """An energy counter as the hardware gives it: joules since its own beginning, wraps and all."""

    domain: Domain
    device: str
    joules: float
    traits: Traits
    method: Method = Method.COUNTER


class Power(NamedTuple):
    """Power at this instant. ``integrate``: there is no counter, the meter makes one of it."""

    domain: Domain
    device: str
    watts: float
    traits: Traits = Traits()
    integrate: bool = False


class Values(NamedTuple):
    """Any other metrics of the catalogue, or a sensor's own: fields of one measurement."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | int]


class Lost(NamedTuple):
    """One device failed while the sensor's other devices go on: its series end here."""

    domain: Domain
    device: str
    reason: str


class LeftOut(NamedTuple):
    """A ``part`` of the input that cannot be read, while the rest is: a line, a zone, a name.

    To be given in each read that has it: the part is told once, by its name, and counted each time.
    """

    part: str
    reason: str


class Stamped(NamedTuple):
    """What ``Sensor.take`` returns where it knows better than its caller when the hardware was
    read: from ``start_ns`` to ``end_ns`` of CLOCK_BOOTTIME."""

    start_ns: int
    end_ns: int
    taken: object


Reading = Counter | Power | Values | Lost | LeftOut


def no_reading(given: object, part: object) -> str:
    """What is wrong with the ``part`` of what ``read`` gave."""
    if isinstance(given, Reading):  # a named tuple, whose parts are none
        return "read() returned one reading; return a list of them"
    return f"read() gave a {type(part).__name__}, not a reading"


class Option(NamedTuple):
    """A command-line option of a sensor. ``kind`` makes its value of the text; None: a switch."""

    flag: str
    help: str
    metavar: str = ""
    kind: Callable[[str], Any] | None = None


class Sensor(ABC):
    """A source of readings, and what is said of it wherever sensors are listed.

    ``name`` is the ``source`` tag of its energy; ``interval_seconds`` how often to read it when no
    lease asks for more. How long its readings take to settle is in their ``Traits``; what to do
    where it is absent is in the ``SensorAbsent`` that ``start`` raises.
    """

    name: str
    interval_seconds: float = 0.1
    energy: bool = True
    """Does ``read`` yield Counter or Power? Such sensors are read at ``POST /sample`` and faster
    while armed."""
    measures: str = ""
    """What it measures, in a few words."""
    needs: str = ""
    """What must be there for it to work."""
    order: int = 50
    """Of several meters that see one device the one with the smallest counts. Those that
    ``catalogue.SOURCE_ORDER`` names have their place there."""
    stand_in: bool = False
    """Is it started only where no other sensor gives the energy of the CPU's package?"""
    options: tuple[Option, ...] = ()
    """Its own, beside those of the program."""

    @classmethod
    def make(cls, options: Namespace) -> Self | None:
        """The sensor as the command line asks for it; None: it is not wanted.

        ``options.sysfs`` and ``options.procfs`` are where to look for hardware.
        """
        return cls()

    def start(self) -> None:
        """Find the hardware and keep files open. Raises ``SensorAbsent`` with a remedy."""
        return

    @abstractmethod
    def read(self) -> Iterable[Reading]:
        """Read once, all devices. Raises ``SensorFailed``; ``OSError`` counts as the same."""

    def take(self) -> object:
        """Touch the hardware, and nothing else: what ``readings`` makes readings of. Where a class
        overrides it, that is done later and many at a time, so that it must return something that
        does not change; only a sensor that is read often and costs much needs this."""
        return self.read()

    def readings(self, taken: Any) -> Iterable[Reading]:
        """The readings of what ``take`` returned. Raises what ``read`` may."""
        readings: Iterable[Reading] = taken
        return readings

    def rescan(self) -> None:
        """Look for hardware that came, went or changed places since ``start``; called about every
        30 s while nobody measures. May raise what ``start`` and ``read`` may."""
        return

    def note(self) -> str:
        """What a reader should know though the sensor works: ``2 of 3 zones: …``."""
        return ""

    def constants(self) -> Mapping[str, float]:
        """Constants behind the numbers, kept with every run: TDP, idle power, …"""
        return {}

    def close(self) -> None:
        """Let go of the hardware."""
        return
