"""What of a sensor's input cannot be read: told once by name, and counted."""

import logging
from dataclasses import dataclass
from typing import Final

from wattmark_core.printable import printable
from wattmark_exporters.readings import LeftOut

log = logging.getLogger(__name__)

MOST_PARTS: Final = 200
"""That are told apart; further ones are counted only."""
SHOWN_PARTS: Final = 3
_SHOWN_CHARACTERS: Final = 100


@dataclass(slots=True)
class _Part:
    reason: str
    read: int


class LeftOutParts:
    """Of one sensor. ``count``: how often a part was left out."""

    def __init__(self, sensor: str) -> None:
        self.count = 0
        self._sensor = sensor
        self._parts: dict[str, _Part] = {}

    def add(self, reading: LeftOut, read: int) -> None:
        """``read``: the number of the read that left it out."""
        self.count += 1
        part = printable(reading.part)[:_SHOWN_CHARACTERS]
        known = self._parts.get(part)
        if known is not None:
            known.read = read
            return
        if len(self._parts) >= MOST_PARTS:
            return
        reason = printable(reading.reason)
        self._parts[part] = _Part(reason, read)
        log.warning("sensor %s: %s is left out: %s", self._sensor, part, reason)

    def note(self, read: int) -> str:
        """Which parts the last reads, up to number ``read``, left out; empty if none."""
        parts = [
            f"{name} ({part.reason})" for name, part in self._parts.items() if part.read >= read - 1
        ]
        if not parts:
            return ""
        more = f" and {len(parts) - SHOWN_PARTS} more" if len(parts) > SHOWN_PARTS else ""
        return f"left out: {', '.join(parts[:SHOWN_PARTS])}{more}"
