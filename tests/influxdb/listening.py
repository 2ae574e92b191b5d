"""An HTTP server on loopback that can be stopped, with all its connections, and started again."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any


class Listening(ThreadingHTTPServer):
    """Answers from when it is made until ``stop``; port 0 takes any."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self._open: set[socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """See socketserver."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """See socketserver."""
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Nobody is answered any more, nor are those that are connected."""
        self.shutdown()
        self.server_close()
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """Connections that stay open; quiet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send an answer; one of 204 has no body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def body(self) -> bytes:
        """What came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
