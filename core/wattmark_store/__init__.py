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
    "absolute_url",
    "check_store",
    "open_store",
    "store_folders",
]


def open_store(url: str, password_file: Path | None = None, ca: Path | None = None) -> Store:
    """Open the store at ``url``: ``sqlite:///relative.sqlite`` or ``sqlite:////absolute.sqlite``,
    ``influxdb://USER@HOST:8086``, or ``influxdbs://`` for TLS.

    ``password_file`` holds InfluxDB's password, ``ca`` the certificate that signed the server's.
    Raises ``ConfigurationError`` for an unknown scheme, ``StoreError`` if it cannot be opened.
    """
    if _is_influx(url):
        return _influx(url, password_file, ca)
    from wattmark_store.sqlite import SqliteStore

    return SqliteStore(_sqlite_path(url))


def check_store(url: str, password_file: Path | None = None, ca: Path | None = None) -> None:
    """Raise what ``open_store`` would for URL, files and versions, and make and change nothing.
    Whether a server answers is not asked."""
    if _is_influx(url):
        _influx(url, password_file, ca).close()
        return
    from wattmark_store.sqlite import check_file

    check_file(_sqlite_path(url))


def absolute_url(url: str) -> str:
    """The URL of the same store from any folder. Raises ``ConfigurationError``."""
    return url if _is_influx(url) else f"sqlite:///{_sqlite_path(url).absolute()}"


def store_folders(url: str) -> tuple[Path, ...]:
    """The folders of this machine in which the store writes; none where it is a server."""
    return () if _is_influx(url) else (_sqlite_path(url).absolute().parent,)


def _is_influx(url: str) -> bool:
    return url.startswith(("influxdb://", "influxdbs://"))


def _influx(url: str, password_file: Path | None, ca: Path | None) -> Store:
    try:
        from wattmark_store.influx import open_influx
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"store {url}: {error.name} is not installed; pip install 'wattmark[influxdb]'"
        ) from error
    return open_influx(url, password_file, ca)


def _sqlite_path(url: str) -> Path:
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ConfigurationError(
            f"store {url!r} is neither sqlite:///PATH nor influxdb://USER@HOST:8086"
        )
    return Path(path)
