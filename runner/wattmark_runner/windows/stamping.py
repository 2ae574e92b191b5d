"""From two edges to a window in the exporter's time base."""

import uuid
from dataclasses import dataclass
from typing import Any, Self

from wattmark_core.results import Phase, Window
from wattmark_runner.windows.exporter_link import TimeBase, WindowEdge


@dataclass(frozen=True, slots=True)
class HostTimeBase:
    """A host and the time base that its exporter had when the first window opened."""

    host: str
    base: TimeBase

    @classmethod
    def of(cls, host: str, instance: str, offset_ns: int) -> Self:
        """That of an exporter's report or of a run's record."""
        return cls(host, TimeBase(instance, offset_ns))

    def window(
        self, phase: Phase, opening: WindowEdge, closing: WindowEdge, **facts: Any
    ) -> Window:
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
