"""One kept HTTP/1.1 connection: small bodies are ignored, answers have a known length.

Not ``http.server``, whose parser of request heads is that of mail: it takes more memory, and more
CPU time per poll, than belongs beside what is measured.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from socket import IPPROTO_TCP, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, TCP_NODELAY, socket
from socketserver import BaseRequestHandler
from struct import pack
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from wattmark_core.exporter_api import TIME_HEADER
from wattmark_exporters.errors import BadRequest

BODY_LIMIT_BYTES: Final = 4096
HEAD_LIMIT_BYTES: Final = 65536
RECEIVE_BYTES: Final = 4096
IDLE_SECONDS: Final = 120
TEXT: Final = "text/plain; charset=utf-8"
SERVER: Final = "wattmark-exporter"
METHODS: Final = frozenset({"GET", "POST"})
VERSIONS: Final = frozenset(f"HTTP/1.{minor}" for minor in range(10))
NO_CONTENT: Final = 204
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_OF_BODIES: Final = frozenset({"content-length", "transfer-encoding"})
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_LONGEST_END: Final = 3
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class Request(NamedTuple):
    """``query``: the last value of each parameter; ``headers`` by their names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Response(NamedTuple):
    """``body`` is left out where ``status`` is 204. ``pieces`` makes a large one anew at each call,
    piece by piece, so that it is never in memory whole: it is called to count, and to send."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    content_type: str = TEXT
    pieces: Callable[[], Iterable[bytes]] | None = None


class HttpConnection(BaseRequestHandler, ABC):
    """Serves one connection in its own thread. Subclasses say what is answered.

    Every answer has the time in Unix ns at which it was sent (``TIME_HEADER``).
    """

    def setup(self) -> None:
        """Answers leave at once; a client that says nothing is let go."""
        connection = self.request
        if type(connection) is socket:  # the kernel's timeout: saves two system calls a request
            timeval = pack("ll", IDLE_SECONDS, 0)
            connection.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval)
            connection.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval)
        else:  # TLS
            connection.settimeout(IDLE_SECONDS)
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, True)
        self._buffer = b""
        self._fields = b""
        self._headers: Mapping[str, str] = {}

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """The answer to a request. Whatever it raises is raised on, after an answer of 500."""

    def handle(self) -> None:
        """Answer requests until one side ends the connection or nothing came for two minutes."""
        with suppress(OSError):  # the client went away, or says nothing
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
            response = Response(error.status, f"{error}\n".encode())
            self._send(response, keep=False, with_body=not head.startswith(b"HEAD "))
            return False
        connection = self._headers.get("connection", "").lower()
        keep = connection != "close" and (version != "HTTP/1.0" or connection == "keep-alive")
        try:
            response = self.respond(request)
        except Exception:
            with suppress(OSError):
                self._send(Response(500, b"the exporter failed; its log says why\n"), keep=False)
            raise
        self._send(response, keep=keep)
        return keep

    def _head(self) -> bytes:
        """The next request up to its empty line; empty if the client has ended."""
        start = 0
        while (end := _HEAD_END.search(self._buffer, start)) is None:
            if len(self._buffer) > HEAD_LIMIT_BYTES:
                raise BadRequest(431, "the request's head is too long")
            data = self.request.recv(RECEIVE_BYTES)
            if not data:
                return b""
            start = max(0, len(self._buffer) - _LONGEST_END)
            self._buffer += data
        head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
        if len(head) > HEAD_LIMIT_BYTES:
            raise BadRequest(431, "the request's head is too long")
        return head

    def _read(self, head: bytes) -> tuple[Request, str]:
        line, _, fields = head.partition(b"\n")
        words = line.decode("latin-1").split()
        if len(words) != 3 or words[2] not in VERSIONS:
            raise BadRequest(400, "not a request of HTTP/1.1")
        method, target, version = words
        if fields != self._fields:  # most clients send the same again and again
            self._headers, self._fields = _headers(fields), fields
        headers = self._headers
        if method not in METHODS:
            raise BadRequest(501, f"{method[:20]} is not supported; there are GET and POST")
        if not _OF_BODIES.isdisjoint(headers):
            self._skip_body(headers)
        if target[0] != "/" or target[:2] == "//" or "#" in target:
            target = _origin_form(target)
        path, _, query = target.partition("?")
        return Request(method, path, _parameters(query), headers), version

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
        while length > len(self._buffer):
            data = self.request.recv(BODY_LIMIT_BYTES)
            if not data:
                raise BadRequest(400, "the body is cut off")
            self._buffer += data
        self._buffer = self._buffer[length:]

    def _send(self, response: Response, *, keep: bool, with_body: bool = True) -> None:
        status, body, headers, content_type, pieces = response
        length = len(body) if pieces is None else sum(map(len, pieces()))
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nServer: {SERVER}\r\nDate: {date}\r\n"
            f"{TIME_HEADER}: {time.time_ns()}\r\n"
        )
        for name, value in headers.items():
            head += f"{name}: {value}\r\n"
        if status != NO_CONTENT:
            head += f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
        if not keep:
            head += "Connection: close\r\n"
        self.request.sendall(f"{head}\r\n".encode("latin-1") + (body if with_body else b""))
        if pieces is not None:
            for piece in pieces():
                self.request.sendall(piece)


def _origin_form(target: str) -> str:
    """A target in absolute form, with several slashes or with a fragment as most are."""
    target = _ABSOLUTE.sub("", target, count=1) if target[0] != "/" else target
    return "/" + target.partition("#")[0].lstrip("/") if target[:1] in {"", "/"} else target


def _headers(fields: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for field in fields.decode("latin-1").split("\n") if fields.strip() else ():
        name, colon, value = field.partition(":")
        if not colon:
            raise BadRequest(400, "a header without a colon")
        if _FIELD_NAME.fullmatch(name) is None:
            raise BadRequest(400, "a header's name has characters that it may not have")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _parameters(query: str) -> dict[str, str]:
    parameters = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        value = value.replace("%3A", ":")  # all that is quoted in a cursor
        parameters[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return parameters
