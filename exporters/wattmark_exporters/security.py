"""How the exporter's server is protected: TLS, a token, and where it may listen without them."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import is_loopback, read_secret


@dataclass(frozen=True, slots=True)
class Security:
    """The files are read when the server is made."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    insecure_network: bool = False

    def check_exposure(self, host: str) -> None:
        """Raise ``ConfigurationError`` if ``host`` is not loopback and TLS or token is missing."""
        if is_loopback(host) or self.insecure_network:
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
        return read_secret(self.token_file, "token file", "a token").strip().encode("ascii")
