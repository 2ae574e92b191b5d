"""``GET /metrics`` and ``GET /healthz`` of the collector itself."""

import json
from threading import Thread
from typing import ClassVar, Final

from wattmark_collector.status_metrics import CONTENT_TYPE, CollectorState
from wattmark_core.errors import ConfigurationError
from wattmark_core.http_server import HttpHandler, HttpServer
from wattmark_core.net import host_port, is_loopback

IDLE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1


def check_address(address: str, *, insecure_network: bool) -> tuple[str, int]:
    """Host and port of ``--listen``. Raises ``ConfigurationError`` for one that is not HOST:PORT,
    or off loopback without ``insecure_network``."""
    host, port = host_port(address)
    if not insecure_network and not is_loopback(host):
        raise ConfigurationError(
            f"--listen {address} is not loopback: anyone there could read it; choose"
            " 127.0.0.1:PORT, or --insecure-network for a private network"
        )
    return host, port


class StatusServer(HttpServer):
    """Listens once constructed. Raises ``PortInUse``, and ``ConfigurationError`` as
    ``check_address``."""

    program: ClassVar[str] = "wattmark-collector"

    def __init__(self, address: str, state: CollectorState, *, insecure_network: bool) -> None:
        self.state = state
        super().__init__(*check_address(address, insecure_network=insecure_network), _Handler)
        self._thread = Thread(
            target=self.serve_forever, args=(POLL_SECONDS,), name="status server", daemon=True
        )

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Handler(HttpHandler):
    timeout = IDLE_SECONDS
    server: StatusServer

    def do_GET(self) -> None:
        state = self.server.state
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(200, state.metrics(), CONTENT_TYPE)
            case "/healthz":
                status = state.status()
                body = json.dumps(status.body).encode() + b"\n"
                self._answer(503 if status.failures else 200, body, "application/json")
            case _:
                self._answer(404, b"no such page; there are /metrics /healthz\n", "text/plain")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
