"""From two edges to a window in the exporter's time base."""

import uuid
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Final

from wattmark_core.results import Phase, Window
from wattmark_runner.telemetry import Edge, TimeBase

ANSWER_SECONDS: Final = 30.0
"""Longer than the telemetry's own timeouts can add up to."""


@dataclass(frozen=True, slots=True)
class RawEdge:
    """An instant, raw CLOCK_BOOTTIME ns, and the answer to the sample that was forced at it."""

    time_ns: int
    answer: Edge

    def base(self) -> TimeBase | None:
        """The time base at this edge; None if no exporter answered. May wait for the answer."""
        try:
            return self.answer.result(ANSWER_SECONDS)
        except FutureTimeout:
            return None


@dataclass(frozen=True, slots=True)
class Frame:
    """The host and its time base when the first window opened."""

    host: str
    base: TimeBase

    def window(self, phase: Phase, opening: RawEdge, closing: RawEdge, **facts: Any) -> Window:
        """The window between two edges. ``facts`` are further fields of ``Window``.

        It is stamped in the time base that held when it opened. It is incomplete if that one did
        not hold to its end, or if the exporter did not answer at an edge.
        """
        first, last = opening.base(), closing.base()
        offset_ns = (first or self.base).offset_ns
        return Window(
            window_id=uuid.uuid4().hex,
            host=self.host,
            phase=phase,
            start_ns=opening.time_ns + offset_ns,
            end_ns=closing.time_ns + offset_ns,
            complete=first is not None and first == last,
            **facts,
        )
