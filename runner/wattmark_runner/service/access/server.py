"""The service's server: uvicorn's, with places for its connections and a bounded handshake."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from wattmark_core.http_limits import HANDSHAKE_SECONDS
from wattmark_core.listener import Places
from wattmark_core.seldom import Seldom
from wattmark_core.tls import ServedCertificate
from wattmark_runner.service.access.protocol import LimitedProtocol, problem_bytes
from wattmark_runner.service.services import Services

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 3
"""How long answers under way may still take when the service ends."""
CONNECTIONS: Final = 256
"""Each may be a page that follows a run, or one of the connections that a browser keeps."""
ACCEPT_PAUSE_SECONDS: Final = 0.05


class Server(uvicorn.Server):
    """Prints READY once it answers, and ends open streams when it is to stop."""

    def __init__(
        self, app: ASGIApp, services: Services, url: str, certificate: ServedCertificate | None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=LimitedProtocol, ws="none", lifespan="on", log_level="warning",
                access_log=False, server_header=False, date_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )  # fmt: skip
        self._services = services
        self._url = url
        self._context = None if certificate is None else certificate.following()
        self._places = Places(CONNECTIONS)
        self._full = Seldom(log, most=1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a service that was asked to end, and did, has ended well: status 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn, which would accept any number of connections, and wait a minute for the
        handshake of each."""
        await super().startup(sockets=[])
        for listener in sockets or ():
            listener.setblocking(False)
            self._keep(self._accept(listener))
        if self.started:
            sys.stdout.write(f"READY {self._url}\n")
            sys.stdout.flush()

    async def main_loop(self) -> None:
        """Wait for a signal. Uvicorn's wakes ten times a second, for the time in ``Date`` too,
        which took more CPU time beside a measurement than all else that the service does then."""
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._wake.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn. Also ends the wait of the main loop."""
        super().handle_exit(sig, frame)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._services.stopping.set()
        for task in self._tasks:
            task.cancel()
        await super().shutdown(sockets=sockets)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError:  # out of descriptors: others may be closed soon
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            if await self._has_place(connection):
                self._keep(self._begin(connection, address[0]))
            else:
                self._full.warning("all places are taken; %s was turned away", address[0])
                with suppress(OSError):
                    if self._context is None:
                        connection.send(problem_bytes(503, "too many connections; try again"))
                    connection.close()

    async def _has_place(self, connection: socket.socket) -> bool:
        """Now, or soon: others wait in the kernel meanwhile."""
        while not self._places.take(connection):
            if not self._places.has_room_soon():
                return False
            await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
        return True

    async def _begin(self, connection: socket.socket, client: str) -> None:
        """Handshake, then the protocol has it."""
        protocol = LimitedProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        protocol.place = self._places.of(connection)
        protocol.leave = partial(self._places.leave, connection)
        begun = False
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, connection, ssl=self._context,
                ssl_handshake_timeout=None if self._context is None else HANDSHAKE_SECONDS,
            )  # fmt: skip
            begun = True
        except OSError as error:  # its client went away, or speaks no TLS
            reason = str(error) or type(error).__name__
            protocol.malformed.warning("%s: no connection came about: %s", client, reason)
        finally:
            if not begun:
                self._places.leave(connection)
                connection.close()

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
