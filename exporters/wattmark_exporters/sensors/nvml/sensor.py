"""NVIDIA boards through NVML: the energy counter, instant power, and what slows a board down.

Whole boards, by UUID. nvidia-ml-py is imported at start, and only where the driver's library is:
a host without GPU does not pay for its memory.
"""

import ctypes
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from types import ModuleType
from typing import Final

from wattmark_core.clock import SystemClock
from wattmark_core.errors import SensorFailed
from wattmark_core.units import NS_PER_S, ns_to_seconds
from wattmark_exporters.readings import Reading, Sensor, Values
from wattmark_exporters.sensors.nvml import absent as nvml_absent
from wattmark_exporters.sensors.nvml import board as nvml_board
from wattmark_exporters.sensors.nvml import fields as nvml_fields
from wattmark_exporters.sensors.nvml.device import Board, find
from wattmark_exporters.sensors.nvml.values import slow_values

_LIBRARY: Final = "libnvidia-ml.so.1"
_PROBE_NS: Final = 1_500_000_000
_LOOK_SECONDS: Final = 0.001
_ENOUGH_TICKS: Final = 13
_LEAST_TICKS: Final = 4
_INTEGRATED_SECONDS: Final = 0.05
"""Power is integrated from 20 readings a second or more."""
_SLOW_NS: Final = NS_PER_S
_REASONS_NS: Final = NS_PER_S // 10


class Nvml(Sensor):
    """Every board that NVML lists and that gives its energy or its power."""

    name = "nvml"
    measures = "NVIDIA GPUs: energy, power, state"
    needs = "the NVIDIA driver"
    order = 20
    interval_seconds = 0.1

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._nvml: ModuleType | None = None
        self._boards: list[Board] = []

    def start(self) -> None:
        """Find the boards and measure their update periods, in up to 1.5 s. Raises
        ``SensorAbsent``."""
        nvml = _load()
        self._nvml = nvml
        try:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            raise nvml_absent.of_error(error) from error
        boards = [board for index in range(count) if (board := find(nvml, index)) is not None]
        if not boards:
            raise nvml_absent.no_board(count)
        periods = self._periods(nvml, boards)
        for board, period_seconds in zip(boards, periods, strict=True):
            board.traits = nvml_board.describe(nvml, board.handle, board.access, period_seconds)
        self._boards = boards
        if not all(board.access.counts for board in boards):
            self.interval_seconds = _INTEGRATED_SECONDS

    def take(self) -> Iterable[Reading]:
        """As ``read``: its readings are new ones each time, and may wait."""
        return self.read()

    def read(self) -> Iterable[Reading]:
        """Energy and power of all boards; of one board a second's slow values. Raises
        ``SensorFailed`` when all boards are lost."""
        nvml = self._nvml
        if nvml is None:
            raise SensorFailed("nvml was not started")
        now_ns = self._clock.boottime_ns()
        readings: list[Reading] = []
        for board in self._boards:
            readings.extend(board.read(nvml, now_ns))
        if all(board.lost for board in self._boards):
            raise SensorFailed(f"no GPU can be read any more: {self._boards[0].lost}")
        readings.extend(self._slow(nvml, now_ns))
        return readings

    def close(self) -> None:
        """Let go of the driver."""
        nvml, self._nvml = self._nvml, None
        if nvml is not None:
            nvml_fields.query(nvml, nvml.nvmlShutdown)
        self._boards = []

    def _slow(self, nvml: ModuleType, now_ns: int) -> Iterable[Reading]:
        """One board's at a time, so that its calls hardly delay the read they are part of."""
        for board in self._boards:
            if not board.lost and now_ns >= board.reasons_ns:
                board.reasons_ns = now_ns + _REASONS_NS
                board.throttle.look(nvml, board.handle, now_ns)
        due = [b for b in self._boards if not b.lost and now_ns >= b.slow_ns]
        if not due:
            return []
        board = min(due, key=lambda board: board.slow_ns)
        board.slow_ns = now_ns + _SLOW_NS
        limit_watts = nvml_board.limit_watts(nvml, board.handle)
        if limit_watts is not None and limit_watts != board.traits.limit_watts:
            board.traits = replace(board.traits, limit_watts=limit_watts)
        fields = slow_values(nvml, board.handle)
        for reason, seconds in board.throttle.seconds.items():
            fields[f"throttled_{reason}_seconds"] = seconds
        tags = {"device": board.uuid, "gpu": str(board.index), "model": board.traits.label}
        return [Values("gpu", tags, fields)]

    def _periods(self, nvml: ModuleType, boards: Sequence[Board]) -> list[float | None]:
        """T of every board: the median time between two values, looking about every ms."""
        ticks: list[list[int]] = [[] for _ in boards]
        last: list[float | None] = [None for _ in boards]
        start_ns = now_ns = self._clock.boottime_ns()
        while now_ns - start_ns < _PROBE_NS and min(map(len, ticks)) < _ENOUGH_TICKS:
            for number, board in enumerate(boards):
                value = _probe(nvml, board)
                now_ns = self._clock.boottime_ns()
                if value is None or value == last[number]:
                    continue
                if last[number] is not None:
                    ticks[number].append(now_ns)
                last[number] = value
            self._clock.sleep(_LOOK_SECONDS)
        return [_median_seconds(times) for times in ticks]


def _load() -> ModuleType:
    """The Python binding. Raises ``SensorAbsent`` without the driver's library."""
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise nvml_absent.no_library() from error
    try:
        return importlib.import_module("pynvml")
    except ImportError as error:
        raise nvml_absent.no_binding() from error


def _probe(nvml: ModuleType, board: Board) -> float | None:
    try:
        reading = nvml_fields.read(nvml, board.handle, board.access, None)
    except nvml.NVMLError:
        return None
    return reading.joules if board.access.counts else reading.watts


def _median_seconds(ticks: Sequence[int]) -> float | None:
    if len(ticks) < _LEAST_TICKS:
        return None
    return ns_to_seconds(round(median(b - a for a, b in pairwise(ticks))))
