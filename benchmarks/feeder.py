"""Both ends of a collector under measurement: an exporter far ahead of it, and a server that takes
lines as InfluxDB does and keeps none.

``python -m benchmarks.feeder exporter`` prints READY and its port; after ``/go?pages=N`` it hands
out N full pages, one a poll. ``python -m benchmarks.feeder sink`` does as well; ``/taken`` is how
many lines it was given.
"""

import asyncio
import dataclasses
import json
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Final

from benchmarks.host_lines import NS, samples, series
from wattmark_core.exporter_api import CURSOR_HEADER, LOST_HEADER, HostReport
from wattmark_core.line_protocol import encode

PAGE_SECONDS: Final = 50
"""Of one host's samples in a page."""
HOST: Final = "bench"
MEASURED: Final = ("energy", "power", "gpu", "cpu", "memory", "disk", "network", "sensor")
LENGTH: Final = "content-length: "
Answer = tuple[int, dict[str, str], bytes]


class Exporter:
    """A host's samples, newer ones in each page."""

    def __init__(self) -> None:
        start_ns = (time.time_ns() // NS - 86_400) * NS
        made = samples(series(HOST, MEASURED), start_ns, start_ns + PAGE_SECONDS * NS)
        lines = [encode(sample).rpartition(" ") for sample in made]
        self._heads = [(head, int(time_ns)) for head, _, time_ns in lines]
        self._pages = 0

    @property
    def page_lines(self) -> int:
        """The lines of a full page."""
        return len(self._heads)

    def answer(self, target: str, body: bytes) -> Answer:
        """Status, headers and body for a path."""
        path, _, query = target.partition("?")
        if path == "/go":
            self._pages = int(query.removeprefix("pages="))
            return 200, {}, str(self._pages * self.page_lines).encode()
        if path == "/sensors":
            report = HostReport(HOST, "0e5a2ad2-7d3f-4e44-9f0e-000000000000", "i", 0, ())
            return 200, {}, json.dumps(dataclasses.asdict(report)).encode()
        seen = int("0" + query.partition("%3A")[2])
        page = min(seen + 1, self._pages)
        headers = {CURSOR_HEADER: f"i:{page}", LOST_HEADER: "0"}
        if page == seen:
            return 200, headers, b""
        later_ns = page * PAGE_SECONDS * NS
        text = "".join(f"{head} {time_ns + later_ns}\n" for head, time_ns in self._heads)
        return 200, headers, text.encode()


class Sink:
    """Counts lines of the telemetry's database."""

    def __init__(self) -> None:
        self._taken = 0

    def answer(self, target: str, body: bytes) -> Answer:
        """Status, headers and body for a path."""
        if target.startswith("/write"):
            lines = body.split(b"\n")
            self._taken += sum(not line.startswith((b"target,", b"collector,")) for line in lines)
            return 204, {}, b""
        if target == "/taken":
            return 200, {}, str(self._taken).encode()
        return 200, {}, b'{"results":[{"statement_id":0}]}'


async def serve(answer: Callable[[str, bytes], Answer]) -> None:
    """Listen for ever; prints READY and the port."""
    server = await asyncio.start_server(handler(answer), "127.0.0.1", 0)
    sys.stdout.write(f"READY {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def handler(
    answer: Callable[[str, bytes], Answer],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """For ``asyncio.start_server``: answers each request of a connection by path and body."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *headers_sent = head.decode().split("\r\n")
                sizes = [
                    int(header[16:]) for header in headers_sent if header.lower().startswith(LENGTH)
                ]
                body = await reader.readexactly(sizes[0]) if sizes else b""
                status, headers, data = answer(first.split(" ")[1], body)
                headers |= {"Content-Length": str(len(data)), "X-Influxdb-Version": "1.6"}
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


def ask(port: str, path: str) -> int:
    """The number that one of them answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30.0) as answer:
        return int(answer.read())


if __name__ == "__main__":
    asyncio.run(serve(Exporter().answer if sys.argv[1] == "exporter" else Sink().answer))
