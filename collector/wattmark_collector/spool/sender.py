"""The thread that brings the spool's samples into the store, in order."""

import logging
import random
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from wattmark_collector.health import Health
from wattmark_collector.spool.reader import Waiting
from wattmark_collector.spool.refused import Refused
from wattmark_collector.spool.spool import Spool
from wattmark_core.errors import LineFormatError, StoreError, StoreUnavailable
from wattmark_core.sample import AnySample, Sample
from wattmark_core.series_lines import LineReader

log = logging.getLogger(__name__)
MOST_LINES: Final = 5000
GATHER_SECONDS: Final = 0.2
"""After a small batch: many exporters' batches go in one request."""
IDLE_SECONDS: Final = 1.0
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 30.0
PARTING_SECONDS: Final = 3.0


class Sender(Thread):
    """Sends until ``stop``. ``write`` puts samples into the store. ``probe`` makes a sample that no
    store refuses: a store that refuses it too, for a wrong password perhaps, is waited for, and one
    that takes it refuses these samples for good. ``upkeep`` is called between batches.
    """

    def __init__(
        self, spool: Spool, refused: Refused, health: Health,
        write: Callable[[list[AnySample]], object], probe: Callable[[], Sample],
        upkeep: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(name="sender", daemon=True)
        self._spool = spool
        self._refused = refused
        self._health = health
        self._write = write
        self._probe = probe
        self._upkeep = upkeep
        self._lines = LineReader()
        self._stopping = Event()
        self._deadline = float("inf")
        self.away: str | None = None
        """Why the store takes nothing; None while it does."""

    def run(self) -> None:
        """Send what waits until ``stop``, then what can be sent in the time left."""
        while time.monotonic() < self._deadline:
            stopping = self._stopping.is_set()
            waiting = self._spool.next(MOST_LINES, 0 if stopping else IDLE_SECONDS)
            if waiting is not None and not self._deliver(waiting):
                self._spool.give_back(waiting)
                return
            if not stopping:
                self._upkeep()
            elif waiting is None:
                return

    def stop(self) -> None:
        """One last try, for a few seconds."""
        self._deadline = time.monotonic() + PARTING_SECONDS
        self._stopping.set()
        self._spool.wake()

    def _deliver(self, waiting: Waiting) -> bool:
        """Try until it is in the store; False if it is not and the sender is to end."""
        samples = self._decode(waiting)
        delay_seconds = FIRST_RETRY_SECONDS
        while True:
            last = self._stopping.is_set()
            try:
                taken = self._send(samples)
            except StoreUnavailable as error:
                self._is_away(error)
                if last:
                    return False
                # Full jitter: collectors that lost the same store do not come back together.
                jitter_seconds = random.uniform(0, delay_seconds)  # noqa: S311 - no secret
                self._stopping.wait((error.wait_seconds or 0.0) + jitter_seconds)
                delay_seconds = min(2 * delay_seconds, LAST_RETRY_SECONDS)
            else:
                self._is_back()
                self._sent(waiting, taken)
                return True

    def _sent(self, waiting: Waiting, taken: int) -> None:
        behind = self._spool.sent(waiting)
        self._health.written(taken)
        for record in waiting.records:
            if record.source and record.newest_ns is not None:
                self._health.stored(record.source, record.newest_ns)
        if waiting.count < MOST_LINES // 2 and not behind:
            self._stopping.wait(GATHER_SECONDS)

    def _decode(self, waiting: Waiting) -> list[AnySample]:
        samples: list[AnySample] = []
        read = self._lines.read
        for record in waiting.records:
            for line in record.lines:
                try:
                    samples.append(read(line))
                except LineFormatError as error:  # an integer of over 64 bits
                    self._refused.unreadable(line, error)
        return samples

    def _send(self, samples: list[AnySample]) -> int:
        """Into the store; how many it took. Raises ``StoreUnavailable`` if it takes none now."""
        try:
            self._put(samples)
        except StoreUnavailable:
            raise
        except StoreError as error:
            self._check_store(error)
            self._health.write_failed()
            return len(samples) - self._refused.sort_out(samples, self._put)
        return len(samples)

    def _put(self, samples: list[AnySample]) -> None:
        try:
            self._write(samples)
        except StoreError:
            raise
        except Exception as error:  # whatever it is, it must end no sender
            raise StoreError(f"the store failed: {type(error).__name__}: {error}") from error

    def _check_store(self, refusal: StoreError) -> None:
        try:
            self._put([self._probe()])
        except StoreError as error:
            unavailable = StoreUnavailable(str(refusal))
            if isinstance(error, StoreUnavailable):
                unavailable.wait_seconds = error.wait_seconds
            raise unavailable from error

    def _is_away(self, error: StoreUnavailable) -> None:
        self._health.write_failed()
        before, self.away = self.away, str(error)
        if before is None:
            log.error("%s; samples wait in spool %s", error, self._spool.folder)

    def _is_back(self) -> None:
        if self.away is not None:
            log.info("the store takes samples again; %d bytes wait", self._spool.waiting_bytes)
        self.away = None
