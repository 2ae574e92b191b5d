"""One NVIDIA board at work: how to ask it, what it last said, and whether it is lost."""

from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.plausible import LEAST_GPU_WATTS
from wattmark_core.printable import printable
from wattmark_core.units import NS_PER_S
from wattmark_exporters.counter_check import FAR
from wattmark_exporters.readings import Counter, LeftOut, Lost, Power, Reading, Traits
from wattmark_exporters.sensors.nvml import fields as nvml_fields
from wattmark_exporters.sensors.nvml.fields import Access, NvmlReading
from wattmark_exporters.sensors.nvml.trust import CounterTrust
from wattmark_exporters.sensors.nvml.values import Throttle

_RETRY_NS: Final = NS_PER_S
"""How often a lost board is tried: each try may take the driver some ms."""
_BAD_READS: Final = 50
"""This many reads in a row without a value are a failure: 5 s at the usual interval."""


@dataclass(slots=True)
class Board:
    """``key``: its UUID as the driver has it, ``uuid``: for people. ``lost``: why it cannot be
    read, empty while it can. ``slow_ns``, ``reasons_ns``: when its slow values and its clock-event
    reasons are due."""

    index: int
    key: bytes
    handle: object
    access: Access
    traits: Traits = field(default_factory=Traits)
    throttle: Throttle = field(default_factory=Throttle)
    lost: str = ""
    slow_ns: int = 0
    reasons_ns: int = 0
    uuid: str = ""
    _bad_reads: int = 0
    _retry_ns: int = 0
    _joules: float | None = None
    _trust: CounterTrust = field(default_factory=CounterTrust)
    _gave_way: bool = False
    """Did its counter give way to power once?"""

    def __post_init__(self) -> None:
        self.uuid = printable(self.key)

    def read(self, nvml: ModuleType, now_ns: int) -> list[Reading]:
        """Energy and power; nothing for a bad read, ``Lost`` once the board is gone. Never
        raises."""
        if self.lost and now_ns < self._retry_ns:
            return [self._loss()]
        try:
            if self.lost:
                self.handle = nvml.nvmlDeviceGetHandleByUUID(self.key)
            reading = nvml_fields.read(nvml, self.handle, self.access, self.traits.limit_watts)
        except Exception as error:  # noqa: BLE001 - the other boards go on
            code = getattr(error, "value", 0)
            return self._bad(nvml_fields.words(error), now_ns, gone=code in nvml_fields.LOSS)
        if (reading.joules if self.access.counts else reading.watts) is None:
            gone = reading.code in nvml_fields.LOSS
            return self._bad(_why(nvml, reading), now_ns, gone=gone)
        self._bad_reads, self.lost = 0, ""
        readings: list[Reading] = []
        if reading.joules is not None:
            self._joules = reading.joules
            self._trust.counter(reading.joules, now_ns)
            readings.append(Counter(Domain.GPU, self.uuid, reading.joules, self.traits))
        if reading.watts is not None:
            self._trust.power(reading.watts, now_ns)
            integrate = not self.access.counts
            readings.append(
                Power(Domain.GPU, self.uuid, reading.watts, self.traits, integrate=integrate)
            )
        elif reading.odd_watts is not None:
            most = nvml_fields.bound_watts(self.traits.limit_watts)
            reason = (
                f"it reads {reading.odd_watts:g} W, and such a board draws"
                f" {LEAST_GPU_WATTS:g} to {most:g} W"
            )
            readings.append(LeftOut(f"power of GPU {self.index} ({self.uuid})", reason))
        return readings

    def better_access(self, nvml: ModuleType, now_ns: int) -> Access | None:
        """Another way to ask it, by what it has given so far; None if the present one is right.

        Not its counter, if that rose by far less than the integral of its power; its counter, if
        that has moved since it was last looked at, and once it gave way only if the two agree.
        """
        if self.lost:
            return None
        access = nvml_fields.find_access(nvml, self.handle)
        if self.access.counts:
            ratio = None if self._joules is None else self._trust.ratio(self._joules, now_ns)
            if ratio is None or ratio * FAR >= 1 or not access.has_power:
                return None
            self._gave_way = True
            return access.without_counter()
        joules = nvml_fields.read(nvml, self.handle, access, None).joules if access.counts else None
        before, self._joules = self._joules, joules
        if not joules or joules == before:
            return None
        if not self._gave_way:
            return access
        ratio = self._trust.ratio(joules, now_ns)
        return access if ratio is not None and 1 <= ratio * FAR <= FAR**2 else None

    def _bad(self, why: str, now_ns: int, *, gone: bool) -> list[Reading]:
        self._bad_reads += 1
        if not (self.lost or gone or self._bad_reads >= _BAD_READS):
            return []
        self.lost = why
        self._retry_ns = now_ns + _RETRY_NS
        return [self._loss()]

    def _loss(self) -> Lost:
        return Lost(Domain.GPU, self.uuid, self.lost)


def find(nvml: ModuleType, index: int) -> Board | LeftOut:
    """The board at ``index``, or why it gives neither energy nor power. Never raises."""
    part = f"GPU {index}"
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        key = nvml_fields.name(nvml, "nvmlDeviceGetUUID", handle)
        access = nvml_fields.find_access(nvml, handle)
    except Exception as error:  # noqa: BLE001 - the other boards are there
        return LeftOut(part, nvml_fields.words(error))
    if not key.strip():
        return LeftOut(part, "it has no UUID")
    if not (access.counts or access.has_power):
        return LeftOut(part, f"{printable(key)} gives neither energy nor power")
    return Board(index, key, handle, access)


def _why(nvml: ModuleType, reading: NvmlReading) -> str:
    if reading.code:
        return nvml_fields.words(nvml.NVMLError(reading.code))
    if reading.odd_watts is not None:
        return f"its values make no sense: power reads {reading.odd_watts:g} W"
    return "its values make no sense"
