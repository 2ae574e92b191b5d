"""The exporter's HTTP server: standard library only, one thread per kept connection."""

import dataclasses
import hmac
import ipaddress
import json
import math
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from errno import EADDRINUSE
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from wattmark_core.errors import ConfigurationError, PortInUse
from wattmark_core.exporter_api import (
    BASE_HEADER,
    CURSOR_HEADER,
    LOST_HEADER,
    TIME_HEADER,
    HostReport,
    SampleBase,
)
from wattmark_exporters import metrics
from wattmark_exporters.sampler import Sampler

BODY_LIMIT_BYTES: Final = 4096
IDLE_SECONDS: Final = 120.0
ACCEPT_PAUSE_SECONDS: Final = 0.05
TEXT: Final = "text/plain; charset=utf-8"
ROUTES: Final = {
    "/samples": "GET", "/sample": "POST", "/arm": "POST", "/metrics": "GET",
    "/healthz": "GET", "/sensors": "GET",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Security:
    """How the server is protected. Files are read when the server is made."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    insecure_network: bool = False


@dataclass(frozen=True, slots=True)
class Backend:
    """What the endpoints serve."""

    sampler: Sampler
    report: Callable[[], HostReport]
    base: Callable[[], SampleBase]


class ExporterServer(ThreadingHTTPServer):
    """Listens once constructed; ``backend`` must be set before it serves.

    Raises ``PortInUse``, or ``ConfigurationError`` for an address or file that cannot be used.
    """

    daemon_threads = True
    block_on_close = False
    backend: Backend

    def __init__(self, host: str, port: int, security: Security) -> None:
        check_exposure(host, security)
        self._tls = _tls_context(security)
        self.token = _token(security.token_file)
        self._stopping = False
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == EADDRINUSE:
                raise PortInUse(
                    f"another program listens on {host}:{port}; choose another with"
                    " --listen HOST:PORT"
                ) from error
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error}") from error

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        name = f"[{host!s}]" if self.address_family == socket.AF_INET6 else str(host)
        return f"{'http' if self._tls is None else 'https'}://{name}:{port}"

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

    def server_bind(self) -> None:
        """Bind without the name look-up of the base class, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "wattmark-exporter", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake happens in the connection's own thread."""
        connection, address = self.socket.accept()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: ExporterServer

    def do_GET(self) -> None:
        self._dispatch("GET")

    def do_POST(self) -> None:
        self._dispatch("POST")

    def version_string(self) -> str:
        """Names the program, without versions."""
        return "wattmark-exporter"

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Errors are one line of text."""
        self.close_connection = True
        self._answer(int(code), f"{message or explain or 'bad request'}\n".encode())

    def _dispatch(self, method: str) -> None:
        if not self._read_body():
            return
        parts = urlsplit(self.path)
        if not self._allowed():
            self._answer(401, b"a bearer token is needed; see --token-file\n")
        elif parts.path not in ROUTES:
            known = " ".join(ROUTES)
            self._answer(404, f"no such page; there are {known}\n".encode())
        elif ROUTES[parts.path] != method:
            wanted = ROUTES[parts.path]
            self._answer(405, f"{parts.path} takes {wanted}\n".encode(), {"Allow": wanted})
        else:
            self._route(parts.path, dict(parse_qs(parts.query)))

    def _route(self, path: str, query: dict[str, list[str]]) -> None:
        backend = self.server.backend
        match path:
            case "/samples":
                self._samples(query.get("after", [""])[-1])
            case "/sample":
                backend.sampler.sample_now()
                self._answer(204, b"", {BASE_HEADER: str(backend.base())})
            case "/arm":
                self._arm(query.get("seconds", [""])[-1])
            case "/metrics":
                text = metrics.render(backend.sampler.latest)
                self._answer(200, text, content_type=metrics.CONTENT_TYPE)
            case "/sensors":
                body = json.dumps(dataclasses.asdict(backend.report())).encode()
                self._answer(200, body, content_type="application/json")
            case "/healthz":
                healthy = backend.sampler.healthy()
                text = b"ok\n" if healthy else b"the sampler has not run for 10 s\n"
                self._answer(200 if healthy else 503, text)

    def _samples(self, cursor: str) -> None:
        page = self.server.backend.sampler.samples(cursor)
        body = b"".join(page.texts())
        self._answer(200, body, {CURSOR_HEADER: page.cursor, LOST_HEADER: str(page.lost)})

    def _arm(self, text: str) -> None:
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            self._answer(400, b"/arm needs seconds=N, a number of seconds from 0 up\n")
            return
        self.server.backend.sampler.arm(seconds)
        self._answer(204, b"")

    def _allowed(self) -> bool:
        if self.server.token is None:
            return True
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, b"Bearer " + self.server.token)

    def _read_body(self) -> bool:
        """Read and forget a small body, so that the connection can be kept."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.send_error(400, "requests take no body")
            return False
        if int(length) > BODY_LIMIT_BYTES:
            self.send_error(413, "requests take no body")
            return False
        self.rfile.read(int(length))
        return True

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None,
        *, content_type: str = TEXT,
    ) -> None:  # fmt: skip
        self._head(status, len(body), content_type, headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, length: int, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header(TIME_HEADER, str(time.time_ns()))
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def check_exposure(host: str, security: Security) -> None:
    """Refuse to listen off loopback without TLS and a token, unless told to."""
    if _is_loopback(host) or security.insecure_network:
        return
    if security.tls_cert is None or security.token_file is None:
        raise ConfigurationError(
            f"{host or 'all addresses'} is not loopback: give --tls-cert, --tls-key and"
            " --token-file, or --insecure-network for a private network"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls_context(security: Security) -> ssl.SSLContext | None:
    if security.tls_cert is None and security.tls_key is None:
        return None
    if security.tls_cert is None:
        raise ConfigurationError("--tls-key needs --tls-cert")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(security.tls_cert, security.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"TLS certificate {security.tls_cert}: {error}") from error
    return context


def _token(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"token file {path}: {error.strerror}") from error
    if not token:
        raise ConfigurationError(f"token file {path} is empty; write a token into it")
    return token
