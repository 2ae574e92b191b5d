"""Answers have an end, whatever the other side makes of it."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Thread

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_core.http_client import connection_to

TIMEOUT_SECONDS = 0.5
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
Serve = Callable[[bytes, bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(whole, drips)``: the port of a server that answers each request with ``whole`` at
    once, and then with ``drips`` again and again, ten bytes a second."""
    with ExitStack() as stack:

        def start(whole: bytes, drips: bytes = b"") -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run() -> None:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(65536):
                        connection.sendall(whole)
                        for _ in range(100 if drips else 0):
                            for byte in drips:
                                time.sleep(0.1)
                                connection.sendall(bytes([byte]))

            def quietly() -> None:
                with suppress(OSError):  # who asked has had enough
                    run()

            Thread(target=quietly, daemon=True).start()
            return int(listener.getsockname()[1])

        yield start


@pytest.mark.parametrize(
    ("whole", "drips"),
    [(b"", HEAD), (HEAD, b"X-A: b\r\n"), (HEAD + b"Content-Length: 999\r\n\r\n", b"a 1\n"),
     (HEAD + b"\r\n", b"a 1\n"), (CHUNKED, b"4\r\na 1\n\r\n"), (CHUNKED, b"0"),
     (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["status", "headers", "body", "body without a length", "chunks", "size of a chunk",
         "continue"],
)  # fmt: skip
def test_an_answer_that_drips_ends_with_the_timeout(
    serve: Serve, whole: bytes, drips: bytes
) -> None:
    """Whatever part of it; each byte comes long before the timeout."""
    port = serve(whole, drips)
    with closing(
        connection_to("http", "127.0.0.1", port, timeout_seconds=TIMEOUT_SECONDS)
    ) as asked:
        started = time.monotonic()
        asked.request("GET", "/")
        with pytest.raises(TimeoutError, match="timed out"):
            asked.getresponse().read()
    assert TIMEOUT_SECONDS <= time.monotonic() - started < 8.0


def test_a_kept_connection_has_its_time_for_each_answer(serve: Serve) -> None:
    """Together they take longer than the timeout."""
    port = serve(HEAD + b"Content-Length: 4\r\n\r\na 1\n", b"")
    with closing(
        connection_to("http", "127.0.0.1", port, timeout_seconds=TIMEOUT_SECONDS)
    ) as asked:
        for _ in range(4):
            asked.request("GET", "/")
            assert asked.getresponse().read() == b"a 1\n"
            time.sleep(TIMEOUT_SECONDS / 2)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_certificate_that_cannot_be_used_is_named(tmp_path: Path, text: str | None) -> None:
    """Before anything is connected."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"^CA certificate .*ca\.pem: "):
        connection_to("https", "h", None, timeout_seconds=1.0, ca_file=file)
