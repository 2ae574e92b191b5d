"""One-minute values and power of what was sent, then the end of the segments it came in."""

import logging

from wattmark_collector.spool import Spool
from wattmark_core.errors import StoreAway, StoreError
from wattmark_store import Maintained, Store

log = logging.getLogger("wattmark_collector")


class SpoolUpkeep:
    """The sender does it between two batches: a server that hangs then holds up nobody else."""

    def __init__(self, spool: Spool, store: Store) -> None:
        self._spool = spool
        self._store = store
        self._due_ns: int | None = None
        self._failing = False
        self._away = 0

    def ask(self, now_ns: int) -> None:
        """Do it soon. Any thread."""
        self._due_ns = now_ns

    def do(self) -> None:
        """If it is due; a failure is told when it begins and tried again when asked again."""
        due_ns, self._due_ns = self._due_ns, None
        if due_ns is None:
            return
        try:
            self._make_minutes(due_ns)
        except StoreAway as error:
            # If all of it is away the next batch finds out, and tells, and comes first. If batches
            # go through, a database or a right is missing.
            self._away += 1
            if self._away > 1:
                self._tell(error)
        except StoreError as error:
            self._tell(error)
        except Exception:  # it must not end the sender
            log.exception("one-minute values and power cannot be made")
        else:
            self._failing, self._away = False, 0

    def _tell(self, error: StoreError) -> None:
        if not self._failing:
            log.error("one-minute values and power: %s", error)
        self._failing = True

    def _make_minutes(self, now_ns: int) -> None:
        sent = self._spool.sent_segments()
        if isinstance(self._store, Maintained):
            self._store.roll_up(now_ns)
        self._spool.forget(sent)
