"""Where pollers put their samples: straight into the store, or into a spool before it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from wattmark_collector.health import Health
from wattmark_core.errors import SamplesRefused, StoreError
from wattmark_core.sample import AnySample
from wattmark_store import Maintained, Store

log = logging.getLogger(__name__)
MOST_NAMES: Final = 1000
"""Measurements of which it is remembered that something of them was refused."""


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


class DirectStore:
    """``Sink`` of a store that keeps cursors in the samples' own transaction."""

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        self._told: set[str] = set()

    def write(
        self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "",
        origin: Origin | None = None,
    ) -> int:  # fmt: skip
        """See ``Sink``. Samples that the store never takes are told once for each measurement."""
        held = list(samples)
        try:
            count = self._store.write(held, target=target, cursor=cursor)
        except SamplesRefused as error:  # all others are written, and so is the cursor
            self._health.write_failed()
            self._log(error)
            count = len(held) - len(error.samples)
        except StoreError:
            self._health.write_failed()
            raise
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

    def _log(self, error: SamplesRefused) -> None:
        names = {sample.measurement for sample in error.samples} - self._told
        if names and len(self._told) < MOST_NAMES:
            self._told |= names
            log.error("%s", error)
