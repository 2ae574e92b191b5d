"""``Idempotency-Key``: a POST that is sent twice is carried out once."""

import asyncio
import hashlib
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattmark_runner.records.database import Answer, RunDatabase
from wattmark_runner.service.access.body import BODY
from wattmark_runner.service.api.headers import KEY_LENGTH
from wattmark_runner.service.api.problems import problem_response

HEADER: Final = b"idempotency-key"
KEPT_SECONDS: Final = 24 * 3600.0
REPLAYED: Final = (b"content-type", b"location")
REPLAY_HEADER: Final = (b"idempotency-replayed", b"true")


class IdempotencyMiddleware:
    """Answers a POST whose key was seen as it was answered then, for a day.

    It stands within ``AccessMiddleware``, which has read the body.

    The same key with another request is 422; while the first is under way, 409. Answers of 500 and
    above are not kept: the request may be sent again.
    """

    def __init__(self, app: ASGIApp, *, database: RunDatabase) -> None:
        self._app = app
        self._database = database
        self._under_way: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        sent_key = _header(scope, HEADER) if scope["type"] == "http" else None
        if sent_key is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not 0 < len(sent_key) <= KEY_LENGTH:
            text = f"Idempotency-Key: give 1 to {KEY_LENGTH} characters"
            await self._refuse(scope, receive, send, 422, text)
            return
        # Two users may choose the same key.
        key = hashlib.sha256(
            sent_key + b"\0" + (_header(scope, b"authorization") or b"")
        ).hexdigest()
        fingerprint = hashlib.sha256(scope["path"].encode() + b"\0" + scope[BODY]).hexdigest()
        if key in self._under_way:
            text = "a request with this Idempotency-Key is under way; ask again later"
            await self._refuse(scope, receive, send, 409, text)
            return
        self._under_way.add(key)
        try:
            await self._once(scope, receive, send, key, fingerprint)
        finally:
            self._under_way.discard(key)

    async def _once(
        self, scope: Scope, receive: Receive, send: Send, key: str, fingerprint: str
    ) -> None:
        answer = self._database.answer(key)  # reading takes some 20 µs, a thread takes 100
        if answer is None:
            await self._carry_out(scope, receive, send, key, fingerprint)
        elif answer.fingerprint != fingerprint:
            text = "this Idempotency-Key came with another request before; take a new one"
            await self._refuse(scope, receive, send, 422, text)
        else:
            headers = [(name.encode(), value.encode()) for name, value in answer.headers]
            headers += [(b"content-length", str(len(answer.body)).encode()), REPLAY_HEADER]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _carry_out(
        self, scope: Scope, receive: Receive, send: Send, key: str, fingerprint: str
    ) -> None:
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body") and start["status"] < 500:
                    # Kept before it is sent: a client that got an answer gets the same again.
                    answer = Answer(fingerprint, start["status"], _replayed(start), b"".join(parts))
                    await asyncio.to_thread(self._database.put_answer, key, answer, KEPT_SECONDS)
            await send(message)

        await self._app(scope, receive, record)

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, status: int, text: str
    ) -> None:
        await problem_response(status, text, scope["path"])(scope, receive, send)


def _header(scope: Scope, sought: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == sought), None)


def _replayed(start: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in start["headers"] if name in REPLAYED]
