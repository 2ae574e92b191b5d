"""What of a target is left out while the rest is taken: counted each time, told once by name."""

import logging
from typing import Final

log = logging.getLogger(__name__)
MOST_NAMES: Final = 100
"""Of one target; a page that makes up names fills no log."""


class LeftOut:
    """One target's. ``count`` since the start."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._told: set[str] = set()
        self.count = 0

    def add(self, name: str, message: str, count: int = 1) -> None:
        """``count`` values are left out. ``message``, of one line, is logged when ``name`` is left
        out for the first time."""
        self.count += count
        if name in self._told or len(self._told) > MOST_NAMES:
            return
        self._told.add(name)
        if len(self._told) > MOST_NAMES:
            message = f"over {MOST_NAMES} different parts are left out; further ones are counted"
        log.warning("target %s: %s", self._url, message)
