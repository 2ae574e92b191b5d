"""``Idempotency-Key``: a POST that is sent twice is carried out once."""

import asyncio
import hashlib
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattmark_runner.records.database import Answer, RunDatabase
from wattmark_runner.service.api.problems import problem_response

HEADER: Final = b"idempotency-key"
KEY_LENGTH: Final = 200
KEPT_SECONDS: Final = 24 * 3600.0
DESCRIBED: Final = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH},
            "description": "sent twice with the same key, the request is carried out once",
        }
    ]
}
"""For ``openapi_extra`` of each POST."""
REPLAYED: Final = (b"content-type", b"location")
REPLAY_HEADER: Final = (b"idempotency-replayed", b"true")


class IdempotencyMiddleware:
    """Middleware: answers a POST whose key was seen as it was answered then, for a day.

    The same key with another request is 422; while the first is under way, 409. Answers of 500 and
    above are not kept: the request may be sent again.
    """

    def __init__(self, app: ASGIApp, *, database: RunDatabase) -> None:
        self._app = app
        self._database = database
        self._under_way: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        given = _header(scope, HEADER) if scope["type"] == "http" else None
        if given is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not 0 < len(given) <= KEY_LENGTH:
            text = f"Idempotency-Key: give 1 to {KEY_LENGTH} characters"
            await self._refuse(scope, receive, send, 422, text)
            return
        body = await _body(receive)
        # Two users may choose the same key.
        key = hashlib.sha256(given + b"\0" + (_header(scope, b"authorization") or b"")).hexdigest()
        fingerprint = hashlib.sha256(scope["path"].encode() + b"\0" + body).hexdigest()
        if key in self._under_way:
            text = "a request with this Idempotency-Key is under way; ask again later"
            await self._refuse(scope, receive, send, 409, text)
            return
        self._under_way.add(key)
        try:
            await self._once(scope, _again(body, receive), send, key, fingerprint)
        finally:
            self._under_way.discard(key)

    async def _once(
        self, scope: Scope, receive: Receive, send: Send, key: str, fingerprint: str
    ) -> None:
        known = self._database.answer(key)  # reading takes some 20 µs, a thread takes 100
        if known is None:
            await self._carry_out(scope, receive, send, key, fingerprint)
        elif known.fingerprint != fingerprint:
            text = "this Idempotency-Key came with another request before; take a new one"
            await self._refuse(scope, receive, send, 422, text)
        else:
            headers = [(name.encode(), value.encode()) for name, value in known.headers]
            headers += [(b"content-length", str(len(known.body)).encode()), REPLAY_HEADER]
            await send({"type": "http.response.start", "status": known.status, "headers": headers})
            await send({"type": "http.response.body", "body": known.body})

    async def _carry_out(
        self, scope: Scope, receive: Receive, send: Send, key: str, fingerprint: str
    ) -> None:
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body") and start["status"] < 500:
                    # Kept before it is sent: a client that got an answer gets the same again.
                    answer = Answer(fingerprint, start["status"], _kept(start), b"".join(parts))
                    await asyncio.to_thread(self._database.put_answer, key, answer, KEPT_SECONDS)
            await send(message)

        await self._app(scope, receive, keep)

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, status: int, text: str
    ) -> None:
        await problem_response(status, text, scope["path"])(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _kept(start: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in start["headers"] if name in REPLAYED]


async def _body(receive: Receive) -> bytes:
    """The whole body; its size was limited before."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once more, then what comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
