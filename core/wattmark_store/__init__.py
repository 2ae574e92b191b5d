"""Where samples, windows and scores are kept: one protocol, several stores behind it."""

from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_store.protocol import (
    Aggregate,
    BackFilled,
    Maintained,
    SeriesData,
    Showing,
    Store,
    ViewPoint,
)
from wattmark_store.selection import Selection

__all__ = [
    "Aggregate",
    "BackFilled",
    "Maintained",
    "Selection",
    "SeriesData",
    "Showing",
    "Store",
    "ViewPoint",
    "open_store",
]


def open_store(url: str, password_file: Path | None = None, ca: Path | None = None) -> Store:
    """Open the store at ``url``: ``sqlite:///relative.sqlite`` or ``sqlite:////absolute.sqlite``,
    ``influxdb://USER@HOST:8086``, or ``influxdbs://`` for TLS.

    ``password_file`` holds InfluxDB's password, ``ca`` the certificate that signed the server's.
    Raises ``ConfigurationError`` for an unknown scheme, ``StoreError`` if it cannot be opened.
    """
    if url.startswith(("influxdb://", "influxdbs://")):
        try:
            from wattmark_store.influx import open_influx
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"store {url}: {error.name} is not installed; pip install 'wattmark[influxdb]'"
            ) from error
        return open_influx(url, password_file, ca)
    from wattmark_store.sqlite import SqliteStore

    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ConfigurationError(
            f"store {url!r} is neither sqlite:///PATH nor influxdb://USER@HOST:8086"
        )
    return SqliteStore(Path(path))
