"""HTTP as the service speaks it: uvicorn's, within what ``wattmark_core.http_limits`` allows.

Uvicorn itself takes headers of any length and waits for them, and for bodies, without end.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wattmark_core.http_limits import (
    BODY_SECONDS,
    HEAD_BYTES,
    HEAD_SECONDS,
    SEND_SECONDS,
    TARGET_BYTES,
)
from wattmark_core.listener import Place
from wattmark_core.seldom import Seldom
from wattmark_runner.service.api.problems import problem_response, title_of

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 4096
"""Read at a time: what a client sends in advance waits, and is not made into requests yet."""
AHEAD_BYTES: Final = 1 << 20
"""Requests in advance; what is read at once is less, and then no more is read."""
FIELD_BYTES: Final = 4
"""Of a header beside its name and value: colon, blank, end of line."""
LINGER_SECONDS: Final = 2.0
"""A client that is still sending may read its refusal: closed at once, the answer is lost."""
TRUSTED: Final = "wattmark.trusted"
"""The key of the scope that says that host, origin and key of a request are good."""


class _Part(Enum):
    HEAD = auto()
    BODY = auto()


class LimitedProtocol(HttpToolsProtocol):
    """One connection. ``place``: its place among the others, kept up to date; ``leave`` is called
    when it has ended."""

    malformed = Seldom(log)
    place: Place
    leave: Callable[[], None]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unread = b""
        self._part = _Part.HEAD
        self._quiet_bytes = 0
        """Of the head so far; of the body since something came of it."""
        self._head_bytes = 0
        self._refusal: tuple[int, str] | None = None
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None

    # -- asyncio --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._within(None)
        self.resume_writing()
        super().connection_lost(exc)
        self.leave()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._unset_keepalive_if_required()
        if self._refused:
            return
        if self._part is _Part.HEAD and self._timer is None:
            self._within(HEAD_SECONDS)
        self._unread += data
        if len(self._unread) > AHEAD_BYTES:
            self.transport.abort()
            return
        self._read()

    def pause_writing(self) -> None:
        """See asyncio. A client that takes nothing of its answer is let go."""
        super().pause_writing()
        if self._send_timer is None:
            self._send_timer = self.loop.call_later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """See asyncio."""
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        if self.flow is not None:
            super().resume_writing()

    # -- httptools ------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """See httptools."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        super().on_url(url)
        if len(self.url) > TARGET_BYTES:
            self._stop(414, f"the path and query have more than {TARGET_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools. Those behind a body in chunks come here, too."""
        self._head_bytes += len(name) + len(value) + FIELD_BYTES
        if self._head_bytes + len(self.url) > HEAD_BYTES:
            self._stop(431, f"the headers have more than {HEAD_BYTES} bytes")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._part, self._quiet_bytes = _Part.BODY, 0
        self._within(BODY_SECONDS)
        self.place.answering = True
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """See httptools."""
        self._quiet_bytes = 0

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self._quiet_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        super().on_message_complete()
        self._part, self._quiet_bytes = _Part.HEAD, 0
        self._within(None)

    # -- uvicorn --------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """See uvicorn."""
        self.place.waits(trusted=TRUSTED in self.cycle.scope)
        super().on_response_complete()
        if self._unread and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._read()

    def _unsupported_upgrade_warning(self) -> None:
        self.malformed.warning("%s asks for another protocol; there is none", self._peer())

    # -- inside ---------------------------------------------------------------------------------

    def _read(self) -> None:
        """Piece by piece, while no request waits for the answer to the one before it."""
        while self._unread and not self.pipeline and not self._refused:
            piece, self._unread = self._unread[:PIECE_BYTES], self._unread[PIECE_BYTES:]
            self._quiet_bytes += len(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:  # its request is answered, and was the last
                self._unsupported_upgrade_warning()
                self.cycle.keep_alive = False
                self._refused, self._unread = True, b""
            except httptools.HttpParserError:
                self._refuse(*(self._refusal or (400, "not a request of HTTP/1.1")))
            else:
                if self._quiet_bytes > HEAD_BYTES:
                    self._refuse(431, f"the headers have more than {HEAD_BYTES} bytes")
        if self._unread:
            self.flow.pause_reading()

    def _stop(self, status: int, reason: str) -> None:
        """Out of the parser."""
        self._refusal = status, reason
        raise ValueError(reason)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer with a problem, unless an answer has begun, and end the connection soon."""
        self.malformed.warning("%s sent what is not answered: %s", self._peer(), reason)
        self._refused, self._unread = True, b""
        self._within(None)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.response_started:
                cycle.disconnected = True
                cycle.message_event.set()
                self._send_problem(status, reason)
            else:
                cycle.keep_alive = False
        else:
            self._send_problem(status, reason)
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _send_problem(self, status: int, reason: str) -> None:
        self.transport.write(problem_bytes(status, reason))
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _within(self, seconds: float | None) -> None:
        """What is under way must be over in so many seconds."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        if self._part is _Part.HEAD and not self._quiet_bytes:  # nothing was said
            self.transport.abort()
            return
        what, seconds = (
            ("headers", HEAD_SECONDS) if self._part is _Part.HEAD else ("body", BODY_SECONDS)
        )
        if self._part is _Part.BODY and self.cycle is not None and self.cycle.response_complete:
            self.transport.abort()
            return
        self._refuse(408, f"the {what} took longer than {seconds:g} s")

    def _peer(self) -> str:
        return self.client[0] if self.client else "somebody"


def problem_bytes(status: int, reason: str) -> bytes:
    """An answer before there is a request."""
    answer = problem_response(status, reason, "")
    head = f"HTTP/1.1 {status} {title_of(status)}\r\n"
    for name, value in answer.raw_headers:
        head += f"{name.decode('latin-1')}: {value.decode('latin-1')}\r\n"
    head += "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    return head.encode("latin-1") + bytes(answer.body)
