"""How the exporter's server is protected: TLS, a token, and where it may listen without them."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from wattmark_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Security:
    """The files are read when the server is made."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    insecure_network: bool = False

    def check_exposure(self, host: str) -> None:
        """Raise ``ConfigurationError`` if ``host`` is not loopback and TLS or token is missing."""
        if _is_loopback(host) or self.insecure_network:
            return
        if self.tls_cert is None or self.token_file is None:
            raise ConfigurationError(
                f"{host or 'all addresses'} is not loopback: give --tls-cert, --tls-key and"
                " --token-file, or --insecure-network for a private network"
            )

    def tls_context(self) -> ssl.SSLContext | None:
        """None without TLS. Raises ``ConfigurationError`` for files that cannot be used."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None:
            raise ConfigurationError("--tls-key needs --tls-cert")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"TLS certificate {self.tls_cert}: {error}") from error
        return context

    def token(self) -> bytes | None:
        """None without a token. Raises ``ConfigurationError`` for a file that holds none."""
        if self.token_file is None:
            return None
        try:
            token = self.token_file.read_bytes().strip()
        except OSError as error:
            raise ConfigurationError(f"token file {self.token_file}: {error.strerror}") from error
        if not token:
            raise ConfigurationError(
                f"token file {self.token_file} is empty; write a token into it"
            )
        return token


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
