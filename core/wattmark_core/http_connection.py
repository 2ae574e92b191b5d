"""One kept HTTP/1.1 connection: small bodies are ignored, answers have a known length.

Not ``http.server``, whose parser of request heads is that of mail: it takes more memory, and more
CPU time per poll, than belongs beside what is measured.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from socket import (
    IPPROTO_TCP,
    SHUT_WR,
    SO_RCVTIMEO,
    SO_SNDTIMEO,
    SOL_SOCKET,
    TCP_NODELAY,
    socket,
)
from socketserver import BaseRequestHandler
from struct import pack
from typing import Final

from wattmark_core.exporter_api import TIME_HEADER
from wattmark_core.http_limits import (
    BODY_SECONDS,
    HANDSHAKE_SECONDS,
    HEAD_BYTES,
    HEAD_SECONDS,
    IDLE_SECONDS,
    SEND_SECONDS,
    TARGET_BYTES,
)
from wattmark_core.http_request import (
    BadRequest,
    Request,
    Response,
    headers_of,
    origin_form,
    parameters_of,
)
from wattmark_core.listener import Listener
from wattmark_core.printable import printable

BODY_LIMIT_BYTES: Final = 4096
RECEIVE_BYTES: Final = 4096
DISCARD_BYTES: Final = 65536
LINGER_SECONDS: Final = 2.0
LEAST_WAIT_SECONDS: Final = 0.001
LONGEST_WORDS: Final = 64
"""Method and version in a request line."""
METHODS: Final = frozenset({"GET", "HEAD", "POST"})
VERSIONS: Final = frozenset(f"HTTP/1.{minor}" for minor in range(10))
NO_CONTENT: Final = 204
BAD_REQUEST: Final = 400
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_OF_BODIES: Final = frozenset({"content-length", "transfer-encoding"})
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_LONGEST_END: Final = 3


class HttpConnection(BaseRequestHandler, ABC):
    """Serves one connection in its own thread. Subclasses say what is answered.

    What a client may take of memory and time is bounded by ``http_limits``, from the handshake on;
    the listener's guard comes before ``respond``. Every answer has the time in Unix ns at which it
    was sent (``TIME_HEADER``). ``HEAD`` is answered as ``GET`` is, without the body.
    """

    server: Listener

    def setup(self) -> None:
        """Answers leave at once; a client that says nothing is let go."""
        self._opened = time.monotonic()
        self._place = self.server.places.of(self.request)
        self._buffer = b""
        self._fields: bytes | None = None
        self._headers: Mapping[str, str] = {}
        self._refusals: dict[str, tuple[int, str] | None] = {}
        self._wait_seconds = 0.0
        connection = self.request
        self._plain = type(connection) is socket
        if self._plain:  # the kernel's timeout: saves two system calls a request
            connection.setsockopt(SOL_SOCKET, SO_SNDTIMEO, _timeval(SEND_SECONDS))
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, True)

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """The answer to a request. Whatever it raises is raised on, after an answer of 500."""

    def refuse(self, status: int, reason: str) -> Response:
        """Answer with a status and one line, which the log has, too, at a rate."""
        self.server.refused.warning(
            "%s is refused with %d: %s", self.client_address[0], status, reason
        )
        return Response(status, f"{reason}\n".encode())

    def handle(self) -> None:
        """Answer requests until one side ends the connection or nothing came for two minutes."""
        with suppress(OSError):  # the client went away, or says nothing
            if not self._plain:
                self.request.settimeout(HANDSHAKE_SECONDS)
                self.request.do_handshake()
            self._opened = time.monotonic()
            while self._serve_one():
                pass

    def _serve_one(self) -> bool:
        head = b""
        try:
            head = self._head()
            if not head:
                return False
            request, version = self._read(head)
        except BadRequest as error:
            self.server.malformed.warning(
                "%s sent what is not answered: %s", self.client_address[0], error
            )
            response = Response(error.status, f"{error}\n".encode())
            self._send(response, keep=False, with_body=not head.startswith(b"HEAD "))
            self._end_gently()
            return False
        place, with_body = self._place, request.method != "HEAD"
        place.answering = True
        options = self._headers.get("connection", "").lower().replace(" ", "").split(",")
        keep = "close" not in options and (version != "HTTP/1.0" or "keep-alive" in options)
        try:
            response = self._guarded(request if with_body else request._replace(method="GET"))
        except Exception:
            with suppress(OSError):
                self._send(
                    Response(500, b"a fault of the program; its log says why\n"), keep=False,
                    with_body=with_body,
                )  # fmt: skip
            raise
        place.waits(trusted=response.status < BAD_REQUEST)
        self._send(response, keep=keep, with_body=with_body)
        return keep

    def _guarded(self, request: Request) -> Response:
        """The guard's refusal, or the answer."""
        method = request.method
        if method not in self._refusals:  # asked once for headers that come again and again
            sent = self._headers.get
            self._refusals[method] = self.server.guard.refusal(
                method, sent("host"), sent("origin"), sent("sec-fetch-site"), sent("sec-fetch-mode")
            )
        refusal = self._refusals[method]
        return self.respond(request) if refusal is None else self.refuse(*refusal)

    def _head(self) -> bytes:
        """The next request up to its empty line; empty if the client has ended, or sends none."""
        start, deadline = 0, None
        if self._fields is None:
            deadline = self._opened + HEAD_SECONDS
        elif self._buffer:
            deadline = time.monotonic() + HEAD_SECONDS
        while (end := _HEAD_END.search(self._buffer, start)) is None:
            if len(self._buffer) > HEAD_BYTES:
                raise _too_long(self._buffer)
            self._wait(IDLE_SECONDS if deadline is None else deadline - time.monotonic())
            try:
                data = self.request.recv(RECEIVE_BYTES)
            except (BlockingIOError, TimeoutError):
                if not self._buffer:
                    return b""
                raise _late("headers", HEAD_SECONDS) from None
            if not data:
                return b""
            if deadline is None:
                deadline = time.monotonic() + HEAD_SECONDS
            elif time.monotonic() > deadline:
                raise _late("headers", HEAD_SECONDS)
            start = max(0, len(self._buffer) - _LONGEST_END)
            self._buffer += data
        head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
        if len(head) > HEAD_BYTES:
            raise _too_long(head)
        return head

    def _wait(self, seconds: float) -> None:
        """Receive within so many seconds from now on."""
        if seconds != self._wait_seconds:
            self._wait_seconds = seconds
            if self._plain:
                self.request.setsockopt(SOL_SOCKET, SO_RCVTIMEO, _timeval(seconds))
            else:
                self.request.settimeout(max(seconds, LEAST_WAIT_SECONDS))

    def _read(self, head: bytes) -> tuple[Request, str]:
        line, _, fields = head.partition(b"\n")
        words = line.decode("latin-1").split()
        if len(words) != 3 or words[2] not in VERSIONS:
            raise BadRequest(400, "not a request of HTTP/1.1")
        method, target, version = words
        if len(target) > TARGET_BYTES:
            raise BadRequest(414, f"the path and query have more than {TARGET_BYTES} bytes")
        if fields != self._fields:  # most clients send the same again and again
            self._headers, self._fields, self._refusals = headers_of(fields), fields, {}
        headers = self._headers
        if method not in METHODS:
            name = printable(method[:20])
            raise BadRequest(501, f"{name} is not supported; there are GET, HEAD and POST")
        if not _OF_BODIES.isdisjoint(headers):
            self._skip_body(headers)
        if target[0] != "/" or target[:2] == "//" or "#" in target:
            target = origin_form(target)
        path, _, query = target.partition("?")
        return Request(method, path, parameters_of(query), headers), version

    def _skip_body(self, headers: Mapping[str, str]) -> None:
        """Read and forget a small body, so that the connection can be kept."""
        text = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not (text.isascii() and text.isdigit()):
            raise BadRequest(400, "requests take no body")
        if len(text) > len(str(BODY_LIMIT_BYTES)) or int(text) > BODY_LIMIT_BYTES:
            raise BadRequest(413, "requests take no body")
        length = int(text)
        if length > len(self._buffer) and "expect" in headers:
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        deadline = time.monotonic() + BODY_SECONDS
        while length > len(self._buffer):
            self._wait(deadline - time.monotonic())
            try:
                data = self.request.recv(BODY_LIMIT_BYTES)
            except (BlockingIOError, TimeoutError):
                data = None
            if data is None or time.monotonic() > deadline:
                raise _late("body", BODY_SECONDS)
            if not data:
                raise BadRequest(400, "the body is cut off")
            self._buffer += data
        self._buffer = self._buffer[length:]

    def _send(self, response: Response, *, keep: bool, with_body: bool = True) -> None:
        status, body, headers, content_type, pieces = response
        length = len(body) if pieces is None else sum(map(len, pieces()))
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nServer: {self.server.program}\r\n"
            f"Date: {date}\r\n"
            f"{TIME_HEADER}: {time.time_ns()}\r\n"
        )
        for name, value in headers.items():
            head += f"{name}: {value}\r\n"
        if status != NO_CONTENT:
            head += f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
        if not keep:
            head += "Connection: close\r\n"
        self.request.sendall(f"{head}\r\n".encode("latin-1") + (body if with_body else b""))
        if pieces is not None and with_body:
            for piece in pieces():
                self.request.sendall(piece)

    def _end_gently(self) -> None:
        """Let a client that is still sending read why it was refused: what comes is thrown away for
        a while, as a connection that is closed at once loses the answer."""
        deadline = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):
            if self._plain:
                self.request.shutdown(SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._wait(left)
                if not self.request.recv(DISCARD_BYTES):
                    return


def _timeval(seconds: float) -> bytes:
    """As ``setsockopt`` takes it; 0 would mean without end."""
    microseconds = max(int(max(seconds, LEAST_WAIT_SECONDS) * 1e6), 1)
    return pack("ll", *divmod(microseconds, 1_000_000))


def _too_long(head: bytes) -> BadRequest:
    """Is it the line, or are it the headers?"""
    if len(head.partition(b"\n")[0]) > TARGET_BYTES + LONGEST_WORDS:
        return BadRequest(414, f"the path and query have more than {TARGET_BYTES} bytes")
    return BadRequest(431, f"the headers have more than {HEAD_BYTES} bytes")


def _late(what: str, seconds: float) -> BadRequest:
    return BadRequest(408, f"the {what} took longer than {seconds:g} s")
