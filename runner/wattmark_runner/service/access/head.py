"""``HEAD``: answered as ``GET`` is, without the body."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def as_get(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Have ``app`` answer a ``HEAD`` as if it were a ``GET``.

    Once the body begins the app is told that the client has gone: a stream would never end.
    """
    over = asyncio.Event()

    async def gone() -> Message:
        if not over.is_set():
            received = asyncio.ensure_future(receive())
            ended = asyncio.ensure_future(over.wait())
            done, waiting = await asyncio.wait(
                {received, ended}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in waiting:
                task.cancel()
            if received in done:
                return received.result()
        return {"type": "http.disconnect"}

    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
        elif not over.is_set():
            over.set()
            await send({"type": "http.response.body", "body": b""})

    await app({**scope, "method": "GET"}, gone, head)
