"""``GET /metrics`` and ``GET /healthz`` of the collector itself."""

import ipaddress
import json
import socket
from errno import EADDRINUSE
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from wattmark_collector.status_metrics import CONTENT_TYPE, OwnState
from wattmark_core.errors import ConfigurationError, PortInUse

IDLE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1


def check_address(address: str, *, insecure_network: bool) -> tuple[str, int]:
    """Host and port of ``--listen``. Raises ``ConfigurationError`` for one that is not HOST:PORT,
    or off loopback without ``insecure_network``."""
    host, port = _host_port(address)
    if not insecure_network and not _is_loopback(host):
        raise ConfigurationError(
            f"--listen {address} is not loopback: anyone there could read it; choose"
            " 127.0.0.1:PORT, or --insecure-network for a private network"
        )
    return host, port


class StatusServer(ThreadingHTTPServer):
    """Listens once constructed. Raises ``PortInUse``, and ``ConfigurationError`` as
    ``check_address``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str, state: OwnState, *, insecure_network: bool) -> None:
        self.state = state
        host, port = check_address(address, insecure_network=insecure_network)
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == EADDRINUSE:
                raise PortInUse(
                    f"another program listens on {address}; choose another with --listen HOST:PORT"
                ) from error
            raise ConfigurationError(f"cannot listen on {address}: {error}") from error
        self._thread = Thread(
            target=self.serve_forever, args=(POLL_SECONDS,), name="own pages", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Bind without the name look-up of the base class, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "wattmark-collector", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no event."""

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS
    server: StatusServer

    def do_GET(self) -> None:
        state = self.server.state
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(200, state.metrics(), CONTENT_TYPE)
            case "/healthz":
                wellness = state.wellness()
                body = json.dumps(wellness.body).encode() + b"\n"
                self._answer(503 if wellness.failures else 200, body, "application/json")
            case _:
                self._answer(404, b"no such page; there are /metrics /healthz\n", "text/plain")

    def version_string(self) -> str:
        """Names the program, without versions."""
        return "wattmark-collector"

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _host_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigurationError(f"--listen {text}: not of the form HOST:PORT")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
