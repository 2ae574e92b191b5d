"""One NVIDIA board at work: how to ask it, what it last said, and whether it is lost."""

import logging
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.units import NS_PER_S
from wattmark_exporters.readings import Counter, Lost, Power, Reading, Traits
from wattmark_exporters.sensors.nvml import fields as nvml_fields
from wattmark_exporters.sensors.nvml.fields import Access
from wattmark_exporters.sensors.nvml.values import Throttle

log = logging.getLogger(__name__)
_RETRY_NS: Final = NS_PER_S
"""How often a lost board is tried: each try may take the driver some ms."""
_BAD_READS: Final = 50
"""This many reads in a row without a value are a failure: 5 s at the usual interval."""


@dataclass(slots=True)
class Board:
    """``lost``: why it cannot be read, empty while it can. ``slow_ns``, ``reasons_ns``: when its
    slow values and its clock-event reasons are due."""

    index: int
    uuid: str
    handle: object
    access: Access
    traits: Traits = field(default_factory=Traits)
    throttle: Throttle = field(default_factory=Throttle)
    lost: str = ""
    slow_ns: int = 0
    reasons_ns: int = 0
    _bad_reads: int = 0
    _retry_ns: int = 0

    def read(self, nvml: ModuleType, now_ns: int) -> list[Reading]:
        """Energy and power; nothing for a bad read, ``Lost`` once the board is gone."""
        if self.lost and now_ns < self._retry_ns:
            return [self._loss()]
        try:
            if self.lost:
                self.handle = nvml.nvmlDeviceGetHandleByUUID(self.uuid)
            reading = nvml_fields.read(nvml, self.handle, self.access, self.traits.limit_watts)
        except nvml.NVMLError as error:
            return self._bad(nvml, error.value, now_ns)
        if (reading.joules if self.access.counts else reading.watts) is None:
            return self._bad(nvml, reading.code, now_ns)
        self._bad_reads, self.lost = 0, ""
        readings: list[Reading] = []
        if reading.joules is not None:
            readings.append(Counter(Domain.GPU, self.uuid, reading.joules, self.traits))
        if reading.watts is not None:
            integrate = not self.access.counts
            readings.append(
                Power(Domain.GPU, self.uuid, reading.watts, self.traits, integrate=integrate)
            )
        return readings

    def _bad(self, nvml: ModuleType, code: int, now_ns: int) -> list[Reading]:
        self._bad_reads += 1
        if not (self.lost or code in nvml_fields.LOSS or self._bad_reads >= _BAD_READS):
            return []
        self.lost = str(nvml.NVMLError(code)) if code else "its values make no sense"
        self._retry_ns = now_ns + _RETRY_NS
        return [self._loss()]

    def _loss(self) -> Lost:
        return Lost(Domain.GPU, self.uuid, self.lost)


def find(nvml: ModuleType, index: int) -> Board | None:
    """The board at ``index``; None, and a line in the log, if it gives neither energy nor power."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid = str(nvml.nvmlDeviceGetUUID(handle))
    except nvml.NVMLError as error:
        log.warning("GPU %d is left out: %s", index, error)
        return None
    access = nvml_fields.find_access(nvml, handle)
    if not (access.counts or access.has_power):
        log.warning("GPU %d (%s) is left out: it gives neither energy nor power", index, uuid)
        return None
    return Board(index, uuid, handle, access)
