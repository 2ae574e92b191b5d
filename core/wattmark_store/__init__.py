"""Where samples, windows and scores are kept: one protocol, several stores behind it."""

from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_store.protocol import Aggregate, Maintained, SeriesData, Store

__all__ = ["Aggregate", "Maintained", "SeriesData", "Store", "open_store"]


def open_store(url: str) -> Store:
    """Open the store at ``url``: ``sqlite:///relative.sqlite`` or ``sqlite:////absolute.sqlite``.

    Raises ``ConfigurationError`` for an unknown scheme, ``StoreError`` if it cannot be opened.
    """
    from wattmark_store.sqlite import SqliteStore

    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ConfigurationError(f"store {url!r} is not sqlite:///PATH")
    return SqliteStore(Path(path))
