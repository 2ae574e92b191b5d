"""How long a CPU quota held the worker back, window by window: kept among a run's constants."""

from collections.abc import Mapping

from wattmark_core.results import Phase, Window
from wattmark_runner.records.model import RunRecord
from wattmark_runner.worker.protocol import CPU_QUOTA
from wattmark_scoring.measured import HeldBack


def added(
    constants: Mapping[str, float], phase: str, repeat: int, seconds: float | None
) -> dict[str, float]:
    """A run's constants with one more of its windows; what is not known is left out."""
    if seconds is None:
        return dict(constants)
    return {**constants, _name(phase, repeat): seconds}


def held_back(record: RunRecord, window: Window) -> HeldBack | None:
    """Of a window that a worker made; None: it had no quota."""
    if CPU_QUOTA not in record.environment or window.phase is not Phase.INFERENCE:
        return None
    return HeldBack(record.constants.get(_name(window.phase, window.repeat)))


def _name(phase: str, repeat: int) -> str:
    return f"throttled_seconds.{phase}.{repeat + 1}"
