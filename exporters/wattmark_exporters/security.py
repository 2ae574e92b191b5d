"""How the exporter's server is protected: TLS, a token, and where it may listen without them."""

from dataclasses import dataclass
from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_core.http_guard import Guard, check_allowed
from wattmark_core.net import is_loopback, read_token, weakness
from wattmark_core.tls import ServedCertificate


@dataclass(frozen=True, slots=True)
class Security:
    """The files are read when the server is made. ``allowed_hosts``: names that clients use beside
    those that the machine knows itself by."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    insecure_network: bool = False
    allowed_hosts: tuple[str, ...] = ()

    def check_exposure(self, host: str) -> None:
        """Raise ``ConfigurationError`` if ``host`` is not loopback and TLS or token is missing."""
        if is_loopback(host) or self.insecure_network:
            return
        if self.tls_cert is None or self.token_file is None:
            raise ConfigurationError(
                f"{host or 'all addresses'} is not loopback: give --tls-cert, --tls-key and"
                " --token-file, or --insecure-network for a private network"
            )

    def guard(self, host: str) -> Guard:
        """Whose requests are answered where the server listens on ``host``. Raises
        ``ConfigurationError`` for what is no name."""
        check_allowed(self.allowed_hosts)
        return Guard.of(host, self.allowed_hosts, tls=self.tls_cert is not None)

    def certificate(self) -> ServedCertificate | None:
        """None without TLS. Raises ``ConfigurationError`` for files that cannot be used."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None:
            raise ConfigurationError("--tls-key needs --tls-cert")
        return ServedCertificate(self.tls_cert, self.tls_key)

    def token(self) -> bytes | None:
        """None without a token. Raises ``ConfigurationError`` for a file that holds none, or one
        that is easily guessed, or that others can read."""
        if self.token_file is None:
            return None
        token = read_token(self.token_file, "token file", owner_only=True)
        reason = weakness(token)
        if reason is not None:
            raise ConfigurationError(
                f"token file {self.token_file}: {reason}; openssl rand -hex 16 makes one"
            )
        return token.encode("ascii")
