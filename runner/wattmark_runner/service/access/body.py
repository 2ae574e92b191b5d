"""The body of a request, read once for all who need it before the app does."""

from typing import Final

from starlette.types import Message, Receive, Scope

from wattmark_runner.errors import BodyCutOff, BodyTooLarge

BODY: Final = "wattmark.body"
"""The key of the scope under which the middleware within find it."""


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> Receive:
    """Read the body into the scope; the ``receive`` that hands it to the app once more.

    Raises ``BodyTooLarge`` as soon as more than ``limit_bytes`` have come, ``BodyCutOff`` if the
    client goes before the end: half a body is none.
    """
    body = bytearray()
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCutOff
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise BodyTooLarge
    scope[BODY] = bytes(body)
    pending = [{**message, "body": scope[BODY]}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed
