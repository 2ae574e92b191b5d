"""For tests: a store that is gone when it is closed, and one whose calls are counted."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final, Generic, TypeVar, cast

from wattmark_store.protocol import Store
from wattmark_store.sqlite import SqliteStore

READS: Final = frozenset({"select", "series", "edges", "aggregate"})
"""The methods that read samples."""
AnyStore = TypeVar("AnyStore", bound=Store)


class CountingStore(Generic[AnyStore]):
    """``store`` passes each call on to the store that was given, of which it has every method;
    ``calls`` counts them by the method's name. What a store calls of its own is not counted."""

    def __init__(self, store: AnyStore) -> None:
        self.calls: Counter[str] = Counter()
        names = [name for name in dir(store) if not name.startswith("_")]
        methods = {name: getattr(store, name) for name in names}
        counted = {
            name: partial(self._call, name, method) if callable(method) else method
            for name, method in methods.items()
        }
        self.store = cast(AnyStore, SimpleNamespace(**counted))

    @property
    def reads(self) -> int:
        """How many calls read samples."""
        return sum(self.calls[name] for name in READS)

    def _call(self, name: str, method: Callable[..., Any], *positional: Any, **named: Any) -> Any:
        self.calls[name] += 1
        return method(*positional, **named)


class MemoryStore(SqliteStore):
    """A store that nothing is kept of: SQLite's, in a folder of its own that goes with it."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="wattmark-store-")
        super().__init__(Path(self._folder.name) / "store.sqlite")

    def close(self) -> None:
        """Close it and remove what it held."""
        super().close()
        self._folder.cleanup()
