"""A certificate that a listener shows: read again when it is renewed, and told when it expires."""

import logging
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import check_owner_only

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""Between two looks at the files, at a handshake."""
TELL_SECONDS: Final = 86_400.0
SOON_SECONDS: Final = 14 * 86_400.0
"""Before the end of a certificate. Those that renew themselves do so a month before it."""
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
VERSION: Final = 0xA0
_LONG_LENGTH: Final = 0x80
Seen = tuple[tuple[int, int, int], ...]


class ServedCertificate:
    """The certificate chain and the private key in two files, or in one. Any thread.

    Raises ``ConfigurationError`` for files that cannot be used, and for a key that others can read.
    """

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._lock = Lock()
        self._told = 0.0
        self._seen = self._look()
        self._looked = time.monotonic()
        self._context, self.expires = self._load()
        self._tell()

    def context(self) -> ssl.SSLContext:
        """What a handshake that begins now is to use. A renewal that cannot be used is told, and
        the certificate before it stays."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked = time.monotonic()
                self._renew()
                self._tell()
            return self._context

    def following(self) -> ssl.SSLContext:
        """One context for a server's whole life, whose handshakes use what ``context`` gives."""
        outer, _ = self._load()

        def follow(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            connection.context = self.context()

        outer.sni_callback = follow  # called with a name and without
        return outer

    def _renew(self) -> None:
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._context, self.expires = self._load()
        except ConfigurationError as error:
            log.warning("the certificate is not renewed, the one before it stays: %s", error)
            return
        self._told = 0.0
        log.info("TLS certificate %s was read again; it ends on %s", self._certificate, self._end())

    def _look(self) -> Seen:
        seen = []
        for path in (self._certificate, self._key or self._certificate):
            try:
                status = path.stat()
            except OSError:
                seen.append((0, 0, 0))
            else:
                seen.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(seen)

    def _load(self) -> tuple[ssl.SSLContext, int]:
        name, key = self._certificate, self._key or self._certificate

        def no_password() -> str:
            raise ConfigurationError(f"TLS key {key} is encrypted; give one without a password")

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(name, key, no_password)
            expires = expiry(name.read_text(encoding="latin-1"))
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ConfigurationError(f"TLS certificate {name} with key {key}: {error}") from error
        check_owner_only(key, "TLS key")
        return context, expires

    def _end(self) -> str:
        return f"{datetime.fromtimestamp(self.expires, UTC):%Y-%m-%d %H:%M} UTC"

    def _tell(self) -> None:
        """Once a day that it has expired, or will soon."""
        left, now = self.expires - time.time(), time.monotonic()
        if left > SOON_SECONDS or (self._told and now - self._told < TELL_SECONDS):
            return
        self._told = now
        if left <= 0:
            log.error(
                "TLS certificate %s has expired on %s: clients refuse it; renew it, it is read"
                " again without a restart", self._certificate, self._end(),
            )  # fmt: skip
        else:
            log.warning(
                "TLS certificate %s expires on %s; renew it, it is read again without a restart",
                self._certificate, self._end(),
            )  # fmt: skip


def expiry(pem: str) -> int:
    """When the first certificate in a PEM text ends, Unix s. Raises ``ValueError``.

    Its place is that of RFC 5280, section 4.1: ``notAfter``, the second of ``validity``, the fourth
    of the fields after the version. The standard library decodes certificates of the other side
    alone.
    """
    start, mark = pem.find(ssl.PEM_HEADER), ssl.PEM_FOOTER
    end = pem.find(mark, start)
    if start < 0 or end < 0:
        raise ValueError("no certificate in PEM")
    der = ssl.PEM_cert_to_DER_cert(pem[start : end + len(mark)])
    try:
        (_, fields), *_ = _parts(_parts(der)[0][1])
        parts = [part for part in _parts(fields) if part[0] != VERSION]
        _, (kind, until) = _parts(parts[3][1])[:2]
    except (IndexError, ValueError) as error:
        raise ValueError("a certificate that cannot be read") from error
    return _unix_seconds(kind, until.decode("ascii"))


def _unix_seconds(kind: int, text: str) -> int:
    if kind == UTC_TIME:  # two digits: 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != GENERALIZED_TIME:
        raise ValueError("a certificate without an end")
    return int(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp())


def _parts(der: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each value in DER, one after the other. Raises ``IndexError``."""
    parts = []
    while der:
        tag, length, start = der[0], der[1], 2
        if length & _LONG_LENGTH:
            start += length & ~_LONG_LENGTH
            length = int.from_bytes(der[2:start], "big")
        parts.append((tag, der[start : start + length]))
        der = der[start + length :]
    return parts
