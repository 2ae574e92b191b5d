"""What a sensor is and what it reads.

A sensor only reads. Wraps, resets, epochs, integration and time stamps are the meter's work
(``meter.py``), in one place for all sensors.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from wattmark_core.catalogue import Domain, Method


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of an energy sensor; one shared object per device.

    ``update_period_seconds`` T: how often the value changes. ``ticking``: T is long enough to see
    single ticks, so a new value is stamped midway between the reads around its tick; else the
    value is as old as T/2 at every read. ``averaging_seconds`` w and ``coverage_ratio``: the
    sensor sees only the last w of each T. ``wrap_joules``: where the counter starts again at 0
    (None: never). ``limit_watts``: the most power the device may draw, for telling wrap from reset
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


Reading = Counter | Power | Values | Lost


class Sensor(ABC):
    """A source of readings.

    ``name`` is the ``source`` tag of its energy; ``interval_seconds`` how often to read it when no
    lease asks for more. A sensor without energy readings is never read by ``POST /sample``.
    """

    name: str
    interval_seconds: float = 0.1
    energy: bool = True
    """Does ``read`` yield Counter or Power? Such sensors are read at ``POST /sample`` and faster
    while armed."""

    def start(self) -> None:
        """Find the hardware and keep files open. Raises ``SensorAbsent`` with a remedy."""
        return

    @abstractmethod
    def read(self) -> Iterable[Reading]:
        """Read once, all devices. Raises ``SensorFailed``; ``OSError`` counts as the same."""

    def take(self) -> object:
        """Touch the hardware, and nothing else: what ``readings`` makes readings of, later and
        many at a time. Only a sensor that is read often and costs much needs to split ``read``."""
        readings = self.read()
        return readings if isinstance(readings, tuple | list) else tuple(readings)

    def readings(self, taken: Any) -> Iterable[Reading]:
        """The readings of what ``take`` returned. Raises what ``read`` may."""
        readings: Iterable[Reading] = taken
        return readings

    def constants(self) -> Mapping[str, float]:
        """Constants behind the numbers, kept with every run: TDP, idle power, …"""
        return {}

    def close(self) -> None:
        """Let go of the hardware."""
        return
