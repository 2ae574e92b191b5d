"""A socket that listens, with a thread for each connection: standard library only.

For the exporter and the collector's status pages; ``http_connection`` is what the threads do.
"""

import logging
import socket
import sys
import time
from contextlib import suppress
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from threading import Lock
from typing import Any, ClassVar, Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.http_guard import Guard
from wattmark_core.http_limits import BACKLOG, GIVES_WAY_SECONDS, UNKNOWN_GIVES_WAY_SECONDS
from wattmark_core.net import in_url, listening_error
from wattmark_core.seldom import Seldom
from wattmark_core.tls import ServedCertificate

log = logging.getLogger(__name__)

CONNECTIONS: Final = 64
"""Each has a thread; a lab's collectors, runners and Prometheus are a handful."""
ACCEPT_PAUSE_SECONDS: Final = 0.05
FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 31\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    b"too many connections; try again"
)


class Place:
    """A connection among those that are served. Set by its own thread, looked at by the listener.

    ``trusted``: an answer was no refusal. ``answering``: an answer is being made, and so it is not
    the client that others wait for.
    """

    __slots__ = ("answering", "connection", "since", "trusted")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.since = time.monotonic()
        self.trusted = False
        self.answering = False

    def waits(self, *, trusted: bool) -> None:
        """From now on it is the client's turn: to take the answer, to ask again."""
        self.trusted = self.trusted or trusted
        self.since = time.monotonic()
        self.answering = False

    def gives_way_in(self) -> float:
        """Seconds until it has waited for its client as long as others should wait for it."""
        bound = GIVES_WAY_SECONDS if self.trusted else UNKNOWN_GIVES_WAY_SECONDS
        return self.since + bound - time.monotonic()

    def end(self) -> None:
        """Wakes its thread, which finds the connection closed."""
        with suppress(OSError):  # not through TLS, which another thread may be in
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


class Places:
    """At most ``most`` connections. When all places are taken one that has waited for its client
    for some seconds gives way: first one that was never answered well, then any."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._taken: dict[socket.socket, Place] = {}

    def take(self, connection: socket.socket) -> bool:
        """Whether there is a place for it; else nobody's turn was over."""
        with self._lock:
            if len(self._taken) >= self._most:
                longest = self._longest()
                if longest is None or longest.gives_way_in() > 0:
                    return False
                longest.end()
                del self._taken[longest.connection]
            self._taken[connection] = Place(connection)
            return True

    def has_room_soon(self) -> bool:
        """Whether one will give way within a second: that is worth waiting for."""
        with self._lock:
            longest = self._longest()
        return longest is not None and longest.gives_way_in() <= UNKNOWN_GIVES_WAY_SECONDS

    def _longest(self) -> Place | None:
        waiting = [place for place in self._taken.values() if not place.answering]
        return min(waiting, key=lambda place: (place.trusted, place.since), default=None)

    def of(self, connection: socket.socket) -> Place:
        """Its place; one of its own if it has had to give way."""
        return self._taken.get(connection) or Place(connection)

    def leave(self, connection: socket.socket) -> None:
        """The connection has ended."""
        with self._lock:
            self._taken.pop(connection, None)


class Listener(ThreadingMixIn, TCPServer):
    """Listens once constructed. ``program``: its name in answers. ``certificate`` None: no TLS.

    Raises ``PortInUse``, or ``ConfigurationError`` for an address that cannot be used.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = BACKLOG
    program: ClassVar[str]

    def __init__(
        self, host: str, port: int, handler: type[BaseRequestHandler], guard: Guard,
        certificate: ServedCertificate | None = None, *, connections: int = CONNECTIONS,
    ) -> None:  # fmt: skip
        self.guard = guard
        self.certificate = certificate
        self.places = Places(connections)
        self.refused = Seldom(log)
        self.malformed = Seldom(log)
        self._full = Seldom(log, most=1)
        self._stopping = False
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), handler)
        except OSError as error:
            raise listening_error(error, host, port) from error
        except UnicodeError as error:
            raise ConfigurationError(f"--listen {host!a}: not the name of a host") from error

    @property
    def url(self) -> str:
        """Its URL, ``http://HOST:PORT`` or ``https://…``."""
        host, port = self.server_address[:2]
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://{in_url(str(host))}:{port}"

    def serve(self) -> None:
        """Accept connections until ``stop``; waits in accept and so costs nothing meanwhile."""
        while not self._stopping:
            try:
                connection, address = self.get_request()
            except OSError:  # stopped, or out of descriptors: others may be closed soon
                time.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            if not self._has_place(connection):
                self._full.warning("all places are taken; %s was turned away", address[0])
                self._turn_away(connection)
                continue
            try:
                self.process_request(connection, address)
            except RuntimeError as error:  # no thread to be had
                self._full.warning("%s was turned away: %s", address[0], error)
                self.shutdown_request(connection)

    def stop(self) -> None:
        """End ``serve`` and stop listening."""
        self._stopping = True
        with suppress(OSError):  # wakes accept
            self.socket.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake happens in the connection's own thread."""
        connection, address = self.socket.accept()
        if self.certificate is not None:
            connection = self.certificate.context().wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and free its place."""
        self.places.leave(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what is a fault of ours; a client that goes away in the middle is no event."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request failed: %r", error, exc_info=error)

    def _has_place(self, connection: socket.socket) -> bool:
        """Now, or soon: others wait in the kernel meanwhile."""
        while not self.places.take(connection):
            if self._stopping or not self.places.has_room_soon():
                return False
            time.sleep(ACCEPT_PAUSE_SECONDS)
        return True

    def _turn_away(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.certificate is None:
                connection.setblocking(False)
                connection.send(FULL)
            connection.close()
