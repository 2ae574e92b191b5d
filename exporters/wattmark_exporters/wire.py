"""Readings as JSON, between the exporter and the process of a user's sensor.

``traits`` are sent once, by number, as the same object stands for the same device in every read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from typing import Any, Final

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import SensorFailed
from wattmark_exporters import foreign
from wattmark_exporters.readings import (
    Counter,
    LeftOut,
    Lost,
    Power,
    Reading,
    Traits,
    Values,
    no_reading,
)

MOST_TRAITS: Final = 10_000
"""A sensor that makes new ones for each read has no number of devices that anybody could show."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line. Numbers of other libraries become floats. Raises ``TypeError``, ``ValueError``."""
    return json.dumps(message, separators=(",", ":"), default=float).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Raises ``ValueError`` if it is no message."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


class Packer:
    """The sensor's end."""

    def __init__(self) -> None:
        self._numbers: dict[Traits, int] = {}
        self._news: dict[int, list[Any]] = {}

    def pack(self, given: Iterable[Reading]) -> dict[str, Any]:
        """A message of readings. Raises ``SensorFailed`` for what is none."""
        self._news = {}
        packed = [self._packed(given, reading) for reading in given]
        return {"traits": [[number, values] for number, values in self._news.items()],
                "readings": packed}  # fmt: skip

    def _packed(self, given: object, reading: Reading) -> list[Any]:
        if isinstance(reading, Counter):
            domain, device, joules, traits, method = reading
            return ["counter", domain, device, joules, self._number(traits), method]
        if isinstance(reading, Power):
            domain, device, watts, traits, integrate = reading
            return ["power", domain, device, watts, self._number(traits), bool(integrate)]
        if isinstance(reading, Values):
            return ["values", reading.measurement, dict(reading.tags), dict(reading.fields)]
        if isinstance(reading, Lost):
            return ["lost", *reading]
        if isinstance(reading, LeftOut):
            return ["left out", *reading]
        raise SensorFailed(no_reading(given, reading))

    def _number(self, traits: Traits) -> int:
        number = self._numbers.get(traits)
        if number is None:
            if len(self._numbers) >= MOST_TRAITS:
                raise SensorFailed("its readings have ever new Traits; keep one for each device")
            number = self._numbers[traits] = len(self._numbers)
            self._news[number] = list(astuple(traits))
        return number


class Unpacker:
    """The exporter's end."""

    def __init__(self) -> None:
        self._traits: dict[int, Traits | SensorFailed] = {}
        """Those that cannot be as an error: they are sent once, and used in every read."""
        self._kinds: dict[str, Callable[..., Reading]] = {
            "counter": self._counter, "power": self._power, "values": _values,
            "lost": _lost, "left out": _left_out,
        }  # fmt: skip

    def unpack(self, message: Mapping[str, Any]) -> list[Reading]:
        """Raises ``SensorFailed`` for what no ``Packer`` packs, and for a value that cannot be."""
        try:
            for number, values in message["traits"]:
                self._traits[number] = _traits(values)
            return [self._kinds[kind](*parts) for kind, *parts in message["readings"]]
        except (LookupError, TypeError, ValueError) as error:
            raise SensorFailed(foreign.text(f"its readings cannot be read: {error!r}")) from error

    def _counter(
        self, domain: str, device: str, joules: float, traits: int, method: str
    ) -> Counter:
        return Counter(
            Domain(domain), foreign.name(device, "device"), foreign.value(joules, "joules"),
            self._known(traits), Method(method),
        )  # fmt: skip

    def _power(self, domain: str, device: str, watts: float, traits: int, integrate: bool) -> Power:
        return Power(
            Domain(domain), foreign.name(device, "device"), foreign.value(watts, "watts"),
            self._known(traits), integrate,
        )  # fmt: skip

    def _known(self, number: int) -> Traits:
        traits = self._traits[number]
        if isinstance(traits, SensorFailed):
            raise traits
        return traits


def _traits(values: Any) -> Traits | SensorFailed:
    try:
        return foreign.traits(values)
    except SensorFailed as error:
        return error


def _values(measurement: str, tags: Mapping[str, str], fields: Mapping[str, float]) -> Values:
    name = foreign.name(measurement, "a measurement")
    return Values(name, foreign.tags(tags), foreign.fields(fields))


def _lost(domain: str, device: str, reason: str) -> Lost:
    return Lost(Domain(domain), foreign.name(device, "device"), foreign.text(reason))


def _left_out(part: str, reason: str) -> LeftOut:
    return LeftOut(foreign.text(part), foreign.text(reason))
