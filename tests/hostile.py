"""Clients that mean ill, for each listener: what they send, and what a process takes of memory."""

import re
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

MIB: Final = 1 << 20
GUARD: Final = [
    ("GET", {"Host": "evil.example"}, 421),
    ("GET", {"Host": "localhost.evil.example:9109"}, 421),
    ("POST", {"Host": "evil.example"}, 421),
    ("POST", {"Origin": "http://evil.example"}, 403),
    ("POST", {"Origin": "null"}, 403),
    ("POST", {"Origin": "http://localhost:1"}, 403),
    ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("GET", {"Origin": "http://evil.example"}, 403),
    ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
    ("HEAD", {"Sec-Fetch-Site": "cross-site"}, 403),
]
"""Method, headers, and the status that refuses a page of a stranger."""


def connected(url: str, context: ssl.SSLContext | None = None) -> socket.socket:
    """A connection to a service."""
    parts = urlsplit(url)
    made = socket.create_connection((parts.hostname or "", parts.port or 0), 30)
    return made if context is None else context.wrap_socket(made, server_hostname=parts.hostname)


def sent_all(connection: socket.socket, data: bytes, seconds: float = 20.0) -> None:
    """Send as much as is taken."""
    connection.settimeout(seconds)
    with suppress(OSError):
        connection.sendall(data)


def answered(connection: socket.socket, seconds: float = 30.0) -> bytes:
    """Everything until the end; empty if the connection was reset."""
    connection.settimeout(seconds)
    data = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            data += part
    return data


def status_of(data: bytes) -> int:
    """Of an answer; 0: there was none."""
    match = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", data)
    return int(match[1]) if match else 0


def memory_bytes(pid: int, name: str = "VmHWM") -> int:
    """The most that a process has had in memory, or with ``VmRSS`` has now."""
    text = Path(f"/proc/{pid}/status").read_text()
    match = re.search(rf"^{name}:\s+([0-9]+) kB", text, re.MULTILINE)
    assert match is not None
    return int(match[1]) * 1024


def ten_megabytes_of_headers(url: str) -> list[tuple[str, bytes]]:
    """What each kind of head too long is answered with."""
    filler = b"x" * (10 * MIB)
    kinds = {
        "one header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + filler,
        "many headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * (2 * MIB),
        "names": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + filler,
        "the path": b"GET /" + filler,
        "the query": b"GET /healthz?" + filler,
        "the method": filler,
    }
    answers = []
    for kind, data in kinds.items():
        with connected(url) as connection:
            sent_all(connection, data)
            answers.append((kind, answered(connection)))
    return answers


def dripped(url: str, head: bytes, most_seconds: float) -> tuple[float, bytes]:
    """A byte each half second after ``head``: how long that was borne, and the answer to it."""
    with connected(url) as connection:
        connection.sendall(head)
        start = time.monotonic()
        connection.settimeout(0.5)
        data = b""
        while time.monotonic() - start < most_seconds:
            try:
                part = connection.recv(4096)
            except TimeoutError:
                with suppress(OSError):
                    connection.sendall(b"x")
                continue
            except ConnectionError:
                break
            data += part
            if not part:
                break
        return time.monotonic() - start, data
