"""What a full or damaged spool has cost: counted always, logged when it begins and ends."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

from wattmark_core.units import NS_PER_S

log = logging.getLogger(__name__)
OVER_RATIO: Final = 0.5
"""The episode is over when this much of the spool is free again."""


class LossLog:
    """Counts the samples lost since the start. Threads may share it."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._lock = Lock()
        self.lost = 0
        self._episode = 0
        self._oldest_ns = 0
        self._latest_ns = 0

    def add(self, count: int, oldest_ns: int, latest_ns: int) -> None:
        """``count`` samples of that time span had to go."""
        with self._lock:
            if not self._episode:
                log.error("spool %s is full (%d bytes): the oldest samples go, from %s on; bring"
                          " the store back or raise --spool-bytes",
                          self._folder, self._limit_bytes, _utc(oldest_ns))  # fmt: skip
                self._oldest_ns, self._latest_ns = oldest_ns, latest_ns
            self.lost += count
            self._episode += count
            self._oldest_ns = min(self._oldest_ns, oldest_ns)
            self._latest_ns = max(self._latest_ns, latest_ns)

    def damaged(self, segment: str, start: int, count: int) -> None:
        """What lies at byte ``start`` of a segment, or after it, cannot be read any more: ``count``
        samples, as far as it is known yet."""
        with self._lock:
            self.lost += count
        log.error("spool %s: segment %s is damaged from byte %d on; %d samples in it are lost, the"
                  " rest goes on; check the disk",
                  self._folder, segment, start, count)  # fmt: skip

    def recovered(self, waiting_bytes: int) -> None:
        """End the episode if ``waiting_bytes``, all that waits now, are few."""
        if self._episode and waiting_bytes < OVER_RATIO * self._limit_bytes:
            self.end_episode()

    def end_episode(self) -> None:
        """End the episode, if one has begun, and log what it has cost."""
        with self._lock:
            if self._episode:
                log.error("spool %s: %d samples from %s to %s were lost while it was full",
                          self._folder, self._episode, _utc(self._oldest_ns),
                          _utc(self._latest_ns))  # fmt: skip
            self._episode = 0


def _utc(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns / NS_PER_S, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{time_ns} ns"
