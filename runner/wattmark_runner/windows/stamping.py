"""From two edges to a window in the exporter's time base."""

import uuid
from dataclasses import dataclass
from typing import Any

from wattmark_core.exporter_api import TimeBase
from wattmark_core.results import Phase, Window
from wattmark_core.units import ns_to_seconds
from wattmark_runner.windows.exporter_link import OWN_CLOCK, WindowEdge
from wattmark_scoring.window_facts import WindowFacts


@dataclass(frozen=True, slots=True)
class WindowStamping:
    """A host and what its exporter added to CLOCK_BOOTTIME when the first window opened, ns.

    ``exporter`` False: there is none, this machine's own clock stamps.
    """

    host: str
    offset_ns: int
    exporter: bool = True

    def window(
        self, phase: Phase, opening: WindowEdge, closing: WindowEdge, **facts: Any
    ) -> Window:
        """The window between two edges. ``facts`` are further fields of ``Window``.

        It is stamped in the time base that held when it opened. It is incomplete if that one did
        not hold to its end (for want of an answer, a restart, a step of the clock, a suspension),
        or was not the one that stamps.
        """
        first, last = opening.base(), closing.base()
        offset_ns = self.offset_ns if first is None else first.offset_ns
        return Window(
            window_id=uuid.uuid4().hex,
            host=self.host,
            phase=phase,
            start_ns=opening.time_ns + offset_ns,
            end_ns=closing.time_ns + offset_ns,
            complete=first is not None and first == last and self._stamps(first),
            **facts,
        )

    def _stamps(self, base: TimeBase) -> bool:
        return base.instance.startswith(OWN_CLOCK) is not self.exporter


def clock_facts(opening: WindowEdge, closing: WindowEdge) -> WindowFacts:
    """Whether a clock jumped between two edges."""
    first, last = opening.offsets(), closing.offsets()
    if first is None or last is None:
        return WindowFacts()
    return WindowFacts(
        clock_step_seconds=ns_to_seconds(last.wall_ns - first.wall_ns),
        suspended_seconds=ns_to_seconds(last.asleep_ns - first.asleep_ns),
    )
