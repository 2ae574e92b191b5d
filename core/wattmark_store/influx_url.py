"""Where an InfluxDB is, and who asks: ``influxdb://USER@HOST:8086``, ``influxdbs://`` over TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import in_url, read_secret

SCHEMES: Final = {"influxdb": "http", "influxdbs": "https"}
DEFAULT_PORT: Final = 8086


@dataclass(frozen=True, slots=True)
class InfluxLocation:
    """Server, user and password. The password is in no text that is made of this.

    ``ca``: the CA certificate(s) to trust, PEM; None: the system's.
    """

    url: str
    user: str
    password: str = field(repr=False)
    ca: Path | None = None

    @classmethod
    def parse(cls, url: str, password_file: Path | None, ca: Path | None) -> Self:
        """Raises ``ConfigurationError`` for a URL with a password, a path, or without a host."""
        try:
            parts = urlsplit(url)
            host, port, password_in_url = parts.hostname, parts.port or DEFAULT_PORT, parts.password
        except ValueError as error:
            raise ConfigurationError(f"the store's URL cannot be read: {error}") from error
        if password_in_url is not None:
            raise ConfigurationError(
                "the store's URL holds a password, which others can see; put it into a file and"
                " give --store-password-file"
            )
        if parts.scheme not in SCHEMES or not host or parts.path.strip("/") or parts.query:
            raise ConfigurationError(f"store {url!r} is not influxdb://USER@HOST:{DEFAULT_PORT}")
        user = unquote(parts.username or "")
        if user and password_file is None:
            raise ConfigurationError(f"store {url}: give --store-password-file for user {user}")
        password = ""
        if password_file and user:
            password = read_secret(password_file, "password file", "the password", encoding="utf-8")
        _check_ca(ca)
        return cls(f"{SCHEMES[parts.scheme]}://{in_url(host)}:{port}", user, password, ca)


def _check_ca(ca: Path | None) -> None:
    try:
        ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"CA certificate {ca}: {error}") from error
