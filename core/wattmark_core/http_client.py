"""Connections to exporters and targets whose answers have an end, however slowly they come.

``http.client`` gives each single read the whole timeout: a server that sends a byte now and then,
in its headers, its body, or the sizes of its chunks, holds who asks for ever.
"""

import http.client
import io
import socket
import ssl
import time
from pathlib import Path
from typing import Any, Final

from wattmark_core.errors import ConfigurationError

_LATE: Final = "timed out"
"""As the socket says it when nothing comes at all."""


class _TimedReads(io.RawIOBase):
    """What a socket receives until ``seconds`` from now; then ``TimeoutError``."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:  # whatever has a buffer; typeshed's is private
        """As ``RawIOBase``."""
        left_seconds = self._deadline - time.monotonic()
        if left_seconds <= 0.0:
            raise TimeoutError(_LATE)
        self._socket.settimeout(left_seconds)
        try:
            return self._raw.readinto(buffer)
        finally:  # it is of the connection, which may be kept
            self._socket.settimeout(self._seconds)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """Has as long as the socket's timeout, from the request to its end."""

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_TimedReads(sock, seconds))


class _Http(http.client.HTTPConnection):
    response_class = _TimedResponse


class _Https(http.client.HTTPSConnection):
    response_class = _TimedResponse


def connection_to(
    scheme: str, host: str, port: int | None, *, timeout_seconds: float, ca_file: Path | None = None
) -> http.client.HTTPConnection:
    """A connection that is opened when something is asked. Connecting has ``timeout_seconds``, and
    so has each answer. Raises ``ConfigurationError`` for a CA certificate that cannot be used."""
    if scheme == "http":
        return _Http(host, port, timeout=timeout_seconds)
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"CA certificate {ca_file}: {error}") from error
    return _Https(host, port, timeout=timeout_seconds, context=context)
