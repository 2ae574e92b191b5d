"""The base of small HTTP servers, the collector's and stand-ins: standard library only."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from wattmark_core.net import in_url, listening_error


class HttpServer(ThreadingHTTPServer):
    """Listens once constructed, a thread for each connection. ``program``: its name in answers.

    Raises ``PortInUse``, or ``ConfigurationError`` for an address that cannot be used.
    """

    daemon_threads = True
    block_on_close = False
    program: ClassVar[str]

    def __init__(self, host: str, port: int, handler: type["HttpHandler"]) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), handler)
        except OSError as error:
            raise listening_error(error, host, port) from error

    @property
    def url(self) -> str:
        """Its URL, ``http://HOST:PORT``."""
        host, port = self.server_address[:2]
        return f"http://{in_url(str(host))}:{port}"

    def server_bind(self) -> None:
        """Bind without the name look-up of the base class, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.program, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no event."""


class HttpHandler(BaseHTTPRequestHandler):
    """Answers with the program's name and without a log."""

    server: HttpServer

    def version_string(self) -> str:
        """Names the program, without versions."""
        return self.server.program

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""
