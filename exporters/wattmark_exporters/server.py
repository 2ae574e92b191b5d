"""The exporter's HTTP server: standard library only, one thread per kept connection."""

import json
import logging
import math
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final

from wattmark_core.codec import to_json
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    HostReport,
    TimeBase,
)
from wattmark_core.net import in_url, listening_error
from wattmark_exporters.http_connection import HttpConnection, Request, Response
from wattmark_exporters.leases import TooManyLeases
from wattmark_exporters.ring import PIECE_LINES
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.security import Security

log = logging.getLogger(__name__)

ACCEPT_PAUSE_SECONDS: Final = 0.05
METHODS: Final = {
    "/samples": "GET", "/sample": "POST", "/arm": "POST", "/metrics": "GET",
    "/healthz": "GET", "/sensors": "GET",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Backend:
    """What the endpoints serve."""

    sampler: Sampler
    report: Callable[[], HostReport]
    base: Callable[[], TimeBase]


class ExporterServer(ThreadingMixIn, TCPServer):
    """Listens once constructed; ``backend`` must be set before it serves.

    Raises ``PortInUse``, or ``ConfigurationError`` for an address or file that cannot be used.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    backend: Backend

    def __init__(self, host: str, port: int, security: Security) -> None:
        security.check_exposure(host)
        self._tls = security.tls_context()
        self.token = security.token()
        self._stopping = False
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Connection)
        except OSError as error:
            raise listening_error(error, host, port) from error

    @property
    def url(self) -> str:
        """Its URL, ``http://HOST:PORT`` or ``https://…``."""
        host, port = self.server_address[:2]
        return f"{'http' if self._tls is None else 'https'}://{in_url(str(host))}:{port}"

    def serve(self) -> None:
        """Accept connections until ``stop``; waits in accept and so costs nothing meanwhile."""
        while not self._stopping:
            try:
                connection, address = self.get_request()
            except OSError:  # stopped, or out of descriptors: others may be closed soon
                time.sleep(ACCEPT_PAUSE_SECONDS)
            else:
                self.process_request(connection, address)

    def stop(self) -> None:
        """End ``serve`` and stop listening."""
        self._stopping = True
        with suppress(OSError):  # wakes accept
            self.socket.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake happens in the connection's own thread."""
        connection, address = self.socket.accept()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what is a fault of ours; a client that goes away in the middle is no event."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request failed: %r", error, exc_info=error)


class _Connection(HttpConnection):
    server: ExporterServer

    def respond(self, request: Request) -> Response:
        method, path, query, sent = request
        if self.server.token is not None and not self._bears(self.server.token, sent):
            response = Response(401, b"a bearer token is needed; see --token-file\n")
        elif METHODS.get(path) != method:
            response = _refusal(path)
        else:
            response = self._answer(path, query)
        return response

    def _answer(self, path: str, query: Mapping[str, str]) -> Response:
        backend = self.server.backend
        match path:
            case "/samples":
                return self._samples(query.get("after", ""))
            case "/sample":
                backend.sampler.sample_now()
                return Response(204, headers={BASE_HEADER: str(backend.base())})
            case "/arm":
                return self._arm(query)
            case "/metrics":
                from wattmark_exporters import metrics  # 3 MiB, for those who ask

                text = metrics.render(backend.sampler.latest)
                return Response(200, text, content_type=metrics.CONTENT_TYPE)
            case "/sensors":
                body = json.dumps(to_json(backend.report())).encode()
                return Response(200, body, content_type="application/json")
            case _:
                if backend.sampler.healthy():
                    return Response(200, b"ok\n")
                return Response(503, b"the sampler has not run for 10 s\n")

    def _samples(self, cursor: str) -> Response:
        page = self.server.backend.sampler.samples(cursor)
        headers = {CURSOR_HEADER: page.cursor, LOST_HEADER: str(page.lost)}
        if page.lines > PIECE_LINES:
            return Response(200, headers=headers, pieces=page.pieces)
        return Response(200, page.text().encode(), headers)

    def _arm(self, query: Mapping[str, str]) -> Response:
        try:
            seconds = float(query.get("seconds", ""))
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            return Response(400, b"/arm needs seconds=N, a number of seconds from 0 up\n")
        lease, holder = query.get("lease", ""), query.get("holder", "")
        try:
            self.server.backend.sampler.arm(seconds, lease, holder)
        except TooManyLeases as error:
            return Response(503, f"{error}\n".encode())
        except ConfigurationError as error:
            return Response(400, f"{error}\n".encode())
        return Response(204)

    def _bears(self, token: bytes, headers: Mapping[str, str]) -> bool:
        sent = headers.get("authorization", "").encode("utf-8", "replace")
        import hmac  # 4 MiB, for those who have a token

        return hmac.compare_digest(sent, b"Bearer " + token)


def _refusal(path: str) -> Response:
    method = METHODS.get(path)
    if method is None:
        return Response(404, f"no such page; there are {' '.join(METHODS)}\n".encode())
    return Response(405, f"{path} takes {method}\n".encode(), {"Allow": method})
