"""How the collector and its targets are: one object that pollers, sender and server share."""

import time
from dataclasses import dataclass
from threading import Lock

from wattmark_core.units import ns_to_seconds


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """The result of a target's last poll. ``clock_offset_seconds``: its wall clock less ours;
    None where that is unknown."""

    host: str
    up: bool
    scrape_seconds: float
    dropped: int
    lost: int
    clock_offset_seconds: float | None = None


def target_fields(target: TargetHealth, lag_seconds: float | None) -> dict[str, float | int]:
    """Fields of the measurement ``target``; what is not known is left out."""
    fields: dict[str, float | int] = {
        "up": int(target.up),
        "scrape_duration_seconds": target.scrape_seconds,
        "dropped": target.dropped,
        "lost": target.lost,
    }
    if lag_seconds is not None:
        fields["lag_seconds"] = lag_seconds
    if target.clock_offset_seconds is not None:
        fields["clock_offset_seconds"] = target.clock_offset_seconds
    return fields


class Health:
    """The health of all targets; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._targets: dict[str, TargetHealth] = {}
        self._newest_ns: dict[str, int] = {}
        self._next_poll_seconds = time.monotonic()
        self._written = 0
        self._write_errors = 0

    def polled(self, url: str, target: TargetHealth, interval_seconds: float) -> None:
        """A poll of the target has ended; the next is due after the interval."""
        with self._lock:
            self._targets[url] = target
            due_seconds = time.monotonic() + interval_seconds
            self._next_poll_seconds = max(self._next_poll_seconds, due_seconds)

    def forget(self, url: str) -> None:
        """The target is polled no more."""
        with self._lock:
            self._targets.pop(url, None)
            self._newest_ns.pop(url, None)

    def stored(self, url: str, newest_ns: int) -> None:
        """The target's samples up to ``newest_ns`` are in the store."""
        with self._lock:
            self._newest_ns[url] = max(newest_ns, self._newest_ns.get(url, newest_ns))

    def written(self, count: int) -> None:
        """The store took ``count`` samples."""
        with self._lock:
            self._written += count

    def write_failed(self) -> None:
        """A write did not succeed."""
        with self._lock:
            self._write_errors += 1

    def lag_seconds(self, url: str, now_ns: int) -> float | None:
        """Age of the target's newest sample in the store; None until one got there."""
        with self._lock:
            newest_ns = self._newest_ns.get(url)
        return None if newest_ns is None else ns_to_seconds(now_ns - newest_ns)

    def targets(self) -> dict[str, TargetHealth]:
        """The health of each target, by URL."""
        with self._lock:
            return dict(self._targets)

    @property
    def counts(self) -> dict[str, int]:
        """Fields of the measurement ``collector``."""
        with self._lock:
            return {"written": self._written, "write_errors": self._write_errors}

    @property
    def overdue_seconds(self) -> float:
        """How long every target's next poll has been overdue; 0 if one is not."""
        with self._lock:
            return max(0.0, time.monotonic() - self._next_poll_seconds)
