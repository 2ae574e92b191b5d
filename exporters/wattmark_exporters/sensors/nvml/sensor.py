"""NVIDIA boards through NVML: the energy counter, instant power, and what slows a board down.

Whole boards, by UUID. nvidia-ml-py is imported at start, and only where the driver's library is:
a host without GPU does not pay for its memory.
"""

import ctypes
import importlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from statistics import median
from types import ModuleType
from typing import Final

from wattmark_core.clock import Clock, SystemClock
from wattmark_core.errors import SensorFailed
from wattmark_core.units import NS_PER_S, ns_to_seconds
from wattmark_exporters.readings import LeftOut, Reading, Sensor, Values
from wattmark_exporters.sensors.nvml import absent as nvml_absent
from wattmark_exporters.sensors.nvml import board as nvml_board
from wattmark_exporters.sensors.nvml import fields as nvml_fields
from wattmark_exporters.sensors.nvml.device import Board, find
from wattmark_exporters.sensors.nvml.values import slow_values

log = logging.getLogger(__name__)
_LIBRARY: Final = "libnvidia-ml.so.1"
_PROBE_NS: Final = 1_500_000_000
_SHORT_PROBE_NS: Final = 800_000_000
"""While other boards are at work: no gap in which power is not integrated."""
_LOOK_SECONDS: Final = 0.001
_ENOUGH_TICKS: Final = 13
_LEAST_TICKS: Final = 4
_INTERVAL_SECONDS: Final = 0.1
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
    interval_seconds = _INTERVAL_SECONDS

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._nvml: ModuleType | None = None
        self._boards: list[Board] = []
        self._left_out: list[LeftOut] = []

    def start(self) -> None:
        """Find the boards and measure their update periods, in up to 1.5 s. Raises
        ``SensorAbsent``."""
        nvml = _load()
        self._nvml = nvml
        try:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
        except Exception as error:
            self.close()
            raise nvml_absent.of_error(error) from error
        boards, self._left_out = _find_all(nvml, count)
        if not boards:
            self.close()
            raise nvml_absent.no_board(count)
        periods = self._periods(nvml, boards, _PROBE_NS)
        for board, period_seconds in zip(boards, periods, strict=True):
            board.traits = nvml_board.describe(nvml, board.handle, board.access, period_seconds)
        self._take_on(boards)

    def rescan(self) -> None:
        """Boards that came, and for those that are there the way to ask them that has given
        something: their counter or, where that stands still, their power."""
        nvml = self._nvml
        count = None if nvml is None else nvml_fields.query(nvml, "nvmlDeviceGetCount")
        if nvml is None or count is None:  # then the boards are lost, and reads say so
            return
        found, left_out = _find_all(nvml, count)
        known = {board.key: board for board in self._boards}
        changes = [board for board in found if board.key not in known]
        for board in found:
            if (old := known.get(board.key)) is not None:
                old.index = board.index
        own = {f"GPU {board.index}" for board in self._boards}  # of a lost one its reads tell
        self._left_out = [left for left in left_out if left.part not in own]
        now_ns = self._clock.boottime_ns()
        for board in self._boards:
            try:
                access = board.better_access(nvml, now_ns)
            except Exception as error:  # noqa: BLE001 - it stays as it is
                log.info("GPU %d is not looked at again: %s", board.index, nvml_fields.words(error))
            else:
                changes += [] if access is None else [replace(board, access=access)]
        if changes:
            self._take_on(self._measured(nvml, changes))

    def note(self) -> str:
        """Which boards are left out, and why."""
        if not self._left_out:
            return ""
        listed = len(self._boards) + len(self._left_out)
        reasons = "; ".join(f"{left.part}: {left.reason}" for left in self._left_out)
        return f"{len(self._boards)} of {listed} GPUs: {reasons}"

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
        readings.extend(self._left_out)
        return readings

    def close(self) -> None:
        """Let go of the driver."""
        nvml, self._nvml = self._nvml, None
        if nvml is not None:
            nvml_fields.query(nvml, "nvmlShutdown")
        self._boards, self._left_out = [], []

    def _take_on(self, boards: Sequence[Board]) -> None:
        """Have these from now on, in the place of those that they are."""
        keys = {board.key for board in boards}
        kept = [board for board in self._boards if board.key not in keys]
        self._boards = sorted([*kept, *boards], key=lambda board: board.index)
        counts = all(board.access.counts for board in self._boards)
        self.interval_seconds = _INTERVAL_SECONDS if counts else _INTEGRATED_SECONDS

    def _measured(self, nvml: ModuleType, boards: Sequence[Board]) -> list[Board]:
        """The boards with what is known of them; not those whose counter does not move after
        all."""
        measured, known = [], {board.key for board in self._boards}
        for board, period in zip(boards, self._periods(nvml, boards, _SHORT_PROBE_NS), strict=True):
            if period is None and board.access.counts and board.key in known:
                continue
            board.traits = nvml_board.describe(nvml, board.handle, board.access, period)
            measured.append(board)
        return measured

    def _slow(self, nvml: ModuleType, now_ns: int) -> Iterable[Reading]:
        """One board's at a time, so that its calls hardly delay the read they are part of."""
        sound = [board for board in self._boards if not board.lost]
        readings: list[Reading] = []
        for board in sound:
            if now_ns >= board.reasons_ns:
                board.reasons_ns = now_ns + _REASONS_NS
                with _bounded(board, readings):
                    board.throttle.look(nvml, board.handle, now_ns)
        due = [board for board in sound if now_ns >= board.slow_ns]
        if due:
            board = min(due, key=lambda board: board.slow_ns)
            board.slow_ns = now_ns + _SLOW_NS
            with _bounded(board, readings):
                readings.append(_slow_reading(nvml, board))
        return readings

    def _periods(
        self, nvml: ModuleType, boards: Sequence[Board], longest_ns: int
    ) -> list[float | None]:
        """T of every board: the median time between two values, looking about every ms."""
        ticks: list[list[int]] = [[] for _ in boards]
        last: list[float | None] = [None for _ in boards]
        start_ns = now_ns = self._clock.boottime_ns()
        while now_ns - start_ns < longest_ns and min(map(len, ticks)) < _ENOUGH_TICKS:
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


