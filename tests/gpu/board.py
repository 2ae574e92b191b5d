"""One board through NVML, read as often as it can be."""

import ctypes
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, NamedTuple

from wattmark_exporters.sensors.nvml import board as nvml_board
from wattmark_exporters.sensors.nvml import fields as nvml_fields
from wattmark_exporters.sensors.nvml.fields import Access, query

_LOOK_SECONDS: Final = 0.001


class NoGpu(Exception):
    """There is none, or it cannot be asked."""


class Look(NamedTuple):
    """One read: seconds of ``time.monotonic``; energy and power as far as they are given."""

    seconds: float
    joules: float | None
    watts: float | None


@dataclass(frozen=True)
class GpuBoard:
    """A board and how it is asked."""

    nvml: ModuleType
    handle: object
    access: Access
    index: int
    uuid: str

    def read(self) -> Look:
        """Energy and power now. Raises ``NVMLError``."""
        before = time.monotonic()
        reading = nvml_fields.read(self.nvml, self.handle, self.access, None)
        return Look((before + time.monotonic()) / 2, reading.joules, reading.watts)

    def watch(self, seconds: float) -> list[Look]:
        """Reads about every ms."""
        looks, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            looks.append(self.read())
            time.sleep(_LOOK_SECONDS)
        return looks

    def about(self) -> dict[str, Any]:
        """What is known of it without a measurement."""
        traits = nvml_board.describe(self.nvml, self.handle, self.access, None)
        driver = query(self.nvml, self.nvml.nvmlSystemGetDriverVersion)
        return {
            "name": nvml_board.model(self.nvml, self.handle), "driver": driver,
            "architecture": query(self.nvml, self.nvml.nvmlDeviceGetArchitecture, self.handle),
            "energy": self.access.counts, "instant_power": self.access.instant,
            "limit_watts": traits.limit_watts, "assumed_coverage_ratio": traits.coverage_ratio,
            "assumed_averaging_seconds": traits.averaging_seconds,
        }  # fmt: skip


def open_board(index: int) -> GpuBoard:
    """Raises ``NoGpu`` with the reason."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError as error:
        raise NoGpu("libnvidia-ml.so.1 of the driver cannot be loaded") from error
    try:
        import pynvml
    except ImportError as error:
        raise NoGpu("pip install nvidia-ml-py") from error
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        uuid = str(pynvml.nvmlDeviceGetUUID(handle))
    except pynvml.NVMLError as error:
        raise NoGpu(f"board {index}: {error}") from error
    access = nvml_fields.find_access(pynvml, handle)
    if not (access.counts or access.has_power):
        raise NoGpu(f"board {index} gives neither energy nor power")
    return GpuBoard(pynvml, handle, access, index, uuid)
