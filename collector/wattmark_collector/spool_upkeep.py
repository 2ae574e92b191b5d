"""One-minute values of what was sent, and after them the end of the segments it came in."""

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
        except StoreAway:  # the next batch will find out, and tell
            return
        except StoreError as error:
            if not self._failing:
                log.error("one-minute values: %s", error)
            self._failing = True
        except Exception:  # it must not end the sender
            log.exception("one-minute values cannot be made")
        else:
            self._failing = False

    def _make_minutes(self, now_ns: int) -> None:
        sent = self._spool.sent_segments()
        if isinstance(self._store, Maintained):
            self._store.roll_up(now_ns)
        self._spool.forget(sent)
