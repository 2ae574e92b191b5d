"""``GET /metrics`` and ``GET /healthz`` of the collector itself."""

import json
from collections.abc import Sequence
from threading import Thread
from typing import Final

from wattmark_collector.status_metrics import CONTENT_TYPE, CollectorState
from wattmark_core.errors import ConfigurationError
from wattmark_core.http_connection import HttpConnection
from wattmark_core.http_guard import Guard, check_allowed
from wattmark_core.http_request import Request, Response
from wattmark_core.listener import Listener
from wattmark_core.net import host_port, is_loopback

PAGES: Final = "no such page; there are /metrics /healthz\n"


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


class StatusServer(Listener):
    """Listens once constructed. ``allowed_hosts``: names that clients use for this machine beside
    those it knows itself. Raises ``PortInUse``, and ``ConfigurationError`` as ``check_address``."""

    program = "wattmark-collector"

    def __init__(
        self, address: str, state: CollectorState, *, insecure_network: bool,
        allowed_hosts: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.state = state
        check_allowed(allowed_hosts)
        host, port = check_address(address, insecure_network=insecure_network)
        super().__init__(host, port, _Connection, Guard.of(host, allowed_hosts))
        self._thread = Thread(target=self.serve, name="status server", daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        super().stop()
        if self._thread.is_alive():
            self._thread.join()


class _Connection(HttpConnection):
    server: StatusServer

    def respond(self, request: Request) -> Response:
        state = self.server.state
        if request.method != "GET":
            return Response(405, b"the pages take GET\n", {"Allow": "GET, HEAD"})
        match request.path:
            case "/metrics":
                return Response(200, state.metrics(), content_type=CONTENT_TYPE)
            case "/healthz":
                status = state.status()
                body = json.dumps(status.body).encode() + b"\n"
                code = 503 if status.failures else 200
                return Response(code, body, content_type="application/json")
            case _:
                return Response(404, PAGES.encode())
