"""Ranges and ticks of axes, by the rules of Grafana's charts (uPlot)."""

import math
from datetime import UTC, datetime
from typing import Final

from tools.pictures.library import Span

PAD: Final = 0.1
LETTER_PX: Final = 6.7
"""Of 12 px type, on average."""
BINARY: Final = frozenset({"bytes", "bits", "kbytes", "mbytes", "gbytes", "binBps", "binbps"})
_SECOND: Final = 1000
_STEPS_MS: Final = (
    *(n * _SECOND for n in (1, 5, 10, 15, 30)),
    *(n * 60 * _SECOND for n in (1, 5, 10, 15, 30)),
    *(n * 3600 * _SECOND for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * 86_400 * _SECOND for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 60, 90, 180, 365)),
)


def padded(
    low: float, high: float, least: float | None = None, most: float | None = None,
    soft_least: float | None = None, soft_most: float | None = None,
) -> tuple[float, float]:  # fmt: skip
    """The ends of an axis for values from ``low`` to ``high``: a tenth more at both, from 0 where
    that is near, and at the hard ends ``least`` and ``most`` where they are set."""
    delta = high - low
    if delta <= max(abs(low), abs(high)) * 1e-10:
        delta = 0.0
    size = delta or max(abs(low), abs(high)) or 1000.0
    grain = 10.0 ** (math.floor(math.log10(size)) - 1)
    below = size * (PAD if delta or low == 0 else 1.0)
    above = size * (PAD if delta or high == 0 else 1.0)
    bottom = math.floor((low - below) / grain + 1e-9) * grain
    top = math.ceil((high + above) / grain - 1e-9) * grain
    if low >= 0 > bottom or (low == 0 and delta == 0):
        bottom = 0.0
    if high <= 0 < top:
        top = 0.0
    if soft_least is not None and low >= soft_least:
        bottom = soft_least
    if soft_most is not None and high <= soft_most:
        top = soft_most
    if low == 0 and high == 0:
        top = 100.0
    bottom = bottom if least is None else least
    top = top if most is None else most
    return bottom, top if top > bottom else bottom + 1.0


def ticks(low: float, high: float, pixels: float, *, unit: str = "") -> tuple[list[float], float]:
    """Round values from ``low`` to ``high`` and the step between them, at most one in 30 px."""
    space = 15 if pixels <= 150 else 30
    least = (high - low) / max(pixels, 1) * space
    if unit in BINARY:
        step = 2.0 ** math.ceil(math.log2(least))
    else:
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= least * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)], step


def decimals(step: float) -> int:
    """How many decimals the step between two ticks has."""
    text = f"{round(step, 6):.6f}".rstrip("0")
    return len(text.partition(".")[2])


def powers(low: float, high: float) -> tuple[float, float, list[float]]:
    """The ends of a logarithmic axis, and its ticks: powers of ten."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    return 10.0**first, 10.0**last, [10.0**n for n in range(first, last + 1)]


def log_share(value: float, low: float, high: float) -> float:
    """Where a value lies between the ends of a logarithmic axis; far below it where it has no
    logarithm."""
    if value <= 0:
        return -10.0
    return math.log(value / low) / math.log(high / low)


def times(span: Span, pixels: float) -> list[tuple[int, str]]:
    """Round times and what stands at them, in UTC."""
    range_ms = max(span.end_ms - span.start_ms, 1)
    for step in _STEPS_MS:
        width = len(_clock(span.start_ms, step, range_ms)) * LETTER_PX + 18
        if step / range_ms * pixels >= width:
            break
    first = -(-span.start_ms // step) * step
    return [(at, _clock(at, step, range_ms)) for at in range(first, span.end_ms + 1, step)]


def _clock(at_ms: int, step_ms: int, range_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    if step_ms < _SECOND:
        return at.strftime("%H:%M:%S.%f")[:-3]
    if step_ms < 60 * _SECOND:
        return at.strftime("%H:%M:%S")
    if range_ms <= 86_400 * _SECOND:
        return at.strftime("%H:%M")
    if step_ms < 86_400 * _SECOND:
        return at.strftime("%m/%d %H:%M")
    return at.strftime("%m/%d" if range_ms < 365 * 86_400 * _SECOND else "%Y-%m")