@contextmanager
def _bounded(board: Board, readings: list[Reading]) -> Iterator[None]:
    """What fails for one board is left out, and takes no other with it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a driver makes of it
        readings.append(LeftOut(f"values of GPU {board.index}", nvml_fields.words(error)))


def _slow_reading(nvml: ModuleType, board: Board) -> Values:
    limit_watts = nvml_board.limit_watts(nvml, board.handle)
    if limit_watts is not None and limit_watts != board.traits.limit_watts:
        board.traits = replace(board.traits, limit_watts=limit_watts)
    fields = slow_values(nvml, board.handle)
    for reason, seconds in board.throttle.seconds.items():
        fields[f"throttled_{reason}_seconds"] = seconds
    tags = {"device": board.uuid, "gpu": str(board.index), "model": board.traits.label}
    return Values("gpu", tags, fields)


def _find_all(nvml: ModuleType, count: int) -> tuple[list[Board], list[LeftOut]]:
    """The boards that can be read, each UUID once, and the others."""
    boards: dict[bytes, Board] = {}
    left_out: list[LeftOut] = []
    for index in range(count):
        found = find(nvml, index)
        if isinstance(found, LeftOut):
            left_out.append(found)
        elif found.key in boards:
            other = boards[found.key].index
            left_out.append(LeftOut(f"GPU {index}", f"it has the UUID of GPU {other}"))
        else:
            boards[found.key] = found
    return list(boards.values()), left_out


def _probe(nvml: ModuleType, board: Board) -> float | None:
    try:
        reading = nvml_fields.read(nvml, board.handle, board.access, None)
    except Exception:  # noqa: BLE001 - of one board; the others are looked at
        return None
    return reading.joules if board.access.counts else reading.watts


def _median_seconds(ticks: Sequence[int]) -> float | None:
    if len(ticks) < _LEAST_TICKS:
        return None
    return ns_to_seconds(round(median(b - a for a, b in pairwise(ticks))))
