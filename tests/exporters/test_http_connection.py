"""HTTP as clients may send it: in pieces, one after the other, and wrong."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from wattmark_exporters.http_connection import HEAD_LIMIT_BYTES, HttpConnection, Request, Response


class Echo(HttpConnection):
    """Answers with what was asked."""

    def respond(self, request: Request) -> Response:
        text = f"{request.method} {request.path} {sorted(request.query.items())}"
        return Response(200, text.encode())


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """A connection to it over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        connection, address = server.accept()

        def serve() -> None:
            with connection:
                Echo(connection, address, None)  # type: ignore[arg-type]  # it asks no server

        thread = Thread(target=serve)
        thread.start()
        with client:
            client.settimeout(20)
            yield client
            client.close()
            thread.join(20)


def answer(client: socket.socket, until: bytes) -> bytes:
    """What the server sends, up to and with ``until`` or to its end."""
    data = b""
    while until not in data and (part := client.recv(65536)):
        data += part
    return data


def test_a_request_may_come_in_pieces(client: socket.socket) -> None:
    """Byte by byte, with a query whose values are quoted; the last one of a name counts."""
    for byte in b"GET /samples?after=a%3A1&after=b%3A2 HTTP/1.1\r\nHost: x\r\n\r\n":
        client.sendall(bytes([byte]))
    assert b"GET /samples [('after', 'b:2')]" in answer(client, b"]")


def test_several_requests_may_come_at_once(client: socket.socket) -> None:
    """They are answered in turn, a body between them is passed over, the connection is kept."""
    client.sendall(
        b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /b HTTP/1.1\r\n\r\n"
        b"GET /c HTTP/1.1\r\nConnection: close\r\n\r\n"
    )
    data = answer(client, b"never")
    assert [data.count(text) for text in (b"POST /a", b"GET /b", b"GET /c")] == [1, 1, 1]
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert data.count(b"Connection: close\r\n") == 1


def test_a_client_that_waits_to_send_its_body_gets_100_continue(client: socket.socket) -> None:
    """As curl does: ``100 Continue`` comes before the body."""
    client.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert answer(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"body")
    assert b"POST /a" in answer(client, b"]")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/2\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n", b"413 "),
        (b"PUT / HTTP/1.1\r\n\r\n", b"501 Not Implemented"),
        (b"GET / HTTP/1.1\r\nX: ".ljust(HEAD_LIMIT_BYTES + 1, b"x"), b"431 "),
    ],
)
def test_what_is_no_request_ends_the_connection(
    client: socket.socket, sent: bytes, status: bytes
) -> None:
    """With its status and one line that says why."""
    client.sendall(sent)
    data = answer(client, b"never")
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nConnection: close" in head
    assert body.count(b"\n") == 1


def test_http_1_0_is_closed_unless_it_asks_otherwise(client: socket.socket) -> None:
    """As its clients expect."""
    client.sendall(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"Connection: close" not in answer(client, b"]")
    client.sendall(b"GET /b HTTP/1.0\r\n\r\n")
    assert b"Connection: close" in answer(client, b"never")
