"""HTTP as clients may send it: in pieces, one after the other, and wrong."""

import re
import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattmark_core.exporter_api import TIME_HEADER
from wattmark_core.http_connection import HttpConnection
from wattmark_core.http_guard import Guard
from wattmark_core.http_limits import HEAD_BYTES, TARGET_BYTES
from wattmark_core.http_request import Request, Response
from wattmark_core.listener import Listener

WHOLE = (
    b"POST /arm?seconds=1&lease=a%20b HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
    b"Sec-Fetch-Site: same-origin\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\n\r\nbody"
    b"GET /samples HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
)


class Server(Listener):
    program = "echo"


class Echo(HttpConnection):
    """Answers with what was asked."""

    def respond(self, request: Request) -> Response:
        if request.path == "/fault":
            raise ValueError("a fault")
        if request.path == "/pieces":
            return Response(200, pieces=lambda: iter([b"one\n", b"two\n"]))
        text = f"{request.method} {request.path} {sorted(request.query.items())}"
        return Response(200, text.encode())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """It, on loopback."""
    server = Server("127.0.0.1", 0, Echo, Guard())
    thread = Thread(target=server.serve)
    thread.start()
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[socket.socket]:
    """A connection to it."""
    with socket.create_connection(("127.0.0.1", server.server_address[1]), 20) as client:
        yield client


def answer(client: socket.socket, until: bytes) -> bytes:
    """What the server sends, up to and with ``until`` or to its end."""
    data = b""
    while until not in data and (part := client.recv(65536)):
        data += part
    return data


def test_a_request_may_come_in_pieces(client: socket.socket) -> None:
    """Byte by byte, with a query whose values are quoted; the last one of a name counts."""
    for byte in b"GET /samples?after=a%3A1&after=b%3A2 HTTP/1.1\r\nHost: localhost\r\n\r\n":
        client.sendall(bytes([byte]))
    assert b"GET /samples [('after', 'b:2')]" in answer(client, b"]")


def test_several_requests_may_come_at_once(client: socket.socket) -> None:
    """They are answered in turn, a body between them is passed over, the connection is kept."""
    client.sendall(
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
        b"GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n"
        b"GET /c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    data = answer(client, b"never")
    assert [data.count(text) for text in (b"POST /a", b"GET /b", b"GET /c")] == [1, 1, 1]
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert data.count(b"Connection: close\r\n") == 1


def test_a_client_that_waits_to_send_its_body_gets_100_continue(client: socket.socket) -> None:
    """As curl does: ``100 Continue`` comes before the body."""
    client.sendall(
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    )
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
        (b"GET / HTTP/1.1x\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.\xb2\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413 "),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n", b"431 "),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (HEAD_BYTES // 6) + b"\r\n", b"431 "),
        (b"GET /" + b"x" * TARGET_BYTES + b" HTTP/1.1\r\n\r\n", b"414 "),
        (b"GET /?" + b"x" * (HEAD_BYTES + 1), b"414 "),
        (b"\x1b[31m / HTTP/1.1\r\n\r\n", b"501 Not Implemented"),
        (b"GET / HTTP/1.1\r\nX: ".ljust(HEAD_BYTES + 1, b"x"), b"431 "),
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
    assert head.count(TIME_HEADER.encode()) == 1
    assert body.count(b"\n") == 1


def test_http_1_0_is_closed_unless_it_asks_otherwise(client: socket.socket) -> None:
    """As its clients expect."""
    client.sendall(b"GET /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
    assert b"Connection: close" not in answer(client, b"]")
    client.sendall(b"GET /b HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b"Connection: close" in answer(client, b"never")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /a HTTP/1.0\nHost: localhost\n\n",
        b"GET /a HTTP/1.1\nHost: localhost\nConnection: close\n\n",
        b"GET /a HTTP/1.0\r\nHost: localhost\n\r\n",
    ],
)
def test_lines_may_end_in_a_bare_line_feed(client: socket.socket, sent: bytes) -> None:
    """Wherever they do: people type such requests."""
    client.sendall(sent)
    assert b"GET /a []" in answer(client, b"never")


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        (b"http://host:9109/a?b=c", b"GET /a [('b', 'c')]"),
        (b"http://host:9109", b"GET / []"),
        (b"HTTPS://host/a", b"GET /a []"),
        (b"//a", b"GET /a []"),
        (b"/a#b", b"GET /a []"),
        (b"*", b"GET * []"),
    ],
)
def test_targets_have_several_forms(client: socket.socket, target: bytes, asked: bytes) -> None:
    """A proxy's client sends the whole URL; slashes too many do not count."""
    client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer(client, b"never").endswith(b"\r\n\r\n" + asked)


def test_head_is_answered_as_get_is_without_the_body(client: socket.socket) -> None:
    """With the headers that GET would have, so that the next answer begins where it should."""
    for path in (b"/a", b"/pieces"):
        answers = []
        for method in (b"GET", b"HEAD"):
            client.sendall(method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, end, body = answer(client, b"\r\n\r\n").partition(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            while method == b"GET" and len(body) < length:
                body += client.recv(4096)
            answers.append((re.sub(rb"(Date|X-Wattmark-Time): .*?\r\n", b"", head), end, body))
        assert answers[0][:2] == answers[1][:2]
        assert answers[0][2] != b""
        assert answers[1][2] == b""


def test_close_among_other_options_closes(client: socket.socket) -> None:
    """``Connection`` is a list."""
    client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Close\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in answer(client, b"never")


@pytest.mark.parametrize("value", [b"a\0b", b"a\rb", b"\x1b[31m", b"\x7f"])
def test_control_characters_in_a_header_are_refused(client: socket.socket, value: bytes) -> None:
    """As in its name; only a tab may stand in a value."""
    client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\nX: c\td\r\n\r\n")
    assert answer(client, b"]").startswith(b"HTTP/1.1 200 ")
    client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\nX: " + value + b"\r\n\r\n")
    assert answer(client, b"never").startswith(b"HTTP/1.1 400 ")


def test_every_answer_says_when_it_was_sent(client: socket.socket) -> None:
    """In Unix ns."""
    before = time.time_ns()
    client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
    _, _, rest = answer(client, b"]").partition(f"{TIME_HEADER}: ".encode())
    assert before <= int(rest.partition(b"\r\n")[0]) <= time.time_ns()


def test_a_fault_is_answered_with_500_and_raised_on(client: socket.socket) -> None:
    """The client gets one line; who serves the connection learns of the fault."""
    client.sendall(b"GET /fault HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = answer(client, b"never").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert body.count(b"\n") == 1


def test_a_body_may_be_sent_in_pieces(client: socket.socket) -> None:
    """Its length is known all the same, and the connection is kept."""
    client.sendall(
        b"GET /pieces HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a HTTP/1.0\r\nHost: localhost\r\n\r\n"
    )
    data = answer(client, b"never")
    assert b"Content-Length: 8\r\n" in data
    assert b"\r\n\r\none\ntwo\nHTTP/1.1 200 OK\r\n" in data


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, len(WHOLE)), taken=st.integers(0, 20), put=st.binary(max_size=20))
def test_a_damaged_request_is_answered_or_refused(
    server: Server, at: int, taken: int, put: bytes
) -> None:
    """Whatever stands in the place of some bytes: never a fault, and the next one is served."""
    sent = WHOLE[:at] + put + WHOLE[at + taken :]
    with socket.create_connection(("127.0.0.1", server.server_address[1]), 20) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        data = answer(client, b"never")
    statuses = {int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", data)}
    assert statuses <= {200, 400, 403, 408, 413, 414, 421, 431, 501, 100}
