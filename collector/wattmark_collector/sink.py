"""Where pollers put their samples: straight into the store, or into a spool before it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from wattmark_collector.health import Health
from wattmark_core.errors import StoreError
from wattmark_core.printable import quoted
from wattmark_core.sample import AnySample, never_stored
from wattmark_store import Maintained, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch comes from: the target's URL, and the time of its newest sample there."""

    url: str
    newest_ns: int | None


class Sink(Protocol):
    """Takes samples for good. All methods raise ``StoreError``."""

    def write(
        self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "",
        origin: Origin | None = None,
    ) -> int:  # fmt: skip
        """As ``Store.write``: when it returns the samples and the cursor are on the disk."""
        ...

    def cursor(self, target: str) -> str:
        """As ``Store.cursor``."""
        ...

    def roll_up(self, now_ns: int) -> int:
        """As ``Maintained.roll_up``; 0 where there is nothing to do."""
        ...

    def prune(self, now_ns: int) -> int:
        """As ``Maintained.prune``; 0 where there is nothing to do."""
        ...

    def close(self) -> None:
        """Close the store; what is not sent stays for the next start."""
        ...


class Sieve:
    """Takes out of a batch what no store will ever take, once a store has refused the batch: else
    one sample would hold up all others, and those that come after it. ``count`` since the start."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self.count = 0

    def sift(self, samples: Iterable[AnySample]) -> list[AnySample]:
        """The samples that a store may take. Each reason is logged once."""
        kept = []
        for sample in samples:
            reason = never_stored(sample)
            if reason is None:
                kept.append(sample)
                continue
            self.count += 1
            if reason not in self._told:
                self._told.add(reason)
                log.error("a sample of %s is left out, %s; the rest goes on",
                          quoted(sample.measurement), reason)  # fmt: skip
        return kept


class DirectStore:
    """``Sink`` of a store that keeps cursors in the samples' own transaction."""

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        self._sieve = Sieve()

    @property
    def fields(self) -> dict[str, float | int]:
        """Fields of the measurement ``collector``."""
        return {"refused": self._sieve.count}

    def write(
        self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "",
        origin: Origin | None = None,
    ) -> int:  # fmt: skip
        """See ``Sink``."""
        batch = list(samples)
        try:
            count = self._store.write(batch, target=target, cursor=cursor)
        except (StoreError, UnicodeError):
            kept = self._sieve.sift(batch)
            self._health.write_failed()
            if len(kept) == len(batch):
                raise
            count = self._store.write(kept, target=target, cursor=cursor)
        self._health.written(count)
        if origin is not None and origin.newest_ns is not None:
            self._health.stored(origin.url, origin.newest_ns)
        return count

    def cursor(self, target: str) -> str:
        """See ``Sink``."""
        return self._store.cursor(target)

    def roll_up(self, now_ns: int) -> int:
        """See ``Sink``."""
        return self._store.roll_up(now_ns) if isinstance(self._store, Maintained) else 0

    def prune(self, now_ns: int) -> int:
        """See ``Sink``."""
        return self._store.prune(now_ns) if isinstance(self._store, Maintained) else 0

    def close(self) -> None:
        """See ``Sink``."""
        self._store.close()
