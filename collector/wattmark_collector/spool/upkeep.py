"""One-minute values and power of what was sent, then the end of the segments it came in."""

import logging
import time
from collections.abc import Iterator
from typing import Final

from wattmark_collector.spool.spool import Spool
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_store import Maintained, Store

log = logging.getLogger(__name__)
WHAT: Final = "one-minute values and power"
TURN_SECONDS: Final = 0.5
"""Sending waits at most this long, and for the step of the store that is under way."""


class SpoolUpkeep:
    """The sender does it between two batches, a turn at a time: a server that hangs then holds up
    no other thread, and long work does not hold up sending."""

    def __init__(self, spool: Spool, store: Store) -> None:
        self._spool = spool
        self._store = store
        self._due_ns: int | None = None
        self._work: Iterator[None] | None = None
        self._away = 0
        self._done_seconds = time.monotonic()
        self.failure: str | None = None
        """Why they cannot be made; None while they can."""

    @property
    def age_seconds(self) -> float:
        """How long ago they were last made of all that had been sent; or since the start."""
        return time.monotonic() - self._done_seconds

    def ask(self, now_ns: int) -> None:
        """Do it soon. Any thread."""
        self._due_ns = now_ns

    def do(self) -> None:
        """A turn of it, if it is due. A failure is logged when it begins; the work is tried again
        when it is asked for again."""
        if self._work is None:
            due_ns, self._due_ns = self._due_ns, None
            if due_ns is None:
                return
            self._work = self._make_minutes(due_ns)
        try:
            self._go_on(self._work)
        except StoreUnavailable as error:
            # If all of the store is away, the next batch finds out and logs it. If batches go
            # through, a database or a right is missing.
            self._away += 1
            if self._away > 1:
                self._log(error)
        except StoreError as error:
            self._log(error)
        except Exception as error:  # it must not end the sender
            log.exception("one-minute values and power cannot be made")
            self.failure = f"{WHAT}: {type(error).__name__}: {error}"

    def _go_on(self, work: Iterator[None]) -> None:
        self._work = None
        until = time.monotonic() + TURN_SECONDS
        for _ in work:
            if time.monotonic() > until:
                self._work = work
                return
        self._done_seconds = time.monotonic()
        self.failure, self._away = None, 0

    def _log(self, error: StoreError) -> None:
        if self.failure is None:
            log.error("%s: %s", WHAT, error)
        self.failure = f"{WHAT}: {error}"

    def _make_minutes(self, now_ns: int) -> Iterator[None]:
        sent = self._spool.sent_segments()
        if isinstance(self._store, Maintained):
            for _ in self._store.rolling_up(now_ns):
                yield
        self._spool.forget(sent)
